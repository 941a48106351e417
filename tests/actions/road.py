"""Networks of twins for tests, quickly: built once, and put back to their first moment as often as a test or Hypothesis asks.

Also the steps that most tests begin with: a case with everything in it, a consent, a referral accepted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from unittest import mock

from hub.actions import answer, open_case, record_consent, refer
from hub.actions.ports import Unit
from hub.actions.record_consent import Terms
from hub.base.errors import Refused
from hub.cases.events import Alarm, CheckInRang, ReferralMoved
from hub.cases.records import Case, Consent, Referral
from hub.exchange.records import Link, Outgoing
from hub.store.database import Database
from hub.testing import Twin, TwinNetwork
from hub.testing import twin as twins
from hub.testing.quick import raw
from policies import packs

CEM, CSMC, HOGAR = "cem-lima", "csmc-comas", "hogar-luz"
NEED, PURPOSE = "mental_health", "mental_health_care"
PACK = packs.load("pe")
HUBS = ((CEM, "emergency_centre"), (CSMC, "mental_health_centre"), (HOGAR, "shelter"))

CANARY = "CANARIO"
VALUES = {
    name: f"{CANARY} {name}" for name, field in PACK.vocabulary.fields.items() if not field.codes and name not in ("age", "birth_date", "district")
}
"""A marker in every field that takes free text: none of them may be where it was not allowed to go."""
SHARED = tuple(PACK.vocabulary.fields)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """How a network of twins stood: its databases, its clock, what each hub was given, and what stands in its rooms."""

    rows: list[sqlite3.Connection]
    now: datetime
    given: dict[str, Any]
    said: dict[str, list[Any]]


class Net(TwinNetwork):
    """Twins that can be put back to how they were when they had just been paired and enrolled."""

    def __init__(self, *hubs: tuple[str, str]) -> None:
        self._databases: list[Database] = []

        def remember(url: str) -> Database:
            self._databases.append(Database(url))
            return self._databases[-1]

        self.events: dict[str, list[Any]] = {}

        def tell(unit: Unit, event: Any) -> None:
            self.events.setdefault(unit.me.id, []).append(event)
            chat(unit, event)

        chat = twins.tell
        with mock.patch.object(twins, "Database", remember), mock.patch.object(twins, "tell", tell):
            super().__init__(*hubs)
        for twin in self.twins.values():
            twin.enrol("ana", "berta")
            twin.enrol("sara", role="supervisor")
        self.settle()
        for twin in self.twins.values():
            twin.said.clear()
        self._start = self.moment()

    @staticmethod
    def _copy(database: Database) -> sqlite3.Connection:
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        raw(database).backup(copy)
        return copy

    def moment(self) -> Moment:
        """How everything stands now, to come back to."""
        twins = self.twins.items()
        return Moment(
            rows=[self._copy(database) for database in self._databases], now=self.clock.now(),
            given={name: twin.store.given for name, twin in twins}, said={name: [replace(one) for one in twin.said] for name, twin in twins},
        )  # fmt: skip

    def back(self, moment: Moment) -> Net:
        """Everything as it stood then: rows, keys, clock, road and rooms; and what a test turned or gave anew."""
        for database, saved in zip(self._databases, moment.rows, strict=True):
            saved.backup(raw(database))
        self.clock._now = moment.now
        self.spoil = lambda parcel: [parcel]
        self.events.clear()
        self.mute.clear()
        for twin in self.twins.values():
            twin.said[:] = [replace(one) for one in moment.said[twin.id]]
            twin.refused.clear()
            twin.taken_out.clear()
            twin.store.given = moment.given[twin.id]
        return self

    def again(self) -> Net:
        """Everything as at the beginning."""
        return self.back(self._start)

    def moved(self, twin: Twin, what: str) -> list[ReferralMoved]:
        """What was announced here of this move."""
        return [e for e in self.events.get(twin.id, []) if isinstance(e, ReferralMoved) and e.what == what]

    def rung(self, twin: Twin) -> list[CheckInRang]:
        """The check-ins that rang here."""
        return [e for e in self.events.get(twin.id, []) if isinstance(e, CheckInRang)]

    def alarms(self, twin: Twin) -> list[str]:
        """The codes of the alarms here."""
        return [e.code for e in self.events.get(twin.id, []) if isinstance(e, Alarm)]

    def mentioned(self, twin: Twin) -> tuple[str, ...]:
        """Who was rung in the newest message that rang anybody."""
        twin.post()
        return next((s.ring for s in reversed(twin.said) if s.ring), ())

    # Any, because a row that is not there should fail the assertion that looks at it, without a line about None before each.
    @property
    def cem(self) -> Any:
        return self[CEM]

    @property
    def csmc(self) -> Any:
        return self[CSMC]

    @property
    def hogar(self) -> Any:
        return self[HOGAR]

    def wait(self, **by: float) -> None:
        """Let time pass, ring what is due everywhere, and let it travel."""
        self.clock.advance(timedelta(**by))
        for twin in self.twins.values():
            twin.ring()
        self.settle(4)


@cache
def network(*hubs: tuple[str, str]) -> Net:
    """The network of these hubs, at its beginning once more."""
    return Net(*(hubs or HUBS))


def fresh(*hubs: tuple[str, str]) -> Net:
    """As `network`, put back."""
    return network(*hubs).again()


def opened(twin: Twin, fields: dict[str, str] | None = None, *, by: str = "ana", days: float = 2) -> Case:
    """A case that Ana leads, with a marker in every text field unless fields are given."""
    given = VALUES if fields is None else fields
    rest = {k: v for k, v in given.items() if k != "social_name"}
    name = given.get("social_name", "Marisol Ejemplo")

    def run(unit: Unit) -> Case:
        return open_case.open_case(unit, twin.person(by), f"!{twin.id}.desk", name, unit.now + timedelta(days=days), rest)

    return twin.run(run)


def terms(
    twin: Twin, recipients: Iterable[str] = (CSMC,), purposes: Iterable[str] = (PURPOSE,), fields: Iterable[str] = SHARED,
    until: datetime | None = None, **more: Any,
) -> Terms:  # fmt: skip
    """Terms of a consent; everything to the mental-health centre for 90 days unless said otherwise."""
    end = until or twin.clock.now() + timedelta(days=90)
    return Terms(**{
        "recipients": tuple(recipients), "purposes": tuple(purposes), "fields": tuple(fields), "until": end, "mode": "oral", "explained": True,
    } | more)  # fmt: skip


def consented(twin: Twin, case: Case, **how: Any) -> Consent:
    """Record a consent, see `terms`."""
    return twin.run(lambda unit: record_consent.record_consent(unit, twin.person("ana"), case.id, terms(twin, **how)))


def drafted(twin: Twin, case: Case, to: str = CSMC, need: str = NEED, held_back: tuple[str, ...] = ()) -> refer.Draft:
    return twin.run(lambda unit: refer.draft(unit, twin.person("ana"), case.id, to, need, held_back))


def confirmed(twin: Twin, draft: refer.Draft) -> Referral:
    return twin.run(lambda unit: refer.refer(unit, twin.person("ana"), f"!{twin.id}.desk", draft.referral.id))


def offered(net: Net, case: Case, to: str = CSMC, need: str = NEED) -> Referral:
    """Drafted, confirmed and delivered."""
    referral = confirmed(net.cem, drafted(net.cem, case, to, need))
    net.settle()
    return referral


def taken(net: Net, referral: Referral, at: str = CSMC) -> Referral:
    """Accepted over there, and everything delivered."""
    twin = net[at]
    twin.run(lambda unit: answer.accept(unit, twin.person("ana"), referral.id))
    net.settle()
    return there(twin, referral)


def there(twin: Twin, referral: Referral) -> Referral:
    """The referral as this hub knows it."""
    found = twin.run(lambda unit: unit.referrals.get(referral.id))
    assert found is not None
    return found


def working(net: Net, values: dict[str, str] | None = None, **how: Any) -> tuple[Case, Referral]:
    """The usual beginning: a case, her consent (see `terms`), a referral to the mental-health centre, accepted and disclosed."""
    case = opened(net.cem, values)
    consented(net.cem, case, **how)
    return case, taken(net, offered(net, case))


def held(twin: Twin, referral: Referral) -> dict[str, tuple[str, str]]:
    """What this hub can read of another institution's person."""
    from hub.actions.show_value import held_values

    return twin.run(lambda unit: held_values(unit, referral.id))


def code_of(refused: Any) -> str:
    """The code of what was raised inside `pytest.raises`."""
    value = refused.value
    assert isinstance(value, Refused), value
    return value.code


def owners(twin: Twin) -> set[str]:
    """Whose keys live here."""
    return set(twin.store.given.keys.owners())


def everything(twin: Twin) -> bytes:
    """Every byte of this hub's data database, free pages included."""
    connection = raw(twin.store._database)
    return connection.serialize()


def _link_with(unit: Unit, peer: str) -> Link:
    return unit.links.one(peer=peer)


def _last_out(unit: Unit, link: Link) -> Outgoing | None:
    return unit.outbox.one(link=link.id, seq=link.next_out - 1, epoch=link.epoch_out)


def well(net: Net) -> None:
    """What must hold between any two hubs once the road has healed: nothing waits, nothing is missing, the ledgers hold."""
    from hub.actions.keep_ledger import verify_ledger

    for twin in net.twins.values():
        twin.run(verify_ledger)
        for link in twin.run(lambda unit: unit.links.all()):
            other = net[link.peer].run(_link_with, twin.id)
            assert not link.frozen
            assert (link.next_out, link.acked_out) == (other.next_in, link.next_out - 1), (twin.id, link.peer)
            last = twin.run(_last_out, link)
            assert link.head_out == other.head_in or (last is not None and "was" in last.ref)  # a skip has a digest of its own
        assert not twin.run(lambda unit: unit.outbox.count(state__in=("ready", "dispatched")))
        assert not twin.run(lambda unit: unit.early.count())
