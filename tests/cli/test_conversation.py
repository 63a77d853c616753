"""Answers are typed by their calls, per station, and nothing piles up."""

from __future__ import annotations

import pytest

from ocppcore import Codec, v16
from ocppcore.log import conversation
from ocppcore.log.conversation import Conversation


@pytest.fixture
def talk(backend: str) -> Conversation:
    return Conversation(Codec("ocpp1.6", backend=backend))


def test_an_answer_is_typed_by_its_call_and_only_once(talk: Conversation) -> None:
    talk.read(b'[2,"1","Heartbeat",{}]', "A")
    first = talk.read(b'[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]', "A")
    assert isinstance(first.frame.payload, v16.HeartbeatResponse)
    assert (first.kind, first.id, first.action, first.typed) == ("callresult", "1", "Heartbeat", True)
    again = talk.read(b'[3,"1",{"anything":0}]', "A")
    assert (again.action, again.typed, again.error) == (None, False, None)


def test_the_same_id_of_another_station_is_another_call(talk: Conversation) -> None:
    talk.read(b'[2,"1","Heartbeat",{}]', "A")
    assert not talk.read(b'[3,"1",{}]', "B").typed
    error = talk.read(b'[3,"1",{}]', "A").error
    assert error is not None
    assert (error.kind, error.path, error.action) == ("missing", "/currentTime", "Heartbeat")


def test_both_sides_may_use_an_id_at_a_time(talk: Conversation) -> None:
    talk.read(b'[2,"1","Heartbeat",{}]')
    talk.read(b'[2,"1","ClearCache",{}]')
    outcome = talk.read(b'[3,"1",{"status":"Accepted"}]')
    assert (outcome.action, outcome.error) == ("ClearCache", None)


def test_a_faulty_call_still_types_its_answer(talk: Conversation) -> None:
    assert talk.read(b'[2,"1","Heartbeat",{"x":1}]', depth="validate").error is not None
    assert talk.read(b'[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]', depth="validate").typed


def test_a_refusal_ends_its_call(talk: Conversation) -> None:
    talk.read(b'[2,"1","Heartbeat",{}]')
    refusal = talk.read(b'[4,"1","InternalError","",{}]')
    assert (refusal.kind, refusal.action) == ("callerror", "Heartbeat")
    assert not talk.read(b'[3,"1",{}]').typed


def test_an_unknown_action_waits_for_no_answer(talk: Conversation) -> None:
    error = talk.read(b'[2,"1","Nonsense",{}]').error
    assert error is not None
    assert error.kind == "action_unknown"
    assert not talk.read(b'[3,"1",{}]').typed


def test_what_is_kept_is_bounded(talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "_MOST_OPEN_CALLS", 3)
    for number in range(10):
        talk.read(b'[2,"%d","Heartbeat",{}]' % number, depth="peek")
    typed = [talk.read(b'[3,"%d",{}]' % number, depth="peek").typed for number in range(10)]
    assert typed == [False] * 7 + [True] * 3


def test_explain_lists_every_finding_of_an_answer(talk: Conversation) -> None:
    talk.read(b'[2,"1","Heartbeat",{}]', depth="explain")
    outcome = talk.read(b'[3,"1",{"a":1,"b":2}]', depth="explain")
    assert [finding.kind for finding in outcome.findings] == ["unknown_key", "unknown_key", "missing"]
