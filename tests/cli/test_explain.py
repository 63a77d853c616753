"""`ocppcore explain` and `ocppcore rule`: carets under what is meant, the forms of reports, and what must not show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from ocppcore import _rules
from ocppcore.cli.excerpt import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]

FRAMES = (
    '[2,"1","BootNotification",{"chargePointVender":"x","chargePointModel":"y"}]\n'
    '[2,"2","Authorize",{"idTag":"漢字-SECRET-0123456789-TOKEN"}]\n'
    '[2,"3","StatusNotification",{"connectorId":0,"errorCode":"NoError","status":"Charging"}]\n'
    '[2,"4","Heartbeat",{}]\n'
).encode()
ARGUMENTS = ("explain", "--ocpp", "1.6", "--layout", "frames", "-")


def test_the_text_points_at_the_bytes_and_says_what_was_meant(run: Run) -> None:
    said = run(*ARGUMENTS, input=FRAMES)
    assert said.exit_code == 1
    lines = said.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "unknown_key" in line)
    assert lines[at + 1].index('"chargePointVender"') == lines[at + 2].index("^")
    assert lines[at + 2].count("^") == len('"chargePointVender"')
    assert "did you mean: chargePointVendor" in lines[at + 3]
    assert any("warning[station_status] /status" in line for line in lines)
    assert "3 errors, 2 warnings" in said.stderr  # the idTag is too long, and no ASCII


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)])
def test_advice_is_a_finding_where_it_is_asked_to_be(run: Run, fail_on: str, code: int) -> None:
    frame = FRAMES.splitlines()[2]
    assert run(*ARGUMENTS, "--fail-on", fail_on, input=frame).exit_code == code
    assert run(*ARGUMENTS, "--fail-on", fail_on, "--no-advice", input=frame).exit_code == 0
    assert run(*ARGUMENTS, "--fail-on", fail_on, "--no-advice", input=frame).stdout == ""


@pytest.mark.parametrize("form", ["text", "json", "markdown", "junit", "sarif"])
def test_redacting_shows_no_token_in_any_form(run: Run, form: str) -> None:
    assert "SECRET" in run(*ARGUMENTS, "--format", form, input=FRAMES).stdout
    hidden = run(*ARGUMENTS, "--format", form, "--redact", input=FRAMES).stdout
    assert "SECRET" not in hidden
    assert "chargePointVender" in hidden


def test_junit_has_a_case_per_frame_and_fails_the_faulty(run: Run) -> None:
    suite = ElementTree.fromstring(run(*ARGUMENTS, "--format", "junit", input=FRAMES).stdout)[0]
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {
        "line 1: CALL BootNotification": ["failure", "failure"],
        "line 2: CALL Authorize": ["failure"] + ["system-out"] * (len(cases["line 2: CALL Authorize"]) - 1),
        "line 3: CALL StatusNotification": ["system-out"],
        "line 4: CALL Heartbeat": [],
    }


def test_sarif_names_the_rules_and_the_lines(run: Run) -> None:
    log = json.loads(run(*ARGUMENTS, "--format", "sarif", input=FRAMES).stdout)
    (told,) = log["runs"]
    known = {rule["id"] for rule in told["tool"]["driver"]["rules"]}
    assert known == {rule.id for rule in _rules.catalogue()}
    places = [
        (result["ruleId"], result["level"], result["locations"][0]["physicalLocation"]["region"]["startLine"])
        for result in told["results"]
    ]
    assert ("unknown_key", "error", 1) in places
    assert ("station_status", "warning", 3) in places
    assert all(rule in known for rule, _, _ in places)


def test_sarif_names_inputs_by_uris(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "a day<1>%.log"
    log.write_bytes(b'[2,"1","Heartbeat",{"hello":1}]\n')
    said = json.loads(run("explain", "--ocpp", "1.6", log, "--format", "sarif").stdout)
    uri = said["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.endswith("/a%20day%3C1%3E%25.log")


def test_json_has_all_there_is_to_say(run: Run) -> None:
    first = json.loads(run(*ARGUMENTS, "--format", "json", input=FRAMES).stdout.splitlines()[0])["findings"][0]
    assert (first["rule"], first["severity"], first["suggestion"]) == ("unknown_key", "error", "chargePointVendor")
    assert (first["offset"], first["end"]) == (27, 46)
    assert first["section"].startswith("OCPP-J 1.6")
    assert first["fix"].startswith("Mend the spelling")


def test_markdown_quotes_the_frame(run: Run) -> None:
    said = run(*ARGUMENTS, "--format", "markdown", input=FRAMES).stdout
    assert "\n## <stdin>:1: CALL BootNotification\n" in said.replace("\\", "")
    assert "**error** `unknown_key` at `/chargePointVender`" in said
    assert '    [2,"1","BootNotification",{"chargePointVender"' in said


def test_an_excerpt_is_one_short_line_and_moves_no_cursor() -> None:
    data = b'[2,"' + b"a" * 500 + b'\x1b[2J\xff","' + "漢字".encode() + b'"' + b"z" * 500
    start = data.index("漢".encode())
    part = excerpt(data, start, start + 6)
    assert part.marked == "漢字"
    assert part.text.isprintable()
    assert len(part.text) <= 96
    assert part.carets.endswith("^^^^")
    assert len(excerpt(data, 4, 504).text) <= 96
    assert excerpt(b"[2", 2, 2).carets == "  ^"
    assert excerpt(b'{"a":"bcd","e":1}', 11, 14, [(5, 10)]).before == '{"a":•••,'


def test_a_rule_is_told_by_its_id_and_all_are_listed(run: Run) -> None:
    told = run("rule", "tx_profile_transaction")
    assert told.exit_code == 0
    assert "K01.FR.03" in told.stdout
    listed = run("rule").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [rule.id for rule in _rules.catalogue()]
    only = run("rule", "--tier", "spec", "--ocpp", "1.6", "--format", "json").stdout.splitlines()
    assert all("1.6" in json.loads(line)["section"] for line in only)
    assert len(only) > 15
    unknown = run("rule", "tx_profile_transation")
    assert unknown.exit_code == 2
    assert "did you mean 'tx_profile_transaction'?" in unknown.stderr
