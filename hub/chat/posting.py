"""Putting messages into rooms: sealed rows in the same unit, sent later by the carrier. Numbers of open questions never overlap in a room."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from hub.actions.ports import Unit
from hub.base.ids import new_id
from hub.cases.records import Post, Question
from hub.chat.plain import Message

PLACE = "posts|sealed"
MOST_BYTES = 30_000
NUMBER_REST = timedelta(minutes=30)
"""How long the numbers of a question that is over, answered or not, rest before another may use them."""
QUESTION_LIFE = timedelta(hours=72)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a message goes: a room by purpose; in the thread of a message of ours (`thread` = its key) or of an event (`$…`)."""

    purpose: str
    thread: str | None = None
    reply: str | None = None


def put(
    unit: Unit,
    place: Place,
    message: Message,
    *,
    key: str | None = None,
    edits: str | None = None,
    ring: Sequence[str] = (),
    owner: str = "hub",
) -> None:
    """Queue one message. `ring` are the people who must act: only then it is `m.text` with mentions (chat rule 6)."""
    fitting = fit(message, MOST_BYTES // 2 if edits else MOST_BYTES)
    payload = {"body": fitting.body, "html": fitting.html, "reply": place.reply}
    if edits:
        for old in unit.posts.all(edits=edits, state="ready"):
            unit.posts.put(replace(old, state="dropped", sealed=b""))
    post = Post(
        id=new_id("post"),
        order=unit.posts.next("order"),
        purpose=place.purpose,
        key=key,
        thread=place.thread,
        edits=edits,
        redacts=None,
        ring=tuple(ring),
        owner=owner,
        sealed=b"",
        at=unit.now,
    )
    unit.posts.add(replace(post, sealed=unit.vault.seal(owner, f"{PLACE}|{post.id}", json.dumps(payload).encode())))


def fit(message: Message, most: int) -> Message:
    """The message within `most` UTF-8 bytes: first without its rich form, then cut. An event has 64 KiB, encrypted and all."""
    size = len(message.body.encode()) + len((message.html or "").encode())
    if size <= most:
        return message
    body = message.body.encode()
    return Message(body=message.body if len(body) <= most else body[: most - 4].decode(errors="ignore") + "…")


def has_post(unit: Unit, key: str) -> bool:
    """Whether a message of this name was ever put."""
    return unit.posts.count(key=key) > 0


def ask(unit: Unit, room: str, kind: str, ref: str, options: Sequence[str], code: str, *, asked: str | None = None) -> Question:
    """Open a question in the room with this id; its options get the lowest numbers that no question of the room uses, or used just now.

    A numbered step of a dialogue is such a question too (`talk.STEP`): a card and a dialogue never share a number, whichever came first.
    An answer that comes late, or that a homeserver holds back for a while, must not fit a question asked after it (X34).
    """
    taken: set[int] = set()
    for other in _in_use(unit, room):
        taken.update(range(other.first, other.first + len(other.options)))
    first = next(n for n in itertools.count(1) if taken.isdisjoint(range(n, n + len(options))))
    question = Question(
        id=new_id("q"), room=room, asked=asked, kind=kind, ref=ref, first=first, options=tuple(options), code=code,
        expires_at=unit.now + QUESTION_LIFE,
    )  # fmt: skip
    unit.questions.add(question)
    return question


def _in_use(unit: Unit, room: str) -> list[Question]:
    """The questions of a room whose numbers are nobody else's: the open ones, and those that rest."""
    return [q for q in unit.questions.all(room=room, expires_at__gt=unit.now - NUMBER_REST) if numbers_are_its_own(unit, q)]


def numbers_are_its_own(unit: Unit, question: Question) -> bool:
    """While it is open, and for a while after: then its numbers may be those of a check-in that rings, and it takes none of them back."""
    return question.expires_at > (unit.now - NUMBER_REST if question.state == "open" else unit.now)


def open_questions(unit: Unit, room: str) -> list[Question]:
    """The questions of a room that may still be answered."""
    return [q for q in unit.questions.all(room=room, state="open", order="first") if q.expires_at > unit.now]


def find_question(unit: Unit, room: str, user: str, number: int) -> Question | None:
    """The one open question in this room that owns this number and that this person may answer; never chosen by a relation (X34)."""
    return next(iter(owners(unit, room, user, number)), None)


def owners(unit: Unit, room: str, user: str, number: int) -> list[Question]:
    """Every such question. `ask` never gives one number twice; should two have it all the same, none may be acted on."""
    mine = (q for q in open_questions(unit, room) if q.asked in (None, user))
    return [q for q in mine if q.first <= number < q.first + len(q.options)]


def resting(unit: Unit, room: str, user: str, number: int) -> Question | None:
    """The question of this room that this person could have answered with this number, and cannot any more; the number rests."""
    rest = (q for q in _in_use(unit, room) if q.state != "open" or q.expires_at <= unit.now)
    return next((q for q in rest if q.asked in (None, user) and q.first <= number < q.first + len(q.options)), None)


def close_questions(unit: Unit, ref: str, kinds: Iterable[str] = ()) -> None:
    """The open questions about `ref` (of these kinds, or all) take no answers any more."""
    wanted = set(kinds)
    for question in unit.questions.all(ref=ref, state="open"):
        if not wanted or question.kind in wanted:
            unit.questions.put(replace(question, state="closed", expires_at=unit.now + NUMBER_REST))


def numbered(question: Question, labels: Sequence[str]) -> list[tuple[int, str]]:
    """The options with their numbers, for `plain.choices`."""
    return [(question.first + i, label) for i, label in enumerate(labels)]


def room_of(unit: Unit, purpose: str) -> str:
    """The id of a room of ours by purpose; the purpose itself while the room is not made yet."""
    room = unit.rooms.one(purpose=purpose)
    return room.id if room else purpose
