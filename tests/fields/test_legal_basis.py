"""A legal basis in place of her consent (R70, R76, tension 8): for whom it names, as far as the protocol says, until it ends, and never unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from hub.actions import decide, legal_basis, open_case, restart
from hub.actions.indicators import bases_by_code
from hub.actions.legal_basis import Wish
from hub.actions.living_bases import living_bases
from hub.actions.who_knows import who_knows
from hub.base.errors import Refused
from hub.cases.lifecycle import Side, State
from hub.cases.records import Case, Disclosure, LegalBasis, Referral
from hub.chat import overviews
from keys.ledger import Entry
from policies import document, engine, packs
from policies.packs import Pack
from tests.actions import road
from tests.actions.road import CSMC, HOGAR, Net, code_of, fresh, held, offered, opened, taken, there
from tests.fields.road import VALUES, give, pick, sees, thread, typed

SHELTER = "shelter"
BY_ORDER = {"social_name", "risk_level"}
"""What the shipped protocol for shelters shares by a court's order."""
WHY = "MOTIVO-INVENTADO: orden de medidas del 20/11"


@pytest.fixture
def net() -> Net:
    return fresh()


def ordered_more() -> Pack:
    """Her consent lets the centre know that there is medication; a court's order, which."""
    base = road.PACK
    text = packs.protocol_text("pe", "mental-health").replace("legal_basis: [vital_interest]\n", "legal_basis: [vital_interest, court_order]\n", 1)
    wide = "  medication:\n    - {share: presence}\n    - {share: release, when: {legal_basis: [court_order]}}\n"
    protocol = document.parse(text.replace("  medication: release\n", wide, 1), base.vocabulary)
    protocols, compiled = {**base.protocols, protocol.id: protocol}, {**base.compiled, protocol.id: engine.compile(protocol)}
    return replace(base, protocols=MappingProxyType(protocols), compiled=MappingProxyType(compiled))


def recorded(
    net: Net, case: Case, *, basis: str = "court_order", to: tuple[str, ...] = (HOGAR,), by: str = "sara", second: str | None = "sara",
    days: float | None = None,
) -> LegalBasis:  # fmt: skip
    until = None if days is None else net.clock.now() + timedelta(days=days)
    wish = Wish(basis=basis, recipients=to, why=WHY, until=until)
    row: LegalBasis = net.cem.run(lambda unit: legal_basis.record_basis(unit, net.cem.person(by), case.id, wish))
    if second:
        row = net.cem.run(lambda unit: legal_basis.confirm_basis(unit, net.cem.person(second), row.id, agreed=True))
    net.settle()
    return row


def sent(net: Net, referral: Referral) -> list[Disclosure]:
    found: list[Disclosure] = net.cem.run(lambda unit: unit.disclosures.all(referral=referral.id, side=Side.SENDER, order="at"))
    return found


def to_shelter(net: Net) -> tuple[Case, Referral, LegalBasis]:
    """A court ordered it; she was not asked."""
    case = opened(net.cem, VALUES)
    row = recorded(net, case)
    return case, taken(net, offered(net, case, HOGAR, SHELTER), HOGAR), row


def grounds(net: Net) -> set[str]:
    """On what everything that left this hub rests, by the ledger."""
    return {entry.ground for entry in net.cem.run(lambda unit: [Entry.from_bytes(row.entry) for row in unit.ledger.all()])}


def test_a_court_orders_a_referral(net: Net) -> None:
    """What the protocol names for that order arrives, nothing else; the ledger, the record and the disclosure say on what it rests."""
    case, referral, row = to_shelter(net)
    assert set(held(net.hogar, referral)) == BY_ORDER
    (disclosure,) = sent(net, referral)
    assert (disclosure.consent, disclosure.by_law) == (None, dict.fromkeys(BY_ORDER, row.id))
    assert disclosure.until == row.until == net.cem.run(lambda unit: unit.bases.get(row.id)).at + timedelta(days=30)
    assert row.id in grounds(net), "the ledger names the row"
    assert net.cem.run(bases_by_code)["court_order"] == 1
    told = net.cem.find("base legal registrada")
    assert "lo ordena un juzgado" in told.body
    assert "Cuénteselo a ella" in told.body
    known = typed(net.cem, "quién sabe", thread(net.cem, f"{case.code} · "))
    assert "Sin su permiso, por ley: " in known
    assert "lo ordena un juzgado" in known
    assert "MOTIVO-INVENTADO" not in sees(net.hogar)


def test_without_one_nothing_leaves(net: Net) -> None:
    case = opened(net.cem, VALUES)
    draft = road.drafted(net.cem, case, HOGAR, SHELTER)
    assert not draft.ready
    recorded(net, case, second=None)
    assert not road.drafted(net.cem, case, HOGAR, SHELTER).ready, "one that nobody confirmed is none"


def test_it_holds_for_no_other_institution_and_no_other_case(net: Net) -> None:
    case, _, _ = to_shelter(net)
    recorded(net, case, basis="vital_interest")
    net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), case.id, "risk_level", "critical"))
    assert not road.drafted(net.cem, case, CSMC).ready
    other = opened(net.cem, VALUES)
    assert not road.drafted(net.cem, other, HOGAR, SHELTER).ready


@pytest.mark.parametrize("how", ["ended", "expired", "expired_while_off"])
def test_what_left_by_it_comes_back(net: Net, how: str) -> None:
    """Called back as for a consent that ran out: the holder destroys and signs, and nothing leaves again."""
    _, referral, row = to_shelter(net)
    if how == "ended":
        net.cem.run(lambda unit: legal_basis.end_basis(unit, net.cem.person("berta"), row.id))
        net.settle()
    elif how == "expired":
        net.wait(days=31)
    else:  # only the owner wakes, late: nothing counts before its timer has rung
        net.clock.advance(timedelta(days=40))
        assert not road.drafted(net.cem, opened(net.cem, VALUES), HOGAR, SHELTER).ready
        ruling = net.cem.run(lambda unit: decide.still_allowed(unit, unit.referrals.get(referral.id)))
        assert ruling == frozenset()
        net.cem.ring()
        net.settle()
    assert held(net.hogar, referral) == {}
    (disclosure,) = sent(net, referral)
    assert (disclosure.state, bool(disclosure.receipt)) == ("destroyed", True)
    assert net.cem.run(lambda unit: unit.bases.get(row.id)).state == "ended"
    assert "Se pide de vuelta" in net.cem.find("base legal: lo ordena").body.replace("se pide", "Se pide")
    assert there(net.cem, referral).state in (State.ACCEPTED, State.IN_PROGRESS, State.RECEIVED), "the referral itself goes on"


def test_what_she_agreed_to_stays_when_it_ends(net: Net) -> None:
    """One disclosure rests on both: it is called back whole, and her part is given anew."""
    case = opened(net.cem, VALUES)
    road.consented(net.cem, case, recipients=(HOGAR,), purposes=("shelter_protection",), fields=("languages", "pronouns", "social_name"))
    row = recorded(net, case)
    referral = taken(net, offered(net, case, HOGAR, SHELTER), HOGAR)
    assert set(held(net.hogar, referral)) == {"social_name", "risk_level"}
    net.cem.post()
    stops = typed(net.cem, f"retirar {case.code} de hogar-luz", thread(net.cem, f"{case.code} · "))
    assert "Sigue vigente una base legal (lo ordena un juzgado" in stops, "she who takes back her permission is not promised more than happens"
    told = net.cem.run(lambda unit: overviews.sheet(unit, "es", who_knows(unit, net.cem.person("ana"), case.id))).body
    assert "Hogar Luz sabe esto sin que usted diera permiso: nivel de riesgo. Por qué: lo ordena un juzgado." in told
    assert "Hogar Luz sabe esto: nombre" in told
    net.cem.run(lambda unit: legal_basis.end_basis(unit, net.cem.person("ana"), row.id))
    net.settle(10)
    assert set(held(net.hogar, referral)) == {"social_name"}
    assert [(d.state, d.by_law) for d in sent(net, referral)][-1] == ("active", {})


def test_recorded_later_it_gives_what_is_new_and_only_that(net: Net) -> None:
    case = opened(net.cem, VALUES | {"risk_level": "critical"})
    road.consented(net.cem, case, fields=("social_name", "risk_level"))
    referral = taken(net, offered(net, case))
    assert set(held(net.csmc, referral)) == {"social_name", "risk_level"}
    row = recorded(net, case, basis="vital_interest", to=(CSMC,))
    assert set(held(net.csmc, referral)) == {"social_name", "risk_level", "phone", "safe_contact"}
    assert set(sent(net, referral)[-1].fields) == {"phone", "safe_contact"}
    assert row.until - row.at == timedelta(days=3)
    net.wait(days=4)
    assert set(held(net.csmc, referral)) == {"social_name", "risk_level"}


def test_wider_than_she_agreed_to_comes_back(net: Net) -> None:
    """The field may still be held, but not as it was given: that disclosure ends, and it is given anew as she agreed."""
    for twin in net.twins.values():
        give(twin, ordered_more())
    try:
        case = opened(net.cem, VALUES)
        road.consented(net.cem, case, fields=("medication",))
        row = recorded(net, case, to=(CSMC,))
        referral = taken(net, offered(net, case))
        assert held(net.csmc, referral)["medication"] == ("release", VALUES["medication"])
        net.cem.run(lambda unit: legal_basis.end_basis(unit, net.cem.person("ana"), row.id))
        net.settle(10)
        assert held(net.csmc, referral)["medication"][0] == "presence"
    finally:
        for twin in net.twins.values():
            give(twin, road.PACK)


def test_no_basis_lifts_a_conflict_of_interest(net: Net) -> None:
    """Neither one that is asked for, nor one that was there before the conflict came to light."""
    case, referral, _ = to_shelter(net)
    ana = net.cem.person("ana")
    net.cem.run(lambda unit: open_case.set_field(unit, ana, case.id, "aggressor_affiliation", f"institution:{HOGAR}"))
    net.settle()
    assert held(net.hogar, referral) == {}
    ruling = net.cem.run(lambda unit: decide.rule(unit, unit.cases.get(case.id), HOGAR, SHELTER))
    assert ruling.decision.excluded
    assert not decide.releases(ruling)
    with pytest.raises(Refused) as refused:
        recorded(net, case)
    assert code_of(refused) == "basis_conflict"
    clean = opened(net.cem, VALUES)
    waiting = recorded(net, clean, second=None)
    net.cem.run(lambda unit: open_case.set_field(unit, ana, clean.id, "aggressor_affiliation", f"institution:{HOGAR}"))
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: legal_basis.confirm_basis(unit, net.cem.person("sara"), waiting.id, agreed=True))
    assert code_of(refused) == "basis_conflict"


def test_who_may(net: Net) -> None:
    """Supervision alone; the lead with another person; nobody else, and nobody whose key is in doubt."""
    case = opened(net.cem, VALUES)
    with pytest.raises(Refused) as refused:
        recorded(net, case, by="berta")
    assert code_of(refused) == "basis_role"
    for second in ("ana",):
        with pytest.raises(Refused) as refused:
            recorded(net, case, by="ana", second=second)
        assert code_of(refused) == "second_person"
    net.cem.run(lambda unit: unit.staff.put(replace(unit.staff.get(net.cem.person("berta")), refused_master="?")))
    with pytest.raises(Refused) as refused:
        recorded(net, case, by="ana", second="berta")
    assert code_of(refused) == "second_person"
    assert net.cem.run(lambda unit: unit.bases.count(state="active")) == 0
    net.wait(hours=2)
    assert set(net.cem.run(lambda unit: [b.state for b in unit.bases.all()])) == {"lapsed"}
    assert recorded(net, case, by="ana", second="sara").state == "active"
    net.cem.run(lambda unit: unit.staff.put(replace(unit.staff.get(net.cem.person("sara")), refused_master="?")))
    with pytest.raises(Refused) as refused:
        recorded(net, case)
    assert code_of(refused) == "basis_role"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"basis": "because_i_say_so"}, "unknown_legal_basis"),
        ({"recipients": ()}, "basis_recipients"),
        ({"recipients": ("nadie-aqui",)}, "unknown_institution"),
        ({"why": "  "}, "basis_why"),
        ({"until": timedelta(days=-1)}, "date_past"),
        ({"until": timedelta(days=400)}, "basis_too_long"),
    ],
)
def test_it_is_refused(net: Net, wish: dict[str, Any], code: str) -> None:
    case = opened(net.cem, VALUES)
    given = {"basis": "court_order", "recipients": (HOGAR,), "why": WHY} | wish
    if "until" in given:
        given["until"] = net.clock.now() + given["until"]
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: legal_basis.record_basis(unit, net.cem.person("sara"), case.id, Wish(**given)))
    assert code_of(refused) == code
    assert net.cem.run(lambda unit: unit.bases.count()) == 0


def test_a_restored_copy_hears_that_it_ended(net: Net) -> None:
    """The journal of deaths names it, though it has no key: a copy of before does not give it life again (R14)."""
    case, referral, row = to_shelter(net)
    net.cem.run(restart.bury, {row.id})
    assert net.cem.run(lambda unit: living_bases(unit, case.id, HOGAR)) == ()
    assert net.cem.run(lambda unit: decide.still_allowed(unit, unit.referrals.get(referral.id))) == frozenset()


def test_the_end_is_written_where_a_restore_reads_it(net: Net) -> None:
    case, _, row = to_shelter(net)
    net.cem.run(lambda unit: legal_basis.end_basis(unit, net.cem.person("sara"), row.id))
    assert net.cem.run(lambda unit: unit.tombstones.get(row.id)) is not None
    assert case.id


def test_the_reason_is_under_her_key(net: Net) -> None:
    case, _, row = to_shelter(net)
    assert WHY.encode() not in road.everything(net.cem)
    assert net.cem.run(lambda unit: legal_basis.reason_of(unit, unit.bases.get(row.id))) == WHY
    logged = net.cem.run(lambda unit: [line.detail for line in unit.log.all(about=case.id)])
    assert WHY not in str(logged)


def test_by_chat(net: Net) -> None:
    """As it is typed: parts missing are asked for, what would leave is shown first, another person confirms, and it is ended by number."""
    case = opened(net.cem, VALUES)
    card = thread(net.cem, f"{case.code} · ")
    assert "¿Qué ley u orden" in typed(net.cem, "base legal", card)
    assert "¿Para qué institución?" in typed(net.cem, "orden de juzgado", card)
    assert "¿Por qué?" in typed(net.cem, "hogar-luz", card)
    typed(net.cem, WHY, card)
    net.cem.post()
    asked = net.cem.find("base legal por confirmar")
    assert "Ella no dio permiso. Con esto saldría sin su permiso" in asked.body
    assert WHY in asked.body
    assert VALUES["social_name"] not in asked.body.partition("sin su permiso")[2], "names of facts, never their values"
    assert "Otra persona del equipo confirma" in asked.body
    number = pick(asked.body, "confirmo")
    assert "otra persona" in typed(net.cem, number, card)
    typed(net.cem, number, card, "berta")
    net.cem.post()
    assert "Registró Ana Ejemplo, confirmó Berta Ejemplo" in net.cem.find("base legal registrada").body
    assert "Base legal, sin su permiso: lo ordena un juzgado" in next(s.body for s in reversed(net.cem.said) if "Base legal, sin" in s.body)
    listed = typed(net.cem, "quitar base legal", card)
    typed(net.cem, pick(listed, "lo ordena un juzgado"), card)
    net.cem.post()
    assert net.cem.find("se quitó la base legal")
    assert "ninguna base legal" in typed(net.cem, "quitar base legal", card)


def test_in_one_line(net: Net) -> None:
    case = opened(net.cem, VALUES)
    card = thread(net.cem, f"{case.code} · ")
    typed(net.cem, f"base legal {case.code} orden de juzgado para hogar-luz porque lo manda el juzgado hasta 30/12", card, "sara")
    (row,) = net.cem.run(lambda unit: unit.bases.all())
    assert (row.basis, row.recipients, row.state) == ("court_order", (HOGAR,), "waiting")
    assert (row.until.month, net.cem.run(lambda unit: legal_basis.reason_of(unit, row))) == (12, "lo manda el juzgado")
    net.cem.post()
    typed(net.cem, pick(net.cem.find("base legal por confirmar").body, "confirmo"), card, "sara")
    assert net.cem.run(lambda unit: unit.bases.get(row.id)).state == "active"
