"""The forms in which `ocppcore explain` tells findings: text with carets, JSON lines, Markdown, JUnit XML, SARIF.

Each is written as frames are read, so that memory does not grow with them.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import click
import msgspec

from .. import __version__, _rules
from .._errors import expectation_of
from .excerpt import Excerpt, excerpt
from .output import finding, head, place, plain, sound

if TYPE_CHECKING:
    from .._errors import Finding
    from .._versions import Version
    from ..log.conversation import Outcome
    from ..log.layouts import Record
    from .output import Writer

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Told(NamedTuple):
    """A frame and what there is to tell of it. `hidden` are the bytes that must not show."""

    source: str
    version: Version
    record: Record
    outcome: Outcome
    findings: tuple[Finding, ...]
    hidden: list[tuple[int, int]]

    @property
    def name(self) -> str:
        """What the frame is: CALL BootNotification."""
        parts = ((self.outcome.kind or "frame").upper(), self.outcome.action)
        return plain(" ".join(part for part in parts if part))

    def excerpt(self, found: Finding) -> Excerpt | None:
        """The part of the frame that a finding is about."""
        if found.offset is None:
            return None
        return excerpt(self.record.data, found.offset, found.end or found.offset, self.hidden)


class Report(Protocol):
    """One form. `frame` is called for every frame, also for one that nothing is said of."""

    def begin(self) -> None: ...
    def frame(self, told: Told) -> None: ...
    def end(self) -> None: ...


class TextReport:
    """For people: each finding with its place in the frame, what was meant, and where the standard says so."""

    def __init__(self, writer: Writer) -> None:
        self._line = writer.line

    def begin(self) -> None:
        pass

    def frame(self, told: Told) -> None:
        if not told.findings:
            return
        self._line(f"{click.style(place(told.source, told.record), bold=True)}: {told.name}")
        for found in told.findings:
            self._finding(told, found)

    def _finding(self, told: Told, found: Finding) -> None:
        colour = _COLOURS[found.severity]
        mark = click.style(f"{found.severity}[{found.rule}]", fg=colour, bold=True)
        where = sound(found.path) or "the frame"
        self._line(f"  {mark} {click.style(where, bold=True)}: {found.says}")
        part = told.excerpt(found)
        if part is not None:
            marked = click.style(part.marked, fg=colour, bold=True)
            self._line(f"    {click.style('|', dim=True)} {part.before}{marked}{part.after}")
            self._line(f"    {click.style('|', dim=True)} {click.style(part.carets, fg=colour)} byte {found.offset}")
        for name, text in _notes(found):
            self._line(f"    {click.style('=', dim=True)} {name}: {sound(text)}")

    def end(self) -> None:
        pass


class JsonReport:
    """One JSON object per line and frame."""

    def __init__(self, writer: Writer) -> None:
        self._object = writer.object

    def begin(self) -> None:
        pass

    def frame(self, told: Told) -> None:
        if told.findings:
            line = head(told.source, told.version.number, told.record, told.outcome)
            line["findings"] = [finding(found) for found in told.findings]
            self._object(line)

    def end(self) -> None:
        pass


class MarkdownReport:
    """For a ticket: one section per frame."""

    def __init__(self, writer: Writer) -> None:
        self._line = writer.line

    def begin(self) -> None:
        self._line("# What is wrong with these frames")

    def frame(self, told: Told) -> None:
        if not told.findings:
            return
        self._line(f"\n## {_escaped(place(told.source, told.record))}: {_escaped(told.name)}")
        for found in told.findings:
            self._line(
                f"\n**{found.severity}** `{found.rule}` at `{_code(sound(found.path) or 'the frame')}`: {found.says}\n"
            )
            part = told.excerpt(found)
            if part is not None:
                self._line(f"    {part.text}\n    {part.carets} byte {found.offset}\n")
            for name, text in _notes(found):
                self._line(f"- {name}: {_escaped(sound(text))}")

    def end(self) -> None:
        pass


class JunitReport:
    """For continuous integration: a test case per frame, which fails where a strict decode refuses it."""

    def __init__(self, writer: Writer) -> None:
        self._line = writer.line

    def begin(self) -> None:
        self._line('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites><testsuite name="ocppcore explain">')

    def frame(self, told: Told) -> None:
        name = f"line {told.record.line}: {told.name}"
        case = f"<testcase classname={_attribute(told.source)} name={_attribute(name)}"
        if not told.findings:
            self._line(f"{case}/>")
            return
        self._line(f"{case}>")
        for found in told.findings:
            tag = "failure" if found.severity == "error" else "system-out"
            kind = f" type={_attribute(found.rule)} message={_attribute(found.says)}" if tag == "failure" else ""
            self._line(f"<{tag}{kind}>{_xml(f'{found.severity} {found.rule}: {sound(found.text)}')}</{tag}>")
        self._line("</testcase>")

    def end(self) -> None:
        self._line("</testsuite></testsuites>")


class SarifReport:
    """SARIF 2.1.0, which code hosts and editors show beside the lines."""

    def __init__(self, writer: Writer) -> None:
        self._line = writer.line
        self._comma = ""

    def begin(self) -> None:
        self._line('{"version":"2.1.0","$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{"results":[')

    def frame(self, told: Told) -> None:
        for found in told.findings:
            self._line(self._comma + msgspec.json.encode(self._result(told, found)).decode())
            self._comma = ","

    def _result(self, told: Told, found: Finding) -> dict[str, Any]:
        region: dict[str, Any] = {"startLine": told.record.line}
        part = told.excerpt(found)
        if part is not None:
            region["snippet"] = {"text": part.text}
        place = {"artifactLocation": {"uri": quote(sound(told.source).replace(os.sep, "/"))}, "region": region}
        properties = {"path": sound(found.path), "offset": found.offset, "end": found.end, "code": found.code}
        return {
            "ruleId": found.rule,
            "level": _LEVELS[found.severity],
            "message": {"text": sound(found.text)},
            "locations": [{"physicalLocation": place}],
            "properties": properties | {"suggestion": found.suggestion, "section": found.section},
        }

    def end(self) -> None:
        rules = [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "fullDescription": {"text": rule.why},
                "help": {"text": rule.fix},
                "defaultConfiguration": {"level": _LEVELS[rule.severity]},
            }
            for rule in _rules.catalogue()
        ]
        driver = {"name": "ocppcore", "version": __version__, "rules": rules}
        self._line(f'],"tool":{msgspec.json.encode({"driver": driver}).decode()}' + "}]}")


REPORTS: dict[str, type[TextReport | JsonReport | MarkdownReport | JunitReport | SarifReport]] = {
    "text": TextReport,
    "json": JsonReport,
    "markdown": MarkdownReport,
    "junit": JunitReport,
    "sarif": SarifReport,
}


def _notes(found: Finding) -> list[tuple[str, str]]:
    """What else there is to say of a finding, by name."""
    reply = found.reply()
    answer = "none" if reply is None else f"{type(reply).__name__.upper()} {found.code}"
    notes = [
        ("did you mean", found.suggestion),
        ("expected", expectation_of(found)),
        ("found", found.found),
        ("fix", found.fix),
        ("section", found.section),
        ("answer", answer if found.severity == "error" else None),
    ]
    return [(name, text) for name, text in notes if text]


def _escaped(text: str) -> str:
    """Text in Markdown: nothing in it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", text)


def _code(text: str) -> str:
    return text.replace("`", "'")


def _xml(text: str) -> str:
    from xml.sax.saxutils import escape

    return escape(_NO_XML.sub("?", text))


def _attribute(text: str) -> str:
    return quoteattr(_NO_XML.sub("?", sound(text)))
