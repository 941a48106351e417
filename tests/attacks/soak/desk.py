"""A hub process with caseworkers inside: `tinkuy run` itself, and a few more commands on its control socket that do what people do.

What they do is done by the hub's own actions in its own units of work, each committed by itself; from there on everything is the
hub's: outbox, envelopes, cards, receipts. (Words typed in a room, and kills in between, are `road/test_crash.py`.)
"""

from __future__ import annotations

import asyncio
import runpy
import zlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub.actions import answer, work
from hub.actions.open_case import open_case
from hub.actions.ports import Unit
from hub.actions.record_consent import Terms, record_consent
from hub.actions.refer import draft, refer
from hub.actions.withdraw import withdraw
from hub.app import house as root
from hub.app.house import House
from hub.base.errors import Refused
from hub.cases.events import CaseChanged, MessageArrived, ReferralMoved
from hub.cases.lifecycle import Side, State

NEEDS = {"csmc-comas": "mental_health", "cem-lima": "legal_aid"}
"""What each institution is asked for."""
FIELDS = {"mental_health_summary": "insomnio (inventado)", "risk_level": "high", "languages": "es", "phone": "900 000 001"}
LATELY = timedelta(minutes=15)
DECLINED, SPOKEN, WITHDRAWN, SHOWN = 0, 1, 2, 3
"""What becomes of a referral, by `fate`: of ten one is declined, one spoken about, one withdrawn after the disclosure;
the cards of one are posted to the desks."""


def fate(referral: str) -> int:
    """Both desks and the auditor agree on what a referral is for, without a word between them."""
    return zlib.crc32(referral.encode()) % 10


class Desk:
    """The people of one hub."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._hands = asyncio.Lock()

    def handlers(self) -> dict[str, Any]:
        return {"desk.draft": self.draft, "desk.send": self.send, "desk.work": self.work, "desk.arm": self.arm}

    async def draft(self, args: Mapping[str, Any]) -> Any:
        """Cases with consent and a draft each; the drafts' ids. One that nobody confirms harms nobody."""

        def make(unit: Unit) -> str:
            who, soon = _caseworker(unit), unit.now + timedelta(days=1)
            case = open_case(unit, who, "!desk", "Luz Inventada", soon, FIELDS)
            need, to = NEEDS[str(args["to"])], str(args["to"])
            protocol = unit.pack.protocol_for(need, unit.me.kind, str(args["kind"]))
            assert protocol is not None
            terms = Terms(
                recipients=(to,), purposes=(protocol.purpose_of(need),), fields=("social_name", *FIELDS),
                until=unit.now + timedelta(days=90), mode="oral", explained=True,
            )  # fmt: skip
            record_consent(unit, who, case.id, terms)
            made = draft(unit, who, case.id, to, need)
            assert made.ready, "nothing would be released: this would test a refusal"
            return made.referral.id

        return [await self._house.store.run(make) for _ in range(int(args["count"]))]

    async def send(self, args: Mapping[str, Any]) -> Any:
        """Confirm these drafts, each in a commit of its own. Asked again after a crash it sends none twice."""
        for referral in args["referrals"]:

            def confirm(unit: Unit, one: str = referral) -> None:
                row = unit.referrals.get(one)
                if row is None:
                    raise Refused("draft_gone")
                if row.state is State.DRAFT:
                    refer(unit, _caseworker(unit), "!desk", one)

            await self._house.store.run(confirm)
        return len(args["referrals"])

    async def work(self, _: Mapping[str, Any]) -> Any:
        """Answer what came in, say a word here and there, withdraw some: everything that waits. How much was done.

        One pair of hands: two that look at the same list at once would both say the same, and the auditor would count two messages.
        """
        run = self._house.store.run
        async with self._hands:
            todo = await run(_todo, quiet=True)
            for act, referral in todo:
                await run(_done, act, referral)
        return len(todo)

    async def arm(self, args: Mapping[str, Any]) -> Any:
        """Die at this point (`name:n`, from now on); none: at no point any more."""
        faults = self._house.faults
        faults._reached.clear()
        faults._kill_at = frozenset(args["points"])
        return sorted(faults._kill_at)


def _caseworker(unit: Unit) -> str:
    return next(person.id for person in unit.staff.all(removed_at=None, order="added_at") if person.role == "caseworker")


def _done(unit: Unit, act: Any, referral: str) -> None:
    act(unit, _caseworker(unit), referral)


def _todo(unit: Unit) -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = []
    for row in unit.referrals.all(side=Side.RECIPIENT, state=State.RECEIVED, limit=60):
        found.append((_decline if fate(row.id) == DECLINED else answer.accept, row.id))
    for row in unit.disclosures.all(state="active", at__ge=unit.now - LATELY, order="at"):
        if row.side is Side.SENDER and fate(row.referral) == WITHDRAWN and _arrived(unit, row.referral):
            found.append((_withdraw, row.referral))
        if row.side is Side.RECIPIENT and fate(row.referral) == SPOKEN and not unit.log.count(about=row.referral, what="message.sent"):
            found.append((_say, row.referral))
    return found


def _arrived(unit: Unit, referral: str) -> bool:
    """Whether the data are signed for. Withdrawn before that they never leave, a skip takes their number, and the auditor would miss them."""
    return any(row.ref.get("referral") == referral for row in unit.outbox.all(kind="disclose", state="acked"))


def _decline(unit: Unit, by: str, referral: str) -> None:
    answer.decline(unit, by, referral, "no_capacity")


def _withdraw(unit: Unit, by: str, referral: str) -> None:
    row = unit.referrals.get(referral)
    assert row is not None
    withdraw(unit, by, row.case, None)


def _say(unit: Unit, by: str, referral: str) -> None:
    work.say(unit, by, referral, "¿le sirve el martes? (inventado)")


def is_shown(unit: Unit, event: Any) -> bool:
    """Whether this is posted: cards and lines about one referral in ten, so that the rest of the road is what is strained; alarms always."""
    if isinstance(event, CaseChanged):
        row = unit.referrals.one(case=event.case)
        return row is not None and fate(row.id) == SHOWN
    return fate(event.referral) == SHOWN if isinstance(event, ReferralMoved | MessageArrived) else True


def main() -> None:
    """`tinkuy run` with these people in it."""
    given, show = root.handlers, root.tell
    root.tell = lambda unit, event: show(unit, event) if is_shown(unit, event) else None
    root.handlers = lambda house: given(house) | Desk(house).handlers()
    runpy.run_module("hub", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
