"""The hub's opening keys: one a day, each private half destroyed after seven days (keys.md 1, HEK).

Link chores and offers are sealed to the day's key, so that a key store stolen later opens none older than a week. The
manifest's long key opens only the chores that must work after an absence. Private halves lie in the key store under owners
`hek/<date>`; nothing else creates or destroys them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from keys.casekeys import DataKeys
from keys.codec import aware
from keys.errors import CannotOpen, KeyDestroyed
from keys.freshness import OPENING_LIFE, state_opening_key
from keys.primitives import OpeningKey, SigningKey

PREFIX: Final = "hek/"
LONG_KEY_KINDS: Final = frozenset({"hello", "hek", "manifest", "resend", "skip"})
"""Message kinds that may come sealed to the manifest's long key; anything else under it is refused."""

_MAKING: Final = threading.Lock()
"""Two threads that both find no key of today must not both make one: what is sealed to the first would never be opened."""


class DailyKeys:
    """The opening keys this hub can still use, long one included."""

    def __init__(self, store: DataKeys, *long_keys: OpeningKey, before_write: Callable[[], None] = lambda: None) -> None:
        """`before_write` raises when this server may not act (any more): no rollback reaches the key store."""
        self._store, self._before_write = store, before_write
        self._long = long_keys

    def today(self, now: datetime) -> OpeningKey:
        """The key of this UTC day, made at first use."""
        owner = _owner(aware(now).date())
        with _MAKING:
            if not self._store.exists(owner):
                self._before_write()
                self._store.put_secret(owner, OpeningKey.generate().reveal(), now)
        return OpeningKey(self._store.get_secret(owner))

    def made(self, now: datetime) -> bool:
        """Whether today's key is there."""
        return self._store.exists(_owner(aware(now).date()))

    def statement(self, institution: str, now: datetime, signer: SigningKey) -> bytes:
        """Today's public half, signed, valid from midnight UTC: `freshness.read_opening_key` reads it."""
        midnight = datetime.combine(aware(now).date(), time(), tzinfo=UTC)
        return state_opening_key(institution, self.today(now).public, midnight, signer)

    def by_hint(self, hint: bytes, now: datetime) -> tuple[OpeningKey, bool]:
        """The key an envelope's hint names, and whether it is the long one; `CannotOpen` when no living key is meant."""
        for long in self._long:  # the present one, and those before it: a peer may not have heard of the new one
            if hint == long.public.hint:
                return long, True
        for owner in _days(now):
            try:
                key = OpeningKey(self._store.get_secret(owner))
            except KeyDestroyed:
                continue
            if key.public.hint == hint:
                return key, False
        raise CannotOpen("the envelope is sealed to a key this hub no longer holds; ask the peer to send again", code="hek.gone")

    def retired(self, now: datetime) -> list[str]:
        """Every day's key that has served its seven days and must die now, oldest first. Who asks destroys them, with a tombstone each."""
        living = set(_days(now))
        return sorted(owner for owner in self._store.owners() if owner.startswith(PREFIX) and owner not in living)


def _days(now: datetime) -> list[str]:
    """Owners within their life, the likeliest first: today, back through the week, and tomorrow, for a clock that was set back."""
    today = aware(now).date()
    return [_owner(today - timedelta(days=back)) for back in (*range(OPENING_LIFE.days), -1)]


def _owner(day: date) -> str:
    return PREFIX + day.isoformat()
