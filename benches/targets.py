"""What the project wants to reach, as figures that its benchmarks measure; benches/RESULTS.md opens with them.

Leaves that repeat themselves are shared between messages (docs/decisions/0010-objects-from-images.md). The rows "no leaf like another" show what that does
not help, those "leaves not shared" what decode takes where it is turned off, and these count; every order of keys, compact and spaced, has its row in the section of `benches.paths`.
"""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """A figure's name, the benchmark that measures it, what it says, its bound, whether less is better, its unit, whether it counts, and why it is missed where it is."""

    key: str
    benchmark: str
    what: str
    bound: float
    at_most: bool = True
    unit: str = ""
    counts: bool = True
    why: str = ""


LARGE = "MeterValues, TransactionEvent, NotifyReport"

SIX = "geometric mean of six kinds"
WORST = "the worst of six kinds"
DISTINCT = "leaves shared, none like another"
APART = "leaves not shared"

WHY_TYPED = (
    "a NotifyReport and a Heartbeat hold the mean up. Of a NotifyReport's instructions we need about half of msgspec's, a fifth of them in CPython's allocator, lists and release, which "
    "nobody can leave out who makes 300 objects; by time that part weighs more, since it waits for memory. Its keys come and go by chance, so that no guess helps (decisions 10, 30). A "
    "Heartbeat is the call itself, its id and three objects. Tried beside what decision 10 lists: sharing (shown in brackets), release in one pass (the last 6 %), a second guess of keys"
)
WHY_STEPS = "msgspec's second step costs a large frame little, so that this asks for 0.55 of its typed time where 0.60 is asked above; the same frames miss it for the same reasons"
WHY_ERROR = (
    "of what a refused frame costs beyond its walk, CPython's exception, its release, `str()` and the three attributes are half (the profile's second table: allocator and CPython, 6,000 to 8,000 "
    "instructions); a small frame's target leaves less than that for all of ours. Tried: work remembered in Python, the exception made natively, the sentence put together natively (decision 5)"
)
WHY_ORDER = (
    "a key that was not guessed is looked up by its name, and in an order of its own each one is, behind a guess that failed and a branch that nobody can foresee. No station writes so. Tried: a second "
    "guess, guesses that are given up for senders without order, one kind of site for keys and pairs (decision 30)"
)
WHY_SHAPE = (
    "where each optional field comes or stays away by the toss of a coin, half of the guesses fail, and each failure is a branch that nobody can foresee; the usual walk has gained since, this one has not, so "
    "that it lies about 2 now. Senders whose fields depend on the place in a list are met by the memory by place. Tried: a second guess, sites found by a key's first bytes, the pair behind a key that was "
    "looked up (decision 30)"
)
WHY_PRETTY = (
    "a pretty Heartbeat has 1.25 times the bytes and none of the head's shapes that are read in one go; by bytes it is below 2 (the section of `benches.paths`). Tried: guesses in lines within the usual "
    "walk (every usual frame pays 10 %), guesses behind white space (kept), sixteen bytes of indent at a time (kept; decision 30)"
)
WHY_BATCH = (
    "`decode_many` saves the loop, the call and the `append`, 15 to 25 ns a frame; the rest of a BootNotification is making the same objects either way. The share was met before CPython called `decode` "
    "the short way, which made the loop faster. Tried: one pass over the list, no iterator, the frames read where they lie (decision 21)"
)
WHY_COLUMNS = (
    "TransactionEvents lie at the bound: 8.9 to 11.2 in six runs of one day, by how fast the machine is for orjson's many small objects (1.35 to 2.4 s of it); MeterValues 9.8 to 13.1. Of our time the walk takes two "
    "thirds, a fifth is the kernel's, which copies the file and gives pages to the columns. Tried: blocks that stay in the cache, cells gathered column by column (both kept), room for the next batch and columns "
    "extended without asking for room (0.6 % fewer instructions, dropped)"
)
WHY_THREADS = (
    "two threads win about as much as two that share nothing do on this machine (*ceiling* in the section of `benches.batch`: 1.5 to 1.6); the processor's time on two is 1.0 to 1.2 of that on one. Tried: tables of each "
    "thread's own, parts taken one by one, threads only for 128 KiB and more (decision 21)"
)

TARGETS = (
    Target(
        "typed_apart_mean", "paths", f"decode / msgspec typed and told the action, {APART}, {SIX}", 0.50, why=WHY_TYPED
    ),
    Target("typed_apart", "paths", f"the same, {WORST}", 0.60, why=WHY_TYPED),
    Target("two_steps_apart_mean", "paths", f"decode / msgspec in two steps, {APART}, {SIX}", 0.33, why=WHY_STEPS),
    Target("two_steps_apart", "paths", f"the same, {WORST}", 0.40, why=WHY_STEPS),
    Target("typed_mean", "decode", f"decode / msgspec typed, leaves shared, {SIX}", 0.50, counts=False),
    Target("typed", "decode", f"the same, {WORST}", 0.60, counts=False),
    Target("two_steps_mean", "decode", f"decode / msgspec in two steps, leaves shared, {SIX}", 0.33, counts=False),
    Target("two_steps", "decode", f"the same, {WORST}", 0.40, counts=False),
    Target("typed_distinct_mean", "paths", f"decode / msgspec typed, {DISTINCT}, {SIX}", 0.50, counts=False),
    Target("typed_distinct", "paths", f"the same, {WORST}", 0.60, counts=False),
    Target("two_steps_distinct_mean", "paths", f"decode / msgspec in two steps, {DISTINCT}, {SIX}", 0.33, counts=False),
    Target("two_steps_distinct", "paths", f"the same, {WORST}", 0.40, counts=False),
    Target(
        "typed_alphabetical", "paths", f"decode / msgspec typed, keys in alphabetical order, compact, {WORST}", 0.60
    ),
    Target("typed_shuffled", "paths", f"decode / msgspec typed, every object shuffled, compact, {WORST}", 0.85),
    Target("requests_worst", "messages", "decode / msgspec in two steps, the worst full request of all versions", 0.6),
    Target("requests_mean", "messages", "the same, geometric mean of all requests", 0.4),
    Target("floor_mean", "messages", f"decode / allocating the same tree in C, {SIX}", 1.5),
    Target("validate_orjson", "paths", f"validate / orjson.loads, {SIX}", 0.16),
    Target("syntax_mean", "core", f"validate in Rust / serde_json's IgnoredAny, {SIX}", 0.55),
    Target("speed_least", "core", "validate in Rust, the slowest kind of more than 200 B", 1.4, False, " GB/s"),
    Target("peek_small", "paths", "peek / msgspec's envelope with Raw, 60 B", 0.5),
    Target("peek_large", "paths", "peek / msgspec's envelope with Raw, 3 kB", 0.05),
    Target("encode_mean", "encode", f"encode, which validates / msgspec.json.encode of its own Structs, {SIX}", 0.50),
    Target(
        "error_accept",
        "paths",
        f"a late fault, type, pointer, offset and text read / accepting: {LARGE}",
        1.5,
        why=WHY_ERROR,
    ),
    Target(
        "error_msgspec", "paths", "the same / msgspec typed and its text: the three small kinds", 0.75, why=WHY_ERROR
    ),
    Target("not_ascii", "paths", "decode / msgspec typed, texts not ASCII, the worst of kinds that have texts", 0.9),
    Target("escapes", "paths", "decode / msgspec typed, texts with \\uXXXX, the worst of kinds that have texts", 0.9),
    Target("text_input", "paths", f"decode of str / of bytes, {WORST}", 1.1),
    Target("cliff_order", "paths", f"decode, every object in an order of its own / usual, {WORST}", 2.0, why=WHY_ORDER),
    Target(
        "cliff_shape", "paths", "decode, optional fields come and go / usual, per byte, the worst", 2.0, why=WHY_SHAPE
    ),
    Target("cliff_vendor", "paths", "decode of a vendor's own messages / built-in ones, the worst", 2.0),
    Target("cliff_error", "paths", f"refusing in the middle, all read / accepting: {LARGE}", 2.0),
    Target("cliff_pretty", "paths", f"decode, pretty-printed by two blanks / usual, {WORST}", 2.0, why=WHY_PRETTY),
    Target(
        "batch_small",
        "batch",
        "decode_many / a loop of decode, the worst of the three small kinds",
        0.85,
        why=WHY_BATCH,
    ),
    Target("batch_large", "batch", f"the same, the worst of {LARGE}", 1.0),
    Target(
        "batch_threads",
        "batch",
        f"validate_many on two threads, times as fast as on one, the worst of {LARGE}",
        1.7,
        False,
        why=WHY_THREADS,
    ),
    Target(
        "columns",
        "columns",
        "a log's sampled values into Arrow, times as fast as orjson and pyarrow",
        10.0,
        False,
        why=WHY_COLUMNS,
    ),
    Target("python_backend", "peers", f"Python backend's decode / PyPI `ocpp`: {LARGE}", 1 / 6),
    Target("slowest_path", "peers", f"ocppcore, any path / PyPI `ocpp`, {WORST}", 1.0),
    Target("compat_small", "compat", "accelerated `ocpp`, times as fast, the worst of three small kinds", 5.0, False),
    Target("compat_large", "compat", f"accelerated `ocpp`, times as fast: {LARGE}", 20.0, False),
    Target("import_package", "footprint", "`import ocppcore` beyond `import msgspec`", 5.0, unit=" ms"),
    Target("import_version", "footprint", "importing a version, the slowest", 15.0, unit=" ms"),
    Target("memory_version", "footprint", "resident memory of a version with its codec, the largest", 5.0, unit=" MB"),
    Target("message_size", "footprint", f"a decoded message / msgspec's, {WORST}", 1.0),
    Target("extension_size", "footprint", "the extension module, stripped", 3.0, unit=" MB"),
    Target("build_time", "footprint", "release build on two cores", 120.0, unit=" s"),
)
