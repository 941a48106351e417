"""Coverage (R104, R108): counted from kinds and territories alone, and one community organisation is named as the only one."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from hub import cli_network
from hub.app.network_commands import _coverage
from hub.cli import app
from policies import packs
from policies.coverage import Seat, Territory, coverage
from tests.actions import road

PACK = packs.load("pe")


def seat(institution: str, kind: str, territory: str = "Comas", *, linked: bool = True) -> Seat:
    return Seat(institution=institution, kind=kind, territory=territory, linked=linked)


def missing(territory: Territory, need: str) -> tuple[str, ...]:
    return next((one.missing for one in territory.needs if one.need == need), ())


def test_a_step_is_covered_where_somebody_linked_is_and_nowhere_else() -> None:
    comas, puno = coverage((seat("hogar", "shelter"), seat("hogar-sur", "shelter", "Puno", linked=False)), PACK)
    assert (comas.name, puno.name) == ("Comas", "Puno")
    assert "shelter" not in missing(comas, "shelter")
    assert "shelter" in missing(puno, "shelter"), "on the list and not linked: nobody can be referred there"
    assert next(one for one in puno.needs if one.need == "shelter").wholly
    assert not next(one for one in comas.needs if one.need == "shelter").wholly


def test_a_national_body_counts_everywhere_and_spellings_of_a_place_are_one() -> None:
    found = coverage((seat("susalud", "health_oversight", "Lima"), seat("posta", "health_facility", "Púno"), seat("otra", "ngo", "puno ")), PACK)
    assert [one.name for one in found] == ["Lima", "Púno"]
    assert "health_oversight" not in missing(found[1], "service_complaint")


def test_one_community_organisation_alone_is_named_and_two_are_not() -> None:
    one, two = seat("colectiva", "community_organisation"), seat("red", "community_organisation")
    assert coverage((one,), PACK)[0].one_voice == "colectiva"
    assert coverage((one, two), PACK)[0].one_voice == ""
    assert coverage((seat("hogar", "shelter"),), PACK)[0].one_voice == ""


@pytest.mark.parametrize("english", [False, True])
def test_an_administrator_reads_it(english: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = road.fresh().cem.run(_coverage)
    monkeypatch.setattr(cli_network, "ask", lambda *_, **__: answer)
    done = CliRunner().invoke(app, [*(["--lang", "en"] if english else []), "network", "coverage"])
    assert done.exit_code == 0, done.output
    assert "hogar-luz (" in done.output
    assert ("MIND: no community organisation here" if english else "OJO: ninguna organización comunitaria aquí") in done.output
    said = next(line for line in done.output.splitlines() if ("nobody linked for" if english else "nadie enlazado para") in line)
    assert ("Interpreter" if english else "Intérprete") in said
    assert ("Shelter" if english else "Refugio,") not in said
