"""The graded policy: what is done about each broken rule, as data.

A policy is a list of entries. Each says for which rules, actions, places and directions it holds, and what is done there:

    refuse    the message is refused, as a strict codec would
    report    the value is kept as it came, and a finding tells of it
    repair    a declared rewrite is made, and a finding holds the original
    ignore    the value is kept as it came, and nobody is told

The last entry that matches decides; a repair that cannot be made leaves the decision to the entry before it. Where none matches the message is
refused. A policy is looked at only after a strict check has failed.

Rules of the specification tier advise: an entry holds for them when it names them, and where none does nothing is done about them. A codec whose
policy names some looks for them in every message that they may hold for (`_spec_tier.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, cast, get_args

import msgspec

from . import _versions
from ._repairs import REPAIRS

if TYPE_CHECKING:
    from collections.abc import Iterator

Verdict = Literal["refuse", "report", "repair", "ignore"]
Direction = Literal["in", "out", "both"]

_VERDICTS: tuple[str, ...] = get_args(Verdict)
_DIRECTIONS: tuple[str, ...] = get_args(Direction)

TRANSACTION = "@transaction"
"""As an action: every message that belongs to a charging transaction, by the version's own list."""

SPEC = "@spec"
"""As a rule: every rule of the specification tier, which "*" does not mean."""

_ANY, _ANYWHERE = ("*",), ("**",)


def checked_names(what: str, names: object, known: Iterable[str] | None = None) -> tuple[str, ...]:
    """One name or several, as a tuple."""
    given = (names,) if isinstance(names, str) else names
    if not isinstance(given, (list, tuple)) or not given:
        raise ValueError(f"policy: {what} must be a name or a list of names, not {names!r}")
    result: list[str] = []
    for name in cast("Iterable[object]", given):
        if not isinstance(name, str):
            raise ValueError(f"policy: {what} must be a str or a list of them, not {name!r}")
        if known is not None and name != "*" and name not in known:
            raise ValueError(f"policy: unknown {what} {name!r}; {_versions.near(name, known)}")
        result.append(name)
    return tuple(result)


class PolicyRule(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a policy.

    - `rule`: the kinds of fault it is for, "*" for all; rules of the specification tier by their ids ("int32"), "@spec" for all of those
    - `action`: patterns of actions, `*` for any text, "@transaction" for the messages of a transaction
    - `pointer`: patterns of JSON pointers into the payload, by wire names: `*` for any text within a step, `**` for any steps; "" is the frame itself
    - `direction`: "in" (decode), "out" (encode) or "both"
    - `verdict`: "refuse", "report", "repair" or "ignore"
    - `repair`: the rewrites to make, in order, for the verdict "repair"; `values` is what "replace" goes by
    - `reason`, `source`: why it stands there, and where it was seen
    """

    rule: tuple[str, ...] = ("*",)
    action: tuple[str, ...] = ("*",)
    pointer: tuple[str, ...] = ("**",)
    direction: Direction = "both"
    verdict: Verdict
    repair: tuple[str, ...] = ()
    values: dict[str, str] = {}
    reason: str = ""
    source: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> PolicyRule:
        """An entry as TOML gives it; ValueError that says what to change."""
        kinds = _versions.errors()["kinds"]
        unknown = set(entry) - set(cls.__struct_fields__)
        if unknown:
            name = min(unknown)
            raise ValueError(f"policy: unknown setting {name!r}; {_versions.near(name, cls.__struct_fields__)}")
        if "verdict" not in entry:
            raise ValueError(f"policy: an entry needs its verdict, one of {', '.join(_VERDICTS)}: {dict(entry)!r}")
        verdict, direction = entry["verdict"], entry.get("direction", "both")
        for what, value, allowed in (("verdict", verdict, _VERDICTS), ("direction", direction, _DIRECTIONS)):
            if value not in allowed:
                raise ValueError(f"policy: {what} is one of {', '.join(allowed)}, not {value!r}")
        rule = _checked_rules(entry.get("rule", "*"), kinds)
        pointer = checked_names("pointer", entry.get("pointer", "**"))
        for pattern in pointer:
            if pattern and not pattern.startswith(("/", "**")):
                raise ValueError(f"policy: a pointer begins with / or **, or is empty for the frame; not {pattern!r}")
        repair = checked_names("repair", entry["repair"], REPAIRS) if "repair" in entry else ()
        if (verdict == "repair") != bool(repair):
            raise ValueError(
                f'policy: name the repairs of the verdict "repair", and of no other: {", ".join(REPAIRS)}'
                f" (verdict {verdict!r}, repair {repair!r})"
            )
        if repair and (advising := [name for name in rule if name != "*" and name not in kinds]):
            raise ValueError(
                f"policy: no repair serves {', '.join(advising)}: rules of the specification tier can be refused, reported or ignored"
            )
        for name in repair:
            serves = REPAIRS[name].serves
            if "*" not in rule and not serves & set(rule):
                raise ValueError(
                    f"policy: the repair {name!r} serves {', '.join(sorted(serves))}, not {', '.join(rule)}"
                )
        values = entry.get("values", {})
        if not _is_whose_strings(values) or ("replace" in repair) != bool(values):
            raise ValueError(
                'policy: the repair "replace", and no other, needs `values`, a table of strings: {Celcius = "Celsius"}'
            )
        texts = {name: entry.get(name, "") for name in ("reason", "source")}
        for name, text in texts.items():
            if not isinstance(text, str):
                raise ValueError(f"policy: {name} must be a str, not {text!r}")
        return cls(
            rule=rule,
            action=checked_names("action", entry.get("action", "*")),
            pointer=pointer,
            direction=direction,
            verdict=verdict,
            repair=repair,
            values=dict(values),
            **texts,
        )

    def is_for(self, action: str, transaction: bool, direction: Literal["in", "out"]) -> bool:
        """Whether it is for a message and a direction."""
        if self.direction != "both" and self.direction != direction:
            return False
        return self.action == _ANY or any(
            transaction if pattern == TRANSACTION else glob_of(pattern).fullmatch(action) for pattern in self.action
        )

    def holds_for(self, action: str, transaction: bool, pointer: str, direction: Literal["in", "out"]) -> bool:
        """Whether it is for a message, a place in it, and a direction."""
        if not self.is_for(action, transaction, direction):
            return False
        return self.pointer == _ANYWHERE or any(pointer_glob_of(pattern).fullmatch(pointer) for pattern in self.pointer)


def _checked_rules(names: object, kinds: Mapping[str, Any]) -> tuple[str, ...]:
    """Kinds of fault, and rules of the specification tier, whose table is read only where one is named."""
    rules = checked_names("rule", names)
    if all(name == "*" or name in kinds for name in rules):
        return rules
    return checked_names("rule", rules, (*kinds, SPEC, *_versions.rules()["spec"]))


def _is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_whose_strings(value: object) -> TypeGuard[Mapping[str, str]]:
    return _is_table(value) and all(isinstance(text, str) for pair in value.items() for text in pair)


@cache
def glob_of(pattern: str) -> re.Pattern[str]:
    """A pattern in which `*` is any text."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


@cache
def pointer_glob_of(pattern: str) -> re.Pattern[str]:
    """A pattern of pointers: `**` is any text, so that `**/unit` is that field wherever it is; `*` is any text within a step."""
    parts = ("[^/]*".join(map(re.escape, part.split("*"))) for part in pattern.split("**"))
    return re.compile(".*".join(parts), re.DOTALL)


class _Preset:
    """A policy that the package brings along; it is read when it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type[Policy]) -> Policy:
        return _preset(self._name)


class Policy:
    """What to do about each broken rule: an immutable list of entries, of which the last that matches decides.

        codec = Codec("ocpp1.6").extend(policy=Policy.tolerant)
        result = codec.decode_with_findings(data)

    - `Policy.strict` refuses everything that breaks a rule; a codec without a policy does the same.
    - `Policy.tolerant` accepts what stations in the field are known to send, those of transactions furthest.
    - `Policy.observe` refuses nothing: what fits is typed, what does not comes untyped.

    None of them names a rule of the specification tier: `Policy([{"rule": "@spec", "verdict": "report"}])` tells of all of those.

    `policy | other` is a policy in which the other's entries come later, and so decide where both match. `Policy.from_toml` reads one, and
    `str(policy)` writes it. ValueError says what to change in an entry.
    """

    __slots__ = ("_by_kind", "rules")

    if TYPE_CHECKING:
        rules: tuple[PolicyRule, ...]
        _by_kind: dict[str, tuple[PolicyRule, ...]]

    strict = _Preset("strict")
    tolerant = _Preset("tolerant")
    observe = _Preset("observe")

    def __init__(self, rules: Iterable[PolicyRule | Mapping[str, Any]] = ()) -> None:
        object.__setattr__(self, "rules", tuple(map(_checked_rule, rules)))
        object.__setattr__(self, "_by_kind", {})

    @classmethod
    def from_toml(cls, text: str) -> Policy:
        """The policy that a TOML text holds as tables `[[rule]]`, each with the settings of PolicyRule."""
        return cls(read_toml(text, "rule"))

    def entries(
        self, kind: str, action: str, transaction: bool, pointer: str, direction: Literal["in", "out"]
    ) -> Iterator[PolicyRule]:
        """The entries that hold for a fault, the deciding one first. `transaction` tells whether the message belongs to one.

        `kind` may be a rule of the specification tier.
        """
        found = self._by_kind.get(kind)
        if found is None:
            every = "*" if kind in _versions.errors()["kinds"] else SPEC
            found = tuple(rule for rule in reversed(self.rules) if every in rule.rule or kind in rule.rule)
            self._by_kind[kind] = found
        return (rule for rule in found if rule.holds_for(action, transaction, pointer, direction))

    @property
    def names_spec_rules(self) -> bool:
        """Whether an entry is for rules of the specification tier."""
        kinds = _versions.errors()["kinds"]
        return any(name != "*" and name not in kinds for rule in self.rules for name in rule.rule)

    def __or__(self, other: object) -> Policy:
        if not isinstance(other, Policy):
            return NotImplemented
        return Policy((*self.rules, *other.rules))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.rules == other.rules

    def __hash__(self) -> int:
        return hash(len(self.rules))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a policy never changes: make another one with policy | other")

    def __str__(self) -> str:
        return "\n".join(map(as_toml, self.rules))

    def __repr__(self) -> str:
        return f"Policy(<{len(self.rules)} rule{'' if len(self.rules) == 1 else 's'}>)"

    def __reduce__(self) -> tuple[Any, ...]:
        return Policy, (self.rules,)


def check_actions(policy: Policy, own: Mapping[str, Any]) -> None:
    """ValueError for an entry that can never hold, since no version has its action, nor has the codec: a name mistyped.

    What a version does not know may stand in an entry for faults of the frame, "action_unknown" say: there it means something.
    """
    kinds = _versions.errors()["kinds"]
    for rule in policy.rules:
        of_frames = any(name == "*" or kinds.get(name, {}).get("scope", "payload") != "payload" for name in rule.rule)
        if of_frames or any("*" in action or action == TRANSACTION or action in own for action in rule.action):
            continue
        known = {*own, *_versions.actions()}
        if not known & set(rule.action):
            name = rule.action[0]
            raise ValueError(
                f"policy: unknown action {name!r}; {_versions.near(name, known)}"
                " (an action of your own is given to extend with the policy, or before it)"
            )


def _checked_rule(rule: object) -> PolicyRule:
    if isinstance(rule, PolicyRule):
        return PolicyRule.of(
            {name: value for name, value in msgspec.structs.asdict(rule).items() if value or name == "pointer"}
        )
    if _is_table(rule):
        return PolicyRule.of(rule)
    raise TypeError(f"a policy is made of PolicyRules or dicts, not of {type(rule).__name__}")


def read_toml(text: str, table: str) -> list[Mapping[str, Any]]:
    """The tables `[[table]]` of a TOML text; ValueError when it holds anything else."""
    import tomllib  # for policies only

    whose = "quirks" if table == "profile" else "policy"
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{whose}: not valid TOML: {error}") from None
    found = tables.pop(table, [])
    if tables or not isinstance(found, list):
        others = ", ".join(sorted(tables)) or f"{table} = ..."
        raise ValueError(f"{whose}: it holds tables [[{table}]] alone, not {others}")
    return cast("list[Mapping[str, Any]]", found)


def as_toml(rule: PolicyRule, table: str = "rule") -> str:
    """An entry as a TOML table; what stands for itself is left out."""
    lines = [f"[[{table}]]"]
    for field in msgspec.structs.fields(rule):
        value: Any = getattr(rule, field.name)
        if value == field.default:
            continue
        if field.name == "values":
            if rule.values:
                pairs = ", ".join(f"{toml_string(key)} = {toml_string(text)}" for key, text in rule.values.items())
                lines.append(f"{field.name} = {{ {pairs} }}")
        elif isinstance(value, tuple):
            names = [toml_string(name) for name in cast("tuple[str, ...]", value)]
            lines.append(f"{field.name} = {names[0] if len(names) == 1 else '[' + ', '.join(names) + ']'}")
        else:
            lines.append(f"{field.name} = {toml_string(value)}")
    return "\n".join(lines) + "\n"


def toml_string(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but for DEL."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")


@cache
def _preset(name: str) -> Policy:
    return Policy.from_toml(preset_text(name))


def preset_text(name: str) -> str:
    """A TOML file that the package brings along."""
    import pkgutil  # reads from wheels, trees and zip files alike

    text = pkgutil.get_data("ocppcore", f"_policies/{name}.toml")
    if text is None:
        raise ImportError(f"ocppcore/_policies/{name}.toml cannot be read: the package is installed without its data")
    return text.decode()
