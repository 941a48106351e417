"""Scenarios of the source documents, through words alone: who may see what, and who must never be reached (requirements.md, R53–R78)."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from hub.cli import app
from tests.scenarios.route import CEM, COLECTIVA, COMISARIA, FISCALIA, HOGAR, INSPECTORIA, ITS, KINDS, MIGRACIONES, POSTA, Route, pick

HIV, WORK, STATUS, LEGAL = "VIH-INVENTADO", "OFICIO-INVENTADO", "CALIDAD-INVENTADA", "Nombrelegal Inventado"
OTHERS = tuple(name for name in KINDS if name != CEM)


def test_a_trans_woman_is_called_by_her_name_and_nothing_else_of_it_travels() -> None:
    """R1–R3, R66: the name she uses and her pronouns reach the clinic; legal name, document and identity stay."""
    her = Route.opened(
        pronouns="ella", legal_name=LEGAL, gender_identity="IDENTIDAD-INVENTADA", document_number="00000017", phone="900000123",
        safe_contact="de 9 a 12",
    )  # fmt: skip
    her.agrees(POSTA, "salud")
    shown = her.preview(POSTA, "salud")
    assert LEGAL not in shown
    seen = her.refers(POSTA, "salud").sees()
    assert (seen["social_name"], seen["pronouns"]) == ("Luz Inventada", "ella")
    assert not {"legal_name", "gender_identity", "document_number"} & set(seen)
    for kept in (LEGAL, "IDENTIDAD-INVENTADA", "00000017"):
        assert not any(her.holds(name, kept) for name in OTHERS), kept


def test_a_migrant_without_a_document_is_received_and_migration_hears_nothing() -> None:
    """R4, R64: no document is no obstacle; the migration office is never proposed, and a consent to others opens no way to it."""
    her = Route.opened(
        document_type="ninguno", migration_status=STATUS, nationality="venezolana", needs="refugio", risk_level="alto", urgency="urgente"
    )  # fmt: skip
    for to, purpose in ((HOGAR, "refugio"), (POSTA, "salud")):
        her.agrees(to, purpose)
    assert "Migraciones" not in her.ana("rutas")
    assert her.refers(HOGAR, "refugio").sees()["risk_level"]
    her.ana(f"derivar a {MIGRACIONES} por refugio")
    her.ana(f"derivar a {MIGRACIONES} por documentos")
    her.net.settle()
    assert her.offered(MIGRACIONES) == 0
    assert not any(her.holds(name, STATUS) for name in OTHERS)


def test_a_policeman_of_the_station_nearby_is_reported_at_the_prosecutors_office() -> None:
    """R61: court, prosecutor or internal affairs; the station is neither proposed nor hinted at, and no word of anybody reaches it."""
    her = Route.opened(
        legal_name=LEGAL, aggressor_affiliation="policía", aggressor_name="Agresor Inventado", needs="denuncia", risk_level="alto",
        account="Lo que pasó. Resumen: la siguió un patrullero",
    )  # fmt: skip
    offered = her.ana("a quién derivo")
    names = [line for line in offered.splitlines() if line[:1].isdigit()]
    assert [name.split(". ")[1].split(" · ")[0] for name in names] == ["Fiscalia Norte", "Inspectoria Pnp"]
    assert "Denuncia, por teléfono: Poder Judicial (juzgado)" in offered
    assert "omisar" not in offered
    her.agrees(FISCALIA, "denuncia")
    her.ana(f"consentimiento oral a {COMISARIA} para denuncia campos todo lo necesario hasta 3 meses explicado")
    assert "1. " not in her.preview(COMISARIA, "denuncia")
    seen = her.refers(FISCALIA, "denuncia").sees()
    assert (seen["legal_name"], seen["aggressor_name"]) == (LEGAL, "Agresor Inventado")
    assert her.offered(COMISARIA) == 0
    assert not any(her.holds(COMISARIA, word) for word in (her.code, "Luz Inventada", LEGAL))


def test_internal_affairs_looks_into_the_police_and_learns_no_more_than_the_facts() -> None:
    """R61: the one police body that may hear of it, by her word alone, without address, health, work or legal name beyond its need."""
    her = Route.opened(
        aggressor_affiliation="policía", occupation=WORK, hiv_status=HIV, address="Calle Inventada 5", needs="denuncia contra funcionarios",
        account="Lo que pasó. Resumen: le pidieron plata",
    )  # fmt: skip
    her.agrees(INSPECTORIA, "denuncia")
    seen = her.refers(INSPECTORIA, "denuncia contra funcionarios").sees()
    assert not {"address", "occupation", "hiv_status", "migration_status", "notes"} & set(seen)
    assert not any(her.holds(INSPECTORIA, word) for word in (WORK, HIV, "Calle Inventada"))


def test_an_aggressor_at_the_prosecutors_office_calls_everything_back_from_it() -> None:
    """R62: named after the fact: the card there is destroyed, the office is never proposed again, and it does not learn why."""
    her = Route.opened(needs="denuncia", legal_name=LEGAL, phone="900000123", safe_contact="de 9 a 12")
    her.agrees(FISCALIA, "denuncia")
    there = her.refers(FISCALIA, "denuncia")
    assert there.sees()
    her.ana("anotar A qué institución pertenece la persona agresora: fiscalía")
    her.net.settle(16)
    assert there.sees() == {}
    assert not her.holds(FISCALIA, "900000123")
    assert not any("agres" in said.body for said in there.twin.said)
    assert "iscal" not in her.ana("rutas")


def test_who_protects_from_a_named_institution_does_not_give_it_away() -> None:
    """R61–R62: the shelter where he works is not proposed, and no other shelter either: «call another one» would name it."""
    her = Route.opened(needs="refugio", risk_level="crítico", aggressor_affiliation="Hogar Luz")
    offered = her.ana("rutas")
    assert "Hogar" not in offered
    assert "Refugio" in offered, "the need itself is named"
    assert "1. " not in her.preview(HOGAR, "refugio")


def test_a_minor_is_a_minor_to_those_who_accompany_her_and_no_birthday() -> None:
    """R26, R70: who accompanies her knows that she is a minor, not when she was born."""
    her = Route.opened(birth_date="2011-05-04", needs="acompañamiento")
    her.agrees(COLECTIVA, "acompañamiento")
    seen = her.refers(COLECTIVA, "acompañamiento").sees()
    assert "2011" not in str(seen)
    assert seen["birth_date"]
    assert not her.holds(COLECTIVA, "2011-05-04")


def test_hiv_is_for_her_hiv_care_alone() -> None:
    """R66, R70: her HIV centre reads it because she agreed; shelter and general clinic do not, whatever she agreed to with them."""
    her = Route.opened(hiv_status=HIV, needs="ITS y VIH, refugio", phone="900000123", safe_contact="de 9 a 12")
    for to, purpose in ((ITS, "salud"), (POSTA, "salud"), (HOGAR, "refugio")):
        her.agrees(to, purpose)
    assert her.refers(ITS, "VIH").sees()["hiv_status"] == HIV
    assert "hiv_status" not in her.refers(POSTA, "salud").sees()
    assert "hiv_status" not in her.refers(HOGAR, "refugio").sees()
    assert not any(her.holds(name, HIV) for name in OTHERS if name != ITS)


def test_sex_work_is_no_trafficking_and_nobody_reads_it() -> None:
    """R31, R35: the same route with and without it; trafficking is not proposed, and her work is told to nobody."""
    plain, her = Route.opened().ana("rutas"), Route.opened(occupation=WORK, situation_class="trabajo sexual")
    offered = her.ana("rutas")
    assert offered.splitlines()[1:] == plain.splitlines()[1:]
    assert "trata" not in offered + her.ana(f"derivar a {HOGAR}")
    for to, purpose, need in ((HOGAR, "refugio", "refugio"), (COLECTIVA, "acompañamiento", "acompañamiento")):
        her.agrees(to, purpose)
        assert not {"occupation", "situation_class"} & set(her.refers(to, need).sees())
    assert not any(her.holds(name, WORK) for name in OTHERS)
    routes = [_route("--need", "refugio"), _route("--need", "refugio", "--situation", "sex_work")]
    assert routes[0]["steps"] == routes[1]["steps"]


def test_trafficking_goes_to_protection_first_and_not_to_the_police() -> None:
    """R36, R53: only once it is recorded; the shelter before all, the station never."""
    her = Route.opened(situation_class="trata", needs="protección en casos de trata, denuncia por trata", risk_level="crítico")
    offered = her.ana("rutas")
    first = next(line for line in offered.splitlines() if line[:1].isdigit())
    assert "Hogar Luz" in first
    assert "omisar" not in offered
    assert "Fiscalia Norte · denuncia por trata" in offered
    found = _route("--need", "denuncia por trata", "--situation", "trata")
    assert not {"police_station", "municipal_security"} & {step["kind"] for step in found["steps"]}


def test_consent_for_one_purpose_is_none_for_another() -> None:
    """R70, R72: she agreed to shelter; the same institution gets nothing for anything else, and nobody else gets anything."""
    her = Route.opened(phone="900000123", safe_contact="de 9 a 12", needs="refugio")
    her.agrees(HOGAR, "refugio")
    assert "1. " not in her.preview(HOGAR, "protección en casos de trata")
    assert "1. " not in her.preview(POSTA, "salud")
    her.net.settle()
    assert not any(her.offered(name) for name in OTHERS)


def test_an_emergency_at_the_shelter_opens_her_address_with_the_shipped_protocol() -> None:
    """R76: at critical risk, for eight hours, reviewed within a day; what it may never open stays, and so does what she left out."""
    her = Route.opened(address="Calle Inventada 5", hiv_status=HIV, legal_name=LEGAL, phone="900000123", needs="refugio", risk_level="crítico")
    her.agrees(HOGAR, "refugio", "nombre, riesgo")
    there = her.refers(HOGAR, "refugio")
    for field in ("nombre legal", "VIH", "ocupación"):
        assert "su vida está en peligro" not in there.types(f"emergencia {field} porque no responde")
    there.types(pick(there.types("emergencia teléfono porque no responde"), "su vida"))
    assert "phone" not in there.sees(), "she left it out when she was asked"
    there.types(pick(there.types("emergencia dirección porque no responde y la vieron con él"), "su vida"))
    assert there.sees()["address"] == "Calle Inventada 5"
    assert "Por una emergencia: su vida está en peligro" in her.ana("quién sabe")
    her.net.wait(hours=9)
    assert "address" not in there.sees()
    assert not any(her.holds(HOGAR, word) for word in (HIV, LEGAL, "900000123"))


def test_a_community_organisation_passes_her_on_to_a_shelter_and_never_to_the_station() -> None:
    """R71: with the shipped protocol: to the next step, by the word of whoever sent her and by hers; the police are none."""
    her = Route.opened(phone="900000123", safe_contact="de 9 a 12", needs="acompañamiento", risk_level="alto", urgency="urgente")
    her.agrees(COLECTIVA, "acompañamiento")
    her.agrees(HOGAR, "refugio")
    there = her.refers(COLECTIVA, "acompañamiento")
    refused = there.types(f"compartir a {COMISARIA} por denuncia: nombre, teléfono porque hay que denunciar")
    assert "no permite pasar sus datos" in refused
    there.types(f"compartir a {HOGAR} por refugio: nombre, teléfono, contacto seguro porque tiene que salir hoy")
    her.ana(pick(her.net.cem.find("pide permiso").body, "dar permiso firmado"))
    her.net.settle(12)
    shelter = her.desk(HOGAR)
    shelter.types("aceptar")
    her.net.settle(12)
    assert (shelter.sees()["social_name"], shelter.sees()["phone"]) == ("Luz Inventada", "900000123")
    assert her.offered(COMISARIA) == 0
    her.ana(pick(her.ana(f"retirar a {HOGAR}"), "retirar"))
    her.net.settle(16)
    assert shelter.sees() == {}
    assert not her.holds(HOGAR, "900000123")


@pytest.mark.parametrize("affiliation", ["policía", "salud", "Hogar Luz"])
def test_whoever_is_excluded_is_in_no_list_of_the_desk(affiliation: str) -> None:
    """R61–R62: for no need at all, by number or in words, with or without a place."""
    her = Route.opened(aggressor_affiliation=affiliation)
    out = {"policía": ("Comisaria",), "salud": ("Posta", "Centro Its"), "Hogar Luz": ("Hogar",)}[affiliation]
    said = her.ana("rutas") + "".join(her.ana(f"derivar por {need}") for need in ("refugio", "salud", "denuncia"))
    assert "1. " in said, "others are there"
    assert not [name for name in out if name in said]


def test_a_colleague_of_ours_as_aggressor_reads_nothing_more_and_supervision_moves_it_outside() -> None:
    """R62, R118: the desk, which his colleagues read, shows the code alone; who bears his name finds no such case, not even her name."""
    her = Route.opened(phone="900000123", needs="refugio", risk_level="alto")
    cem = her.net.cem
    before = len(cem.said)
    her.ana("anotar Nombre de la persona agresora: Berta Ejemplo")
    her.ana("anotar A qué institución pertenece la persona agresora: Cem Lima")
    assert not any("nuestra institución" in said.body for said in cem.said if ".direct:" not in said.room)
    asked = [said for said in cem.said[before:] if "es de nuestra institución" in said.body]
    assert {said.room.rpartition(":@")[2].split(":")[0] for said in asked} == {"ana", "sara"}, "lead and supervision, each alone"
    assert all("Luz" not in said.body for said in asked)
    card = next(said for said in reversed(cem.said) if said.body.startswith(her.code) and "Restringido" in said.body)
    assert not any(word in card.body for word in ("Luz", "Refugio", "Alto"))
    assert "Luz" not in cem.type("berta", "casos")
    assert "900000123" not in cem.type("berta", f"ver {her.code} porque me lo pidieron", room="direct")
    assert "900000123" in cem.type("ana", f"ver {her.code}", room="direct")
    assert "900000123" in cem.type("sara", f"ver {her.code} porque superviso", room="direct")
    assert "Hogar Luz · refugio" in her.ana("rutas"), "and she is not left alone"


def _route(*given: str) -> dict[str, list[dict[str, str]]]:
    done = CliRunner().invoke(app, ["route", *given, "--pack", "pe", "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return found
