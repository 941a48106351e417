"""From queued posts to messages in rooms of people, in their order. A post's Matrix transaction id is its own id, so it appears once."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from hub.actions.common import SYSTEM, note
from hub.actions.ports import Unit
from hub.app.wanted_rooms import wanted_coordination
from hub.app.worker import Worker
from hub.base import logs
from hub.base.faults import Faults
from hub.cases.events import Alarm, CoordinationMoved
from hub.cases.records import Post
from hub.chat.posting import PLACE
from hub.chat.room_cards import ACTS
from hub.matrix import Matrix, MatrixError, RoomRecord
from hub.matrix.errors import HomeserverRefused
from hub.store.unit_of_work import Store
from keys.errors import KeyDestroyed

WAIT = 2.0
TOGETHER, LOOK_AT = 4, 24
"""How many posts go at the same time, and among how many of the oldest they are looked for."""
REST = timedelta(seconds=5)
REFUSALS, PATIENCE = 4, 60.0
"""How often a forbidden redaction is tried, and the seconds between: the room may be repaired meanwhile (`hub/app/rooms.py`). Then never again."""
POST_FIELD = "org.tinkuy.post"
"""Clear text beside the ciphertext of a post when there are two servers: the post's random id, which its homeserver knows as transaction id."""
_log = logs.get("posts")


@dataclass(frozen=True, kw_only=True)
class Errand:
    """A post with everything resolved: where to, what, related to which event."""

    post: str
    purpose: str
    room: str
    content: dict[str, Any]
    relation: dict[str, Any] | None
    redacts: str | None
    cleans: bool = False
    """It takes something away that must not stay, and brings nothing new."""
    members: frozenset[str] | None = None
    """Of a coordination room: who may be in it by the very unit that gave this out. A seat that was lost a moment ago counts as lost."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of an errand: its event id, or the status with which the homeserver refused it for good."""

    errand: Errand
    outcome: str | int


class Poster(Worker):
    """Sends posts, a few at a time. One that cannot go yet (its room is not made, its root not sent) holds back only what is behind it there."""

    name = "posts"

    def __init__(self, store: Store, matrix: Matrix, faults: Faults, *, took_over: bool = False) -> None:
        """`took_over`: another server of ours, whose Matrix device has transaction ids of its own, may have put posts that it did not mark."""
        super().__init__()
        self._marks = self._look = took_over
        self._store, self._matrix, self._faults = store, matrix, faults
        self._held: dict[str, float] = {}
        self._resting: dict[str, float] = {}
        self._refused: Counter[str] = Counter()

    async def turn(self) -> float:
        """Send what can be sent now. A room that cannot take a message now (nobody trusted in it yet) holds back only itself.

        What was sent is marked in the unit that claims the next: one commit for as many posts as go together.
        """
        if self._look:
            await self._look_for_sent()
            self._look = False
        now = time.monotonic()
        self._held = {purpose: until for purpose, until in self._held.items() if until > now}
        self._resting = {post: until for post, until in self._resting.items() if until > now}
        done: list[Done] = []
        while True:
            refused = any(isinstance(one.outcome, int) for one in done)
            errands, waiting = await self._store.run(_next, done, frozenset(self._held), frozenset(self._resting), quiet=not refused)
            for one in done:
                if isinstance(one.outcome, str):
                    self._faults.reach("post.marked")
            if not errands:
                return WAIT if waiting else 30.0
            for _ in errands:
                self._faults.reach("post.claimed")
            found = await asyncio.gather(*(self._try(errand) for errand in errands))
            done = [one for one in found if one is not None]

    async def _try(self, errand: Errand) -> Done | None:
        """What became of one; None when it must be tried again."""
        try:
            event = await self._send(errand)
        except HomeserverRefused as error:
            if error.status in (400, 413):  # the same again would be refused again, and hold back its room for ever
                return Done(errand=errand, outcome=error.status)
            if errand.cleans and (error.status == 404 or error.errcode == "M_FORBIDDEN"):  # any other 403 speaks of the account: all posts wait
                return self._not_cleaned(errand, error.status)
            self._held[errand.purpose] = time.monotonic() + WAIT
            return None
        except MatrixError as error:
            _log.info("posts.held", error=error)
            self._held[errand.purpose] = time.monotonic() + WAIT
            return None
        self._faults.reach("post.sent")
        return Done(errand=errand, outcome=event)

    def _not_cleaned(self, errand: Errand, status: int) -> Done | None:
        """A redaction whose event is not there, or that the room forbids: it holds back nobody, and is given up when patience did not help."""
        self._refused[errand.post] += 1
        if status == 404 or self._refused[errand.post] >= REFUSALS:
            del self._refused[errand.post]
            return Done(errand=errand, outcome=status)
        self._resting[errand.post] = time.monotonic() + PATIENCE
        return None

    async def _send(self, errand: Errand) -> str:
        if errand.members is not None:
            self._matrix.set_room(RoomRecord(room_id=errand.room, purpose="coordination", members=errand.members))
        if errand.redacts:
            return await self._matrix.redact(errand.room, errand.redacts, errand.post)
        clear = {"clear": {POST_FIELD: errand.post}} if self._marks else {}
        return await self._matrix.send(errand.room, "m.room.message", errand.content, errand.post, errand.relation, **clear)

    async def _look_for_sent(self) -> None:
        """Mark what the server that led before us put and could not mark: it stands in its room under the post's id."""
        for room, posts in (await self._store.run(under_way, quiet=True)).items():
            found = await self._matrix.own_events(room, POST_FIELD)
            for post in posts & found.keys():
                await self._store.run(partial(_mark_found, post=post, event=found[post]), quiet=True)


def under_way(unit: Unit) -> dict[str, set[str]]:
    """By room, the posts that were claimed and never marked."""
    rooms: dict[str, set[str]] = {}
    for post in (*unit.posts.all(state="sending"), *unit.posts.all(state="redacted", event=None)):
        if post.room and not post.redacts:
            rooms.setdefault(post.room, set()).add(post.id)
    return rooms


def _mark_found(unit: Unit, *, post: str, event: str) -> None:
    mark(unit, Errand(post=post, purpose="", room="", content={}, relation=None, redacts=None), event)


def _next(unit: Unit, done: list[Done], held: frozenset[str], resting: frozenset[str]) -> tuple[list[Errand], bool]:
    """Mark what was done and claim what can go next; whether something waits for later."""
    for one in done:
        if isinstance(one.outcome, str):
            mark(unit, one.errand, one.outcome)
        else:
            give_up(unit, one.errand, one.outcome)
    errands = claim_some(unit, held, resting=resting)
    return errands, bool(errands) or unit.posts.count(state__in=("ready", "sending")) > 0


def claim(unit: Unit) -> Errand | None:
    """The next post that can go."""
    found = claim_some(unit, frozenset(), most=1)
    return found[0] if found else None


def claim_some(unit: Unit, held: frozenset[str], most: int = TOGETHER, *, resting: frozenset[str] = frozenset()) -> list[Errand]:
    """The next posts that can go together, marked as being sent. Posts whose key is gone, or whose root never went, are dropped.

    Nothing goes to the purposes in `held`; the posts in `resting` alone stay where they are.
    """
    blocked, rest = set(held), tuple(resting)
    lost = unit.posts.one(state="redacted", event=None, purpose__notin=tuple(blocked), id__notin=rest, order="order")
    if lost is not None and lost.room:
        return [_found_again(lost)]
    while posts := _waiting(unit, blocked, rest):
        errands = _pick(unit, sorted(_in_turn(posts), key=lambda post: _can_rest(unit, post)), blocked, most)
        if errands:
            return errands
    return []


def _waiting(unit: Unit, blocked: set[str], rest: tuple[str, ...]) -> list[Post]:
    """The oldest that wait; when they are many, the oldest of every purpose, so that no room's queue hides another's."""
    found: list[Post] = []
    behind = set(blocked)
    while True:
        more = unit.posts.all(state__in=("sending", "ready"), purpose__notin=tuple(behind), id__notin=rest, order="order", limit=LOOK_AT)
        found += more
        if len(more) < LOOK_AT:
            return found
        behind |= {post.purpose for post in more}


def _in_turn(posts: list[Post]) -> list[Post]:
    """One of each purpose, then the next of each: a peer that fills the admin room with alarms keeps no check-in from the desk."""
    place: Counter[str] = Counter()
    turns: list[tuple[int, Post]] = []
    for post in posts:
        place[post.purpose] += 1
        turns.append((place[post.purpose], post))
    return [post for _, post in sorted(turns, key=lambda turn: (turn[0], turn[1].order))]


def _can_rest(unit: Unit, post: Post) -> bool:
    """A card drawn anew goes after what is new: when there is much to say, the next drawing replaces it before it went (`chat.posting.put`)."""
    return post.edits is not None and unit.now - post.at < REST


def _pick(unit: Unit, posts: list[Post], blocked: set[str], most: int) -> list[Errand]:
    """Claim of these what can go together: two of one thread, or of the open room, keep their order, and what redacts goes alone.

    Each one that is not picked was dropped, waits behind one that is, or its purpose is added to `blocked`.
    """
    errands: list[Errand] = []
    lines: set[str | None] = set()
    for post in posts:
        line = post.edits or post.thread or f"open {post.purpose}"
        if len(errands) == most or (post.redacts and errands):
            break
        if post.purpose in blocked or line in lines:
            continue
        room = unit.rooms.one(purpose=post.purpose)
        errand = _errand(unit, post, room.id) if room else "later"
        if errand == "later":
            blocked.add(post.purpose)
        elif errand == "drop":
            unit.posts.put(replace(post, state="dropped", sealed=b""))
        elif isinstance(errand, Errand):
            unit.posts.put(replace(post, state="sending", room=errand.room))
            errand = replace(errand, members=_members(unit, post.purpose))
            errands.append(errand)
            lines |= {line, post.key}
            if errand.redacts:
                break
    return errands


def _members(unit: Unit, purpose: str) -> frozenset[str] | None:
    if not purpose.startswith("coordination:"):
        return None
    return next((wanted.spec.members for wanted in wanted_coordination(unit) if wanted.purpose == purpose), frozenset())


def give_up(unit: Unit, errand: Errand, status: int) -> None:
    """The homeserver will never take this post: it is dropped, and administrators are told. What it should have taken away may still be read."""
    post = unit.posts.get(errand.post)
    if post:
        unit.posts.put(replace(post, state="dropped", sealed=b""))
        note(unit, errand.post, SYSTEM, "post.given_up", status=status, cleans=errand.cleans)
        room = (("detail", errand.purpose.partition(":")[2] or errand.purpose),)
        unit.announce(Alarm(code="redaction_refused", params=(("why", str(status)), *room)) if errand.cleans else
                      Alarm(code="post_refused", params=(("why", str(status)),)))  # fmt: skip


def _found_again(post: Post) -> Errand:
    """A post that was condemned while nobody knows whether it went (a crash between send and mark): put once more under its own transaction
    id, with nothing in it, it names the event that must be redacted. Without that its redaction would hold back its room for ever.
    """
    content = {"msgtype": "m.notice", "body": "…", "m.mentions": {}}
    return Errand(post=post.id, purpose=post.purpose, room=post.room or "", content=content, relation=None, redacts=None, cleans=True)


def mark(unit: Unit, errand: Errand, event: str) -> None:
    """The homeserver has it: keep the event id, wipe the text. A post that was condemned meanwhile stays condemned."""
    post = unit.posts.get(errand.post)
    if post:
        state = "sent" if post.state == "sending" else post.state
        unit.posts.put(replace(post, state=state, event=event, sealed=b""))
        if (post.key or "").startswith(ACTS):  # it is to be pinned: the rooms' keeper is woken
            unit.announce(CoordinationMoved(coordination=post.purpose.partition(":")[2], what="pinned"))


def _errand(unit: Unit, post: Post, room: str) -> Errand | str:
    if post.redacts and post.redacts.startswith("$"):  # somebody's own message, which the guard takes out of the room
        return Errand(post=post.id, purpose=post.purpose, room=post.room or room, content={}, relation=None, redacts=post.redacts, cleans=True)
    if post.redacts:
        target = unit.posts.get(post.redacts)
        if target is None or target.event is None:
            return "later" if target and target.sealed else "drop"
        return Errand(post=post.id, purpose=post.purpose, room=target.room or room, content={}, relation=None, redacts=target.event, cleans=True)
    try:
        payload = json.loads(unit.vault.open(post.owner, f"{PLACE}|{post.id}", post.sealed))
    except KeyDestroyed:
        return "drop"
    relation = _relation(unit, post, payload)
    if isinstance(relation, str):
        return relation
    content = _content(payload, post.ring)
    if post.edits:
        content = {**_content({**payload, "body": f"* {payload['body']}"}, ()), "m.new_content": content}
    return Errand(post=post.id, purpose=post.purpose, room=room, content=content, relation=relation, redacts=None)


def _content(payload: dict[str, Any], ring: tuple[str, ...]) -> dict[str, Any]:
    """`m.text` with mentions only for those who must act, `m.notice` for everything else (chat rule 6)."""
    content: dict[str, Any] = {"msgtype": "m.text" if ring else "m.notice", "body": payload["body"]}
    if payload.get("html"):
        content |= {"format": "org.matrix.custom.html", "formatted_body": payload["html"]}
    content["m.mentions"] = {"user_ids": list(ring)} if ring else {}
    return content


def _relation(unit: Unit, post: Post, payload: dict[str, Any]) -> dict[str, Any] | str | None:
    """`m.relates_to`, or "later" while the message it names is not sent, or "drop" when that never will be."""
    name = post.edits or post.thread
    if name is None:
        return {"m.in_reply_to": {"event_id": payload["reply"]}} if payload.get("reply") else None
    root = name if name.startswith("$") else _event_of(unit, name)
    if not root.startswith("$"):
        return root
    if post.edits:
        return {"rel_type": "m.replace", "event_id": root}
    return {"rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}}


def _event_of(unit: Unit, key: str) -> str:
    root = unit.posts.one(key=key)
    if root is None or root.state == "dropped":
        return "drop"
    return root.event or "later"
