"""R61–R63 over every road that issue 4 opened: in whatever order things happen, the aggressor's institution ends up with nothing and in no room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.actions import coordination, emergency, legal_basis, onward_holder, onward_owner, open_case
from hub.actions.living_bases import living_bases
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.lifecycle import Side
from policies import conflict
from tests.actions.road import CEM, CSMC, HOGAR, HUBS, PACK, held
from tests.coordination.bench import Meeting, meeting
from tests.fields.road import give, pack

BODIES = PACK.vocabulary.bodies
KINDS = dict(HUBS)
AFFILIATIONS = sorted(BODIES.affiliations)
MARKS = ("900000123", "RELATO-INVENTADO", "Nombrelegal Inventado", "CALLE-INVENTADA")


def _try(m: Meeting, who: str, verb: Callable[[Unit, str], Any], by: str = "ana") -> Any:
    try:
        return m.net[who].run(lambda unit: verb(unit, m.net[who].person(by)))
    except Refused:
        return None


def room(m: Meeting) -> None:
    """A coordination room with both."""
    made = _try(m, CEM, lambda unit, by: coordination.propose(unit, by, m.case.code, (CSMC, HOGAR)))
    if made is not None:
        _try(m, CEM, lambda unit, by: coordination.open_room(unit, by, made.coordination.id))
    m.settle()


def wider(m: Meeting) -> None:
    """One more institution, whichever is not there."""
    for found in m.cem.run(lambda unit: unit.coordinations.all(state="open", owner=CEM)):
        for name in (CSMC, HOGAR):
            _try(m, CEM, lambda unit, by, name=name, found=found: coordination.add_institution(unit, by, found, name))
    m.settle()


def passed_on(m: Meeting) -> None:
    """The health centre passes on to the shelter, by the owner's grant."""
    told = ("phone", "social_name", "safe_contact")
    asked = _try(m, CSMC, lambda unit, by: onward_holder.ask_onward(unit, by, m.referrals[CSMC].id, HOGAR, "shelter", told, "hoy"))
    m.net.settle(3)
    if asked is not None:
        _try(m, CEM, lambda unit, by: onward_owner.answer_onward(unit, by, asked.id, "grant"))
        m.net.settle(3)
        for child in m.hogar.run(lambda unit: unit.referrals.all(peer=CSMC, state="received")):
            m.hogar.type("ana", f"aceptar {child.code}")
    m.net.settle(4)


def broken(m: Meeting) -> None:
    """Both break the glass for her address."""
    for who in (CSMC, HOGAR):
        hers = m.referrals[who].id
        asked = _try(m, who, lambda unit, by, hers=hers: emergency.break_glass(unit, by, hers, "address", "life_in_danger", "no contesta"))
        if asked is not None:
            _try(m, who, lambda unit, by, asked=asked: emergency.confirm_glass(unit, by, asked.id, agreed=True), "berta")
    m.net.settle(4)


def by_law(m: Meeting) -> None:
    """A court orders it for both."""
    wish = legal_basis.Wish(basis="court_order", recipients=(CSMC, HOGAR), why="lo manda el juzgado inventado")
    row = _try(m, CEM, lambda unit, by: legal_basis.record_basis(unit, by, m.case.id, wish), "sara")
    if row is not None:
        _try(m, CEM, lambda unit, by: legal_basis.confirm_basis(unit, by, row.id, agreed=True), "sara")
    m.net.settle(4)


STEPS: tuple[Callable[[Meeting], None], ...] = (room, wider, passed_on, broken, by_law)


def begun() -> Meeting:
    """Two referrals that are worked on, under protocols that allow everything of issue 4."""
    m = meeting()
    for twin in m.net.twins.values():
        give(twin, pack())
    m.cem.run(lambda unit: open_case.set_field(unit, m.cem.person("ana"), m.case.id, "address", "CALLE-INVENTADA 5"))
    m.net.settle(2)
    return m


def test_without_a_conflict_every_one_of_these_roads_is_open() -> None:
    """Else the other test would prove nothing."""
    m = begun()
    for step in STEPS:
        step(m)
    assert m.cem.run(lambda unit: {s.institution for s in unit.seats.all(state__not="out")}) == {CEM, CSMC, HOGAR}
    assert m.cem.run(lambda unit: [o.state for o in unit.onwards.all()]) == ["passed"]
    assert held(m.csmc, m.referrals[CSMC])["address"] == ("release", "CALLE-INVENTADA 5")
    assert all(m.cem.run(lambda unit, name=name: living_bases(unit, m.case.id, name)) for name in (CSMC, HOGAR))


@settings(max_examples=14, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    before=st.lists(st.sampled_from(STEPS), max_size=4, unique=True), after=st.lists(st.sampled_from(STEPS), max_size=3, unique=True),
    found=st.frozensets(st.sampled_from([*AFFILIATIONS, f"institution:{CSMC}", f"institution:{HOGAR}", "¿?"]), min_size=1, max_size=2),
)  # fmt: skip
def test_r62_no_room_grant_emergency_or_law_reaches_the_aggressors_institution(before: list[Any], after: list[Any], found: frozenset[str]) -> None:
    m = begun()
    for step in before:
        step(m)
    m.cem.run(lambda unit: open_case.set_field(unit, m.cem.person("ana"), m.case.id, "aggressor_affiliation", ", ".join(sorted(found))))
    m.settle()
    for step in after:
        step(m)
    m.net.clock.advance(timedelta(minutes=11))
    for twin in m.net.twins.values():
        twin.ring()
    m.settle()
    m.net.settle(8)
    for name in (CSMC, HOGAR):
        if conflict.excluded(KINDS[name], name, found, BODIES):
            _nothing(m, name)
        if not conflict.excluded(KINDS[name], name, found, BODIES) and not after:
            assert held(m.net[name], m.referrals[name]), "whoever is not his colleague keeps what she gave"


def _nothing(m: Meeting, name: str) -> None:
    """Of her nothing is readable at this institution, no door stands open, and no words there say why."""
    twin = m.net[name]
    for referral in twin.run(lambda unit: unit.referrals.all(side=Side.RECIPIENT)):
        assert held(twin, referral) == {}, "what it held is destroyed"
    assert twin.run(lambda unit: unit.disclosures.count(side=Side.RECIPIENT, state__in=("active", "retained"))) == 0
    for hub in (m.cem, twin):
        seats = hub.run(lambda unit: [s for s in unit.seats.all(institution=name, state__not="out") if _open(unit, s.coordination)])
        assert seats == [], f"a seat at {hub.id}"
    assert m.cem.run(lambda unit: unit.onwards.count(third=name, state__in=("granted", "passed"))) == 0
    assert m.cem.run(lambda unit: [r for r in unit.onwards.all(state__in=("granted", "passed")) if _holder(unit, r.referral) == name]) == []
    assert m.cem.run(lambda unit: [d for d in unit.disclosures.all(side=Side.SENDER, state="active") if _holder(unit, d.referral) == name]) == []
    said = "\n".join(one.body for one in twin.said if not one.redacted)
    assert not any(mark in said for mark in MARKS)
    assert not any(word in said.casefold() for word in ("conflicto de inter", "agresor pertenece", "colega"))


def _open(unit: Unit, room_id: str) -> bool:
    found = unit.coordinations.get(room_id)
    return found is not None and found.state == "open"


def _holder(unit: Unit, referral: str) -> str:
    found = unit.referrals.get(referral)
    return found.peer if found else ""
