"""Several faults in one payload: single-fault mutants of one instance, put together where they do not touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .emit import Pairs, Raw, emit
from .frames import framed, pending_for

if TYPE_CHECKING:
    from random import Random

    from .model import Payload
    from .mutants import Mutant


class Clash(Exception):
    """Two changes of the same value."""


def merged(original: Any, one: Any, other: Any) -> Any:
    """A tree with the changes of both; Clash where both change a value that holds no values, or a list's length."""
    if one is original:
        return other
    if other is original:
        return one
    if any(isinstance(tree, (Pairs, Raw)) for tree in (original, one, other)):
        raise Clash
    if all(isinstance(tree, dict) for tree in (original, one, other)):
        names = dict.fromkeys((*original, *one, *other))
        result: dict[str, Any] = {}
        for name in names:
            there = [tree[name] for tree in (one, other) if name in tree]
            if name not in original:
                if len(there) == 2:
                    raise Clash
                result[name] = there[0]
            elif len(there) == 2:
                result[name] = merged(original[name], *there)
            elif there[:1] != [original[name]] or there[0] is not original[name]:
                raise Clash  # changed here and removed there
        return result
    if all(isinstance(tree, list) for tree in (original, one, other)) and len(original) == len(one) == len(other):
        return [merged(*items) for items in zip(original, one, other, strict=True)]
    raise Clash


def combined(original: Any, mutants: list[Mutant], count: int, rng: Random) -> tuple[Any, list[Mutant]]:
    """A tree with `count` faults, fewer where the instance has no room for them, and the faults."""
    order = mutants[:]
    rng.shuffle(order)
    tree, chosen = original, []
    for mutant in order:
        if len(chosen) == count:
            break
        try:
            # A fault in an object that another one replaces, or the other way round, hides it.
            if any(_nested(mutant.path, other.path) for other in chosen):
                continue
            tree = merged(original, tree, mutant.tree)
        except Clash:
            continue
        chosen.append(mutant)
    return tree, chosen


def _nested(one: str, other: str) -> bool:
    return one == other or f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def disagreement(codec: Any, payload: Payload, tree: Any, mutants: list[Mutant], *, alone: bool) -> str | None:
    """What explain gets wrong about a payload with these faults: each must be told by its rule, at its pointer and byte; None when all are.

    `alone`: nothing else may be told.
    """
    places: set[tuple[str, str, int]] = set()
    text = b""
    for mutant in mutants:
        text, offset = emit(tree, None, mutant.spot)
        assert offset is not None  # a mutant tells its place
        places.add((mutant.kind, mutant.path, offset))
    frame = framed(payload, text)
    before = len(frame) - 1 - len(text)
    findings = codec.explain(frame, pending_for(payload), advice=False)
    told = {(finding.rule, finding.path, finding.offset - before) for finding in findings}
    if mutants[0].kind == "depth":  # the frame's own bracket counts too: the fault comes a bracket earlier
        told, places = {(*one[:2], 0) for one in told}, {(*one[:2], 0) for one in places}
    if places <= told and (not alone or places == told):
        return None
    names = ", ".join(mutant.name for mutant in mutants)
    return f"{payload} ({names}): told {sorted(told)}, should tell {sorted(places)}\n    {frame[:400]!r}"
