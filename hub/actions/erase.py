"""Erasing for good: tombstone first, then the key, then the mark (`keys.md` §3). Start-up finishes what a crash left."""

from __future__ import annotations

from dataclasses import replace

from hub.actions.ports import Unit
from hub.base.ids import new_id
from hub.cases.records import Post, Tombstone
from hub.exchange.records import Outgoing


def shred(unit: Unit, owner: str, why: str) -> None:
    """Condemn the data key of `owner`. The key dies right after this unit commits; the posts that showed it are redacted.

    A key under a name that was buried before dies like any other: a tombstone that is there already is no proof that nothing lives under it.
    """
    buried = unit.tombstones.get(owner)
    if buried is None:
        unit.tombstones.add(Tombstone(id=owner, why=why, at=unit.now))
    elif buried.confirmed_at is not None and unit.vault.exists(owner):
        unit.tombstones.put(replace(buried, confirmed_at=None))
    for post in unit.posts.all(owner=owner):
        _unsay(unit, post)


def shred_referral_key(unit: Unit, referral: str, why: str) -> None:
    """Nothing more that is sealed to our key of this referral is expected: it dies, so that a copied envelope opens nowhere."""
    if unit.vault.exists(referral):
        shred(unit, referral, why)


def drop_words(unit: Unit, owner: str) -> None:
    """Words in the outbox arrived, or will never go: their own key dies."""
    if owner.startswith("say_"):
        shred(unit, owner, "said")


def cancel_intent(unit: Unit, row: Outgoing) -> None:
    """An intent that will not be sent: what a person wrote for it dies with it."""
    unit.outbox.put(replace(row, state="cancelled", ref={k: v for k, v in row.ref.items() if k != "words"}))
    drop_words(unit, str(row.ref.get("owner", "")))


def forget_words(unit: Unit, referral: str) -> None:
    """Everything that was written for this referral and is not acknowledged yet becomes unreadable: what left is skipped."""
    for row in (*unit.outbox.all(state="ready"), *unit.outbox.all(state="dispatched")):
        if row.ref.get("referral") == referral and row.kind in ("say", "ask", "onward.ask", "glass"):
            drop_words(unit, str(row.ref.get("owner", "")))


def unsay_all(unit: Unit, owner: str) -> None:
    """Redact every message that is sealed under this owner's key, which lives on."""
    for post in unit.posts.all(owner=owner):
        _unsay(unit, post)


def unsay_messages(unit: Unit, referral: str) -> None:
    """Redact what the other side said about this referral, under whatever key it was posted."""
    for post in unit.posts.all(thread=f"ref:{referral}"):
        if (post.key or "").startswith("msg:"):
            _unsay(unit, post)


def said_under(unit: Unit, referral: str) -> int:
    """How many messages of the other side stand, or are to stand, in the thread of a referral."""
    posts = unit.posts.all(thread=f"ref:{referral}", state__in=("ready", "sending", "sent"))
    return sum((post.key or "").startswith("msg:") for post in posts)


def condemned(unit: Unit) -> list[str]:
    """Whose keys are to die and may live still."""
    return [tombstone.id for tombstone in unit.tombstones.all(confirmed_at=None)]


def finish_shredding(unit: Unit) -> int:
    """Delete the keys of every unconfirmed tombstone and confirm them. Deleting twice is harmless. Returns how many."""
    pending = unit.tombstones.all(confirmed_at=None)
    for tombstone in pending:
        unit.vault.destroy(tombstone.id)
        unit.tombstones.put(replace(tombstone, confirmed_at=unit.now))
    return len(pending)


def redact(unit: Unit, key: str) -> None:
    """Ask the homeserver to redact the message called `key`, and drop it if it was not sent yet."""
    for post in unit.posts.all(key=key):
        _unsay(unit, post)


def redact_event(unit: Unit, purpose: str, room: str, event: str) -> None:
    """Take somebody's own message out of a room of ours where we have the power; its text was never kept here."""
    post = Post(
        id=new_id("post"), order=unit.posts.next("order"), purpose=purpose, key=None, thread=None, edits=None, redacts=event, ring=(), owner="hub",
        sealed=b"", room=room, at=unit.now,
    )  # fmt: skip
    unit.posts.add(post)


def _unsay(unit: Unit, post: Post) -> None:
    if post.state == "ready":
        unit.posts.put(replace(post, state="dropped", sealed=b""))
    if post.state in ("sent", "sending"):
        unit.posts.put(replace(post, state="redacted", sealed=b"" if post.event else post.sealed))
        unit.posts.add(
            replace(
                post,
                id=f"{post.id}_x",
                order=unit.posts.next("order"),
                key=None,
                thread=None,
                edits=None,
                redacts=post.id,
                ring=(),
                owner="hub",
                sealed=b"",
                state="ready",
                event=None,
                at=unit.now,
            )
        )
