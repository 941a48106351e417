"""The transcript shows what a person sees: edits and redactions applied, whatever the order in which events come."""

from __future__ import annotations

from typing import Any

from deploy.demo.transcript import Transcript, render

ROOM = "!sala"


def event(
    number: int, content: dict[str, Any] | None = None, *, sender: str = "@rosa:x", kind: str = "m.room.message", **more: str
) -> dict[str, Any]:
    at, whole = 1_700_000_000_000 + number, (content or {}) | more
    return {"event_id": f"${number}", "sender": sender, "type": kind, "origin_server_ts": at, "content": whole}


def edit_of(target: int, number: int, body: str, *, sender: str = "@rosa:x") -> dict[str, Any]:
    relation = {"rel_type": "m.replace", "event_id": f"${target}"}
    return event(number, {"body": f"* {body}", "m.new_content": {"body": body}, "m.relates_to": relation}, sender=sender)


def redaction_of(target: int, number: int) -> dict[str, Any]:
    return event(number, kind="m.room.redaction", redacts=f"${target}")


def read(*events: dict[str, Any]) -> Transcript:
    transcript = Transcript()
    for each in events:
        transcript.take(ROOM, each, sender_key="k")
    return transcript


def test_an_edit_replaces_the_text_and_arrives_as_news() -> None:
    transcript = read(event(1, body="uno"), edit_of(1, 2, "dos"))
    assert [(m.body, m.edits) for m in transcript.messages] == [("dos", 1)]
    assert [m.body for m in transcript.arrivals] == ["uno", "dos"]


def test_an_edit_by_somebody_else_changes_nothing() -> None:
    transcript = read(event(1, body="uno"), edit_of(1, 2, "dos", sender="@mallory:x"))
    assert [m.body for m in transcript.messages] == ["uno"]


def test_a_redaction_takes_the_text_away_also_when_it_comes_first() -> None:
    for events in ([event(1, body="uno"), redaction_of(1, 2)], [redaction_of(1, 2), event(1, body="uno")]):
        (message,) = read(*events).messages
        assert (message.body, message.redacted) == ("", True)


def test_an_edit_does_not_bring_back_what_was_redacted() -> None:
    (message,) = read(event(1, body="uno"), redaction_of(1, 2), edit_of(1, 3, "otra vez")).messages
    assert message.redacted
    assert message.body == ""


def test_an_unreadable_message_becomes_readable_when_its_key_comes() -> None:
    transcript = read(event(1, kind="m.room.encrypted", algorithm="m.megolm.v1.aes-sha2"), event(1, body="uno"))
    assert [(m.body, m.shield) for m in transcript.messages] == [("uno", None)]


def test_a_late_readable_edit_leaves_no_unreadable_line() -> None:
    transcript = read(event(1, body="uno"), event(2, kind="m.room.encrypted"), edit_of(1, 2, "dos"))
    assert [m.body for m in transcript.messages] == ["dos"]


def test_taking_everything_twice_changes_nothing() -> None:
    events = [
        event(1, body="uno"),
        edit_of(1, 2, "dos"),
        event(3, kind="m.room.encrypted"),
        event(4, body="x"),
        redaction_of(4, 5),
    ]
    once, twice = read(*events), read(*events, *events)
    assert (once.messages, once.arrivals) == (twice.messages, twice.arrivals)


def test_what_is_not_a_message_is_passed_over() -> None:
    assert read(event(1, kind="m.room.member", membership="join"), event(2, kind="m.room.message")).messages == []


def test_the_printed_conversation_puts_threads_below_their_first_message() -> None:
    answer = {"body": "en el hilo", "m.relates_to": {"rel_type": "m.thread", "event_id": "$1"}}
    transcript = read(event(1, body="tarjeta\nde dos líneas"), event(2, body="aparte"), event(3, answer))
    lines = render(transcript.messages, names=lambda user: user[1:5]).splitlines()
    assert [line.split()[-1] for line in lines] == [ROOM, "tarjeta", "líneas", "hilo", "aparte"]
    assert lines[3].startswith("    ↳ ")
