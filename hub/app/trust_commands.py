"""Control commands about trust: verifying a person at the terminal, and the hub's own identity under a recovery key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.actions import verify_staff
from hub.actions.common import SYSTEM, note, staff_member
from hub.actions.ports import Unit
from hub.actions.verify_staff import TERMINAL
from hub.cases.records import Verification
from hub.chat.emoji import EMOJI

if TYPE_CHECKING:
    from hub.app.house import House

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]


def handlers(house: House) -> dict[str, Handler]:
    """Every command by name."""
    commands = _Commands(house)
    return {
        "staff.verify": commands.verify,
        "staff.compare": commands.compare,
        "keys.recovery.keep": commands.keep,
        "keys.recovery.check": commands.check,
        "keys.recovery.forget": commands.forget,
    }


class _Commands:
    def __init__(self, house: House) -> None:
        self._store, self._matrix = house.store, house.matrix

    async def verify(self, args: Mapping[str, Any]) -> Any:
        """Where her newest verification stands; one that waits for an administrator begins, for whoever asks this is with her."""
        return await self._store.run(lambda unit: _await_verification(unit, str(args["user_id"])))

    async def compare(self, args: Mapping[str, Any]) -> Any:
        """What was seen at the terminal."""
        same = args["same"] is True
        return _shown(await self._store.run(lambda unit: verify_staff.compare_emoji(unit, TERMINAL, str(args["id"]), same=same)))

    async def keep(self, _: Mapping[str, Any]) -> Any:
        """The seeds into secret storage; the recovery key goes to whoever asked, and nowhere else."""
        written = await self._matrix.keep_recovery()
        await self._store.run(lambda unit: note(unit, SYSTEM, TERMINAL, "keys.recovery_kept"))
        return {"recovery_key": written}

    async def check(self, args: Mapping[str, Any]) -> Any:
        """Whether it would bring our identity back."""
        return {"ok": await self._matrix.check_recovery(str(args["recovery_key"])[:200])}

    async def forget(self, _: Mapping[str, Any]) -> Any:
        """Overwrite what is stored."""
        await self._matrix.forget_recovery()
        await self._store.run(lambda unit: note(unit, SYSTEM, TERMINAL, "keys.recovery_forgotten"))
        return {}


def _await_verification(unit: Unit, user: str) -> dict[str, Any]:
    person = staff_member(unit, user)
    row = verify_staff.latest_of(unit, user)
    if row and row.state == "asked" and row.expires_at > unit.now:
        row = verify_staff.begin_verification(unit, TERMINAL, row.id)
    return {"pin": person.level, "state": "none"} | (_shown(row) if row else {})


def _shown(row: Verification) -> dict[str, Any]:
    emoji = [{"emoji": symbol, "es": es, "en": en} for symbol, es, en in (EMOJI[i] for i in row.emoji)]
    return {"id": row.id, "state": row.state, "emoji": emoji, "why": row.why or "", "expires": row.expires_at.isoformat()}
