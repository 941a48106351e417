"""`tinkuy route`: the simulator for institutions and the sheet for her; and a hub of another country's pack."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import textstat as textstat_module
from typer.testing import CliRunner

from hub.base.packcheck import pack_of
from hub.cli import app
from hub.cli_base import Exit
from hub.cli_route import sheet_lines
from policies import packs
from policies.packs import Pack
from policies.routing import RouteFacts

textstat = textstat_module.textstat
runner = CliRunner()
every_pack = pytest.mark.parametrize("pack", [pytest.param(packs.load(name), id=name) for name in packs.shipped()])
LEGAL = "ley |decreto|artículo|normativa|conciliación|jurisdic|imputad|agravi|tipificad"


def ran(*line: str) -> str:
    found = runner.invoke(app, ["route", *line])
    assert found.exit_code == Exit.DONE, found.output
    return found.stdout


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_r61_the_simulator_shows_order_times_laws_and_who_is_kept_out() -> None:
    shown = ran("--need", "denuncia", "--affiliation", "policía")
    assert re.findall(r"^\d\. .*\((\w+)\)", shown, re.MULTILINE) == ["court", "prosecutor", "police_internal_affairs"]
    assert "Comisaría (PNP)" in shown.split("Nunca")[1]
    assert "2 días" in shown
    assert "Ley 30364" in shown
    assert "105" not in shown


def test_the_answer_for_programs_carries_every_citation_and_whether_it_was_checked() -> None:
    found = json.loads(ran("--need", "protection", "--risk", "high", "--json"))
    assert found["steps"][0] == {"kind": "shelter", "within_seconds": 86400.0, "citations": ["ley_30364", "ds_012_2019_mimp"],
                                 "rules": ["everybody", "serious-risk"]}  # fmt: skip
    assert {item["id"]: item["to_verify"] for item in found["citations"]}["dl_1470"] is True
    assert all(item["es"] and item["en"] for item in found["rights"])


def test_another_pack_is_asked_for_by_name() -> None:
    found = json.loads(ran("--need", "protection", "--affiliation", "municipality", "--pack", "ec", "--json"))
    assert "rights_board" in found["excluded"]
    assert found["steps"][0]["kind"] == "court"
    assert [item["number"] for item in found["emergency"]] == ["911"]


@pytest.mark.parametrize(("line", "meant"), [
    (["--need", "refujio"], "refugio|shelter"), (["--need", "shelter", "--risk", "altísimo"], "high"),
    (["--need", "shelter", "--age", "20"], "18-29"),
    (["--need", "shelter", "--pack", "px"], "pe"), (["--need", "shelter", "--affiliation", "polisía"], "police"),
])  # fmt: skip
def test_a_word_that_nobody_knows_ends_with_what_there_is(line: list[str], meant: str) -> None:
    found = runner.invoke(app, ["route", *line])
    assert found.exit_code == Exit.USAGE
    assert re.search(meant, found.stderr)
    assert found.stdout == ""


def sheets(pack: Pack) -> dict[str, list[str]]:
    found = {}
    for need in pack.vocabulary.needs:
        for risk in (None, "critical"):
            for affiliation in ("partner", "police"):
                route = pack.route(RouteFacts(need=need, risk=risk, affiliations=frozenset({affiliation}), situation="trafficking" if risk else None))
                found[f"{need}/{risk}/{affiliation}"] = sheet_lines(pack, route, "es")
    return found


@every_pack
def test_r9_r13_the_sheet_is_easy_and_says_nothing_of_a_case_or_a_law(pack: Pack) -> None:
    textstat.set_lang("es")
    for name, lines in sheets(pack).items():
        text = "\n".join(lines)
        assert not re.search(LEGAL, text, re.IGNORECASE), name
        assert not re.search(r"\b[a-z]+_[a-z_]+\b", text.replace("____________________", "")), f"a code in {name}"
        # Whoever finds it learns that she was given addresses, and not what happened nor whom she accuses (R19, R30).
        text = text.replace("Defensa Pública de Víctimas", "")  # that is its name, and it defends others too
        assert not re.search(r"trata\b|denunci|víctima|agred|agres|explota|medida|VIH|riesgo", text, re.IGNORECASE), name
        assert "Todo es gratis." in text
        assert "no lleva su nombre" in text


@every_pack
def test_r9_every_right_and_every_reason_is_short_and_easy(pack: Pack) -> None:
    """What she reads: on the whole easy, and no sentence long. A single short line cannot be scored by a formula, so its words are counted."""
    textstat.set_lang("es")
    rights = [right.text.es for right in pack.routes.rights.values()]
    reasons = [rule.because.es for rule in pack.routes.rules]
    for said in (rights, reasons):
        assert textstat.fernandez_huerta(" ".join(said)) >= 70
        assert max(len(sentence.split()) for line in said for sentence in re.split(r"(?<=[.?!])\s+", line)) <= 14


@every_pack
def test_the_sheet_of_every_route_reads_easily(pack: Pack) -> None:
    textstat.set_lang("es")
    for name, lines in sheets(pack).items():
        # Names of institutions are what they are; everything the sheet itself says is scored.
        own = [line for line in lines if line and not re.match(r"\d\. |   Tel|- \d", line) and not line.isupper()]
        assert textstat.fernandez_huerta(" ".join(line.rstrip(":").removeprefix("- ").rstrip(".") + "." for line in own)) >= 70, name


def test_a_hub_of_another_country_is_prepared_checked_and_its_words_are_held_against_its_pack(tmp_path: Path) -> None:
    line = ["init", "--id", "spi-quito", "--name", "SPI Quito", "--kind", "protection_service", "--territory", "Quito", "--homeserver", "http://127.0.0.1:1",
            "--user", "@tinkuy:prueba.example", "--need", "emergency_care", "--pack", "ec", "--zone", "America/Guayaquil"]  # fmt: skip
    made = runner.invoke(app, line)
    assert made.exit_code == Exit.DONE, made.output
    assert runner.invoke(app, ["config", "check"]).exit_code == Exit.DONE
    from hub.base.config import load

    assert pack_of(load(tmp_path / "tinkuy.toml")).id == "ec"
    assert "Casa de acogida" in ran("--need", "acogida"), "the route speaks the pack of the configuration"
    text = (tmp_path / "tinkuy.toml").read_text().replace('"protection_service"', '"emergency_centre"')
    (tmp_path / "tinkuy.toml").write_text(text)
    assert runner.invoke(app, ["config", "check"]).exit_code == Exit.CONFIG
    (tmp_path / "tinkuy.toml").write_text(text.replace('"ec"', '"ex"'))
    refused = runner.invoke(app, ["config", "check"])
    assert "ec, pe" in refused.stderr, "every shipped pack is named"
