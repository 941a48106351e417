"""`tinkuy policy` as an administrator types it: what she reads, what programs read, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hub.base.errors import Refused
from hub.cli import app
from hub.cli_base import Exit
from hub.cli_choose import choose
from hub.cli_policy_sources import joined
from policies import packs
from tests.operation.test_operation_cli import FakeHub, home, hub

runner = CliRunner()
__all__ = ["home", "hub"]
TEXT = packs.protocol_text("pe", "shelter")
NEXT = TEXT.replace("version: 1", "version: 2").replace("  pregnancy: release", "  pregnancy: presence").replace("P2Y", "P5Y")


def tinkuy(*words: str, lang: str = "es") -> tuple[int, str, str]:
    done = runner.invoke(app, ["--lang", lang, "policy", *words], env={"COLUMNS": "100"})
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a hub, with a next version of a shipped protocol."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "next.yaml").write_text(NEXT)
    return tmp_path


def test_check_says_file_line_column_and_what_was_meant(folder: Path) -> None:
    (folder / "bad.yaml").write_text(TEXT.replace("  phone: ", "  phoen: "))
    status, out, _ = tinkuy("check", "bad.yaml")
    assert status == Exit.REFUSED
    line = TEXT[: TEXT.index("  phone: ")].count("\n") + 1
    assert f"bad.yaml:{line}:3 error: No se conoce la clave `phoen`.  (unknown_key)" in out
    assert "¿quiso decir `phone`?" in out
    status, out, _ = tinkuy("check", "bad.yaml", "next.yaml", "--json")
    assert status == Exit.REFUSED
    bad, good = json.loads(out)
    assert bad["findings"][0]["suggestion"] == "phone"
    assert {finding["severity"] for finding in good["findings"]} == {"note"}
    assert {finding["about"] for finding in good["findings"]} < set(packs.load("pe").vocabulary.fields)


def test_what_is_not_shared_is_told_once_by_name_and_is_no_oversight(folder: Path) -> None:
    """Withholding is how everything begins, so a document that says less passes the strictest look."""
    status, out, _ = tinkuy("check", "next.yaml", "pe/shelter", "--strict")
    assert status == Exit.DONE
    first, last = out.splitlines()[:2]
    assert first.startswith("next.yaml: no se comparte nunca, porque ninguna regla lo menciona (33): ")
    assert ", correo, " in first
    assert last == "next.yaml: 0 errores, 0 avisos."
    assert "never shared, for no rule mentions it (33): " in tinkuy("check", "next.yaml", lang="en")[1]


def test_warnings_name_their_words_together_and_end_well_unless_they_are_not_wanted(folder: Path) -> None:
    (folder / "idle.yaml").write_text(TEXT.replace("parties: [", "parties: [migration_office, sti_hiv_centre, "))
    status, out, _ = tinkuy("check", "idle.yaml")
    assert status == Exit.DONE
    (line,) = [line for line in out.splitlines() if "aviso:" in line]
    place = "idle.yaml:" + str(TEXT[: TEXT.index("parties: [")].count("\n") + 1)
    assert line.startswith(f"{place}:11 aviso: `migration_office` (")
    assert "), `sti_hiv_centre` (" in line
    assert "(también en " in line
    assert out.splitlines()[-1] == "idle.yaml: 0 errores, 2 avisos."
    assert tinkuy("check", "idle.yaml", "--strict")[0] == Exit.REFUSED


@pytest.mark.parametrize("said", ["teléfono", "TELEFONO", "Phone", "phone"])
def test_a_word_is_taken_as_people_say_it(folder: Path, said: str) -> None:
    assert tinkuy("matrix", "shelter", "--field", said)[1] == tinkuy("matrix", "shelter", "--field", "phone")[1]


def test_a_label_that_two_words_have_is_asked_back_and_the_hint_can_be_typed(folder: Path) -> None:
    status, _, err = tinkuy("matrix", "shelter", "--field", "telefno")
    assert (status, err.splitlines()[1]) == (Exit.USAGE, "→ ¿Quiso decir `phone` (Teléfono)?")
    both = {"a": ("Queja", "Complaint"), "b": ("queja", "Grievance")}
    with pytest.raises(typer.Exit):
        choose("--field", "QUEJA", both)
    assert choose("--field", "grievance", both) == "b"


def test_the_matrix_fits_a_hundred_columns_and_says_who_is_cut(folder: Path) -> None:
    wide = TEXT.replace("to_kinds: [shelter]", "to_kinds: [shelter, emergency_centre, court, prosecutor, health_facility]")
    assert wide != TEXT
    wide += "  email: {share: release, to: [court]}\n"
    (folder / "wide.yaml").write_text(wide)
    for name in ("pe/shelter", "pe/emergency-centre", "wide.yaml"):
        status, out, _ = tinkuy("matrix", name)
        assert status == Exit.DONE
        assert max(map(len, out.splitlines())) <= 100
        assert "Nada sale, diga lo que diga la tabla" in out
    assert packs.load("pe").vocabulary.label("kinds", "court").split()[0] in out
    assert "sí si consta que lo ordena un juzgado" in tinkuy("matrix", "shelter", "--field", "legal_name")[1]
    assert "yes; and without her consent" in tinkuy("matrix", "shelter", "--field", "phone", lang="en")[1]


def test_many_different_columns_are_letters_with_notes(folder: Path) -> None:
    kinds = ["shelter", "emergency_centre", "court", "prosecutor", "health_facility"]
    text = TEXT.replace("to_kinds: [shelter]", f"to_kinds: [{', '.join(kinds)}]")
    fields = ("email", "housing", "income", "education", "ethnicity")
    text += "".join(f"  {field}: {{share: release, to: [{kind}], when: {{risk: [critical]}}}}\n" for field, kind in zip(fields, kinds, strict=True))
    (folder / "letters.yaml").write_text(text)
    status, out, _ = tinkuy("matrix", "letters.yaml")
    assert status == Exit.DONE
    lines = out.splitlines()
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("E  ") for line in lines)
    assert any(line.strip() == "1  sí; y sin su permiso si consta que su vida está en peligro o lo ordena un juzgado" for line in lines)


def test_matrices_are_written_and_nothing_is_overwritten(folder: Path) -> None:
    status, out, _ = tinkuy("matrix", "shelter", "--csv", "m.csv", "--html", "m.html", "--svg", "m.svg", "--png", "m.png")
    assert status == Exit.DONE
    assert "m.csv, m.html, m.svg, m.png" in out
    assert (folder / "m.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert (folder / "m.csv").read_bytes().startswith(b"\xef\xbb\xbffield,")
    before = (folder / "m.html").read_bytes()
    status, _, err = tinkuy("matrix", "shelter", "--html", "m.html")
    assert status == Exit.REFUSED
    assert "file.not_written" in err
    assert (folder / "m.html").read_bytes() == before


def test_a_word_that_the_protocol_does_not_have_is_asked_back(folder: Path) -> None:
    status, _, err = tinkuy("matrix", "shelter", "--field", "phonee")
    assert status == Exit.USAGE
    assert "`phone`" in err
    status, _, err = tinkuy("matrix", "sheltre")
    assert status == Exit.USAGE
    assert "shelter" in err
    assert tinkuy("matrix", "nowhere.yaml")[0] == Exit.USAGE
    assert "unreadable" in tinkuy("check", "next.yaml", "--pack", "unreadable")[2]


@pytest.mark.parametrize("lang", ["es", "en"])
def test_diff_never_says_nothing_changes_when_more_opens_beside_the_rules(folder: Path, lang: str) -> None:
    """An emergency that opens more, passing on and the offer are told in words, not as keys (a newcomer signed without seeing them)."""
    text = packs.protocol_text("pe", "mental-health")
    for old, new in (("fields: [address,", "fields: [document_number, address,"), ("territory: generalise:province", "territory: release"),
                     ("onward: false", "onward: grant")):  # fmt: skip
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "more.yaml").write_text(text)
    status, out, _ = tinkuy("diff", "pe/mental-health", "more.yaml", lang=lang)
    assert status == Exit.DONE
    said = " ".join(out.split())
    assert ("Nadie ve nada distinto." if lang == "es" else "Nobody sees anything different.") not in said
    told = {
        "es": ("nadie ve nada distinto, pero cambia lo que sigue:",
               "En una emergencia (dos personas, con aviso) podrá abrirse además: número de documento.",
               "La oferta, antes de aceptar, mostrará: distrito tal cual (antes: solo la provincia).",
               "Quien recibe podrá pasarlo a otra institución si la dueña lo concede cada vez: "),
        "en": ("nobody sees anything different, but what follows changes:",
               "In an emergency (two people, with notice) may also be opened: document number.",
               "The offer, before anybody accepts, will show: district as it is (before: only the province).",
               "Whoever receives may pass it on to another institution if the owner grants it each time: "),
    }  # fmt: skip
    for line in told[lang]:
        assert line in said, line
    for key in ("break_glass", "onward", "offer."):
        assert key not in out
    assert len(json.loads(tinkuy("diff", "pe/mental-health", "more.yaml", "--json")[1])["opens_beside"]) == 3


def test_the_matrix_does_not_say_never_of_what_an_emergency_opens(folder: Path) -> None:
    text = packs.protocol_text("pe", "mental-health").replace("fields: [address,", "fields: [email, address,")
    (folder / "more.yaml").write_text(text)
    assert tinkuy("matrix", "more.yaml", "--html", "m.html")[0] == Exit.DONE
    page = (folder / "m.html").read_text()
    for said in (" ".join(tinkuy("matrix", "more.yaml")[1].split()), page):
        assert "En una emergencia (dos personas, con aviso) puede abrirse: " in said
        assert "La oferta muestra antes de aceptar: necesidad, distrito (solo la provincia), urgencia" in said
        assert "Salvo en una emergencia y donde dice «sin su permiso», solo con su permiso." in said
        assert "Puede pasarse" not in said
    assert "correo (salvo emergencia)" in " ".join(tinkuy("matrix", "more.yaml")[1].split())
    assert "e-mail (but in an emergency)" in " ".join(tinkuy("matrix", "more.yaml", lang="en")[1].split())
    assert "Puede pasarse a otra institución, si la dueña lo concede cada vez: " in tinkuy("matrix", "pe/shelter")[1].replace("\n", " ")


def test_diff_says_who_sees_what_no_more(folder: Path) -> None:
    status, out, _ = tinkuy("diff", "pe/shelter", "next.yaml")
    assert status == Exit.DONE
    assert "Se vería menos (1)" in out
    assert "antes sí; ahora solo que existe; con su permiso; siempre" in out
    assert "purposes.shelter_protection.retention: P2Y → P5Y" in out
    told = json.loads(tinkuy("diff", "pe/shelter", "next.yaml", "--json")[1])
    assert [change["field"] for change in told["visible"]] == ["pregnancy"]
    assert {change["key"] for change in told["document"]} == {"version", "purposes.shelter_protection.retention"}
    assert "dicen lo mismo" in tinkuy("diff", "shelter", "shelter")[1]
    assert tinkuy("diff", "shelter", str(folder))[0] == Exit.USAGE


def test_a_version_comes_from_the_hub_or_is_refused_clearly(folder: Path, home: Path, hub: FakeHub) -> None:
    hub.answers["protocol.text"] = {"protocol": "shelter", "version": 2, "state": "proposed", "text": NEXT}
    status, out, _ = tinkuy("diff", "shelter", "shelter@2")
    assert status == Exit.DONE
    assert "Se vería menos (1)" in out
    assert hub.asked == [("protocol.text", {"protocol": "shelter"}), ("protocol.text", {"protocol": "shelter", "version": 2})]
    hub.answers["protocol.text"] = {"protocol": "shelter", "version": 3, "state": "unknown", "text": None}
    status, _, err = tinkuy("diff", "shelter", "shelter@3")
    assert status == Exit.REFUSED
    assert "policy.no_version" in err
    hub.stop()
    assert tinkuy("diff", "shelter", "shelter@2")[0] == Exit.AWAY
    hub.stop = lambda: None  # type: ignore[method-assign]


def test_simulate_without_a_hub_tells_invented_cases_and_that_the_own_ones_were_not_seen(folder: Path) -> None:
    status, out, err = tinkuy("simulate", "next.yaml")
    assert status == Exit.DONE
    assert "casos inventados" in out
    assert "embarazo: sí → solo que existe" in out
    assert "no se miraron" in err
    told = json.loads(tinkuy("simulate", "next.yaml", "--offline", "--json")[1])
    assert told["cases"] is None
    assert any(one["fields"] for one in told["invented"])


def test_invented_cases_are_numbered_in_the_language_of_the_run(folder: Path) -> None:
    out = tinkuy("simulate", "next.yaml", "--offline", "--all")[1]
    assert "caso inventado 1 · " in out
    assert "agreed" not in out
    assert "silent" not in out
    assert "invented case 1 · " in tinkuy("simulate", "next.yaml", "--offline", "--all", lang="en")[1]


@pytest.mark.parametrize("written", [["shelter@2"], ["shelter", "2"], ["shelter 2"], ["Shelter @v2"]])
def test_a_version_may_be_written_with_a_space(home: Path, hub: FakeHub, written: list[str]) -> None:
    hub.answers["protocol.text"] = {"text": NEXT}
    status, out, err = tinkuy("check", *written)
    assert (status, err) == (Exit.DONE, "")
    assert "shelter@2: 0 errores" in out
    assert hub.asked[-1] == ("protocol.text", {"protocol": "shelter", "version": 2})


@pytest.mark.parametrize(("given", "numbers", "meant"), [
    (["shelter", "2", "folder"], 1, ["shelter@2", "folder"]),
    (["shelter", "1", "shelter", "2"], 1, ["shelter@1", "shelter@2"]),
    (["shelter", "2", "1", "Así queda"], 2, ["shelter@2", "1", "Así queda"]),
    (["shelter", "1", "Así queda"], 2, ["shelter", "1", "Así queda"]),
    (["shelter@2", "Articulo 5"], 1, ["shelter@2", "Articulo 5"]),
    (["shelter", "--count", "3"], 1, ["shelter", "--count", "3"]),
])  # fmt: skip
def test_only_a_number_right_after_a_name_is_its_version(given: list[str], numbers: int, meant: list[str]) -> None:
    """What somebody says stays as it is, and the number of a comment is no version."""
    assert joined(given, numbers=numbers) == meant


@pytest.mark.parametrize("option", ["--reason", "--manifests"])
def test_an_options_value_is_no_protocol(option: str) -> None:
    assert joined([option, "motivo", "3", "shelter", "2"]) == [option, "motivo", "3", "shelter@2"]
    assert joined(["--yes", "shelter", "2"]) == ["--yes", "shelter@2"]


def test_simulate_with_the_hub_shows_codes_and_names_of_fields(folder: Path, home: Path, hub: FakeHub) -> None:
    field = {"field": "pregnancy", "kind": "narrower", "was": "release", "now": "presence"}
    changed = {"case": "C-7QK4M", "recipient": "hogar-luz", "need": "shelter", "fields": [field]}
    hub.answers["policy.simulate"] = {"looked_at": 10, "count": 1, "named": True, "changed": [changed]}
    status, out, _ = tinkuy("simulate", str(folder / "next.yaml"))
    assert status == Exit.DONE
    assert "Casos propios abiertos que se miraron: 10 o más; cambiarían: 1." in out
    assert "C-7QK4M\thogar-luz\trefugio\tembarazo\tse vería menos" in out
    assert hub.asked[-1] == ("policy.simulate", {"text": NEXT})


RULING = {
    "case": "C-7QK4M", "recipient": "hogar-luz", "recipient_kind": "shelter", "need": "shelter", "purpose": "shelter_protection",
    "protocol": "shelter", "version": 1, "excluded": False, "consent": "con_1", "consent_state": "active",
    "fields": [
        {"field": "address", "outcome": "withhold", "generalisation": None, "reason": "withheld_by_rule", "rule": "address.withhold",
         "params": {"because_es": "Su dirección no hace falta para recibirla.", "because_en": "Her address is not needed."}},
        {"field": "age", "outcome": "generalise", "generalisation": "age_band", "reason": "consent", "rule": "age.generalise:age_band", "params": {}},
    ],
}  # fmt: skip


def test_explain_is_plain_for_staff_and_by_rule_for_auditors(home: Path, hub: FakeHub) -> None:
    hub.answers["policy.explain"] = [RULING]
    status, out, _ = tinkuy("explain", "C-7QK4M", "hogar-luz")
    assert status == Exit.DONE
    assert "C-7QK4M ante hogar-luz, por refugio" in out
    assert "edad\tSe comparte solo el grupo de edad. Ella dijo que sí y el protocolo lo permite." in out
    assert "No se comparte. Su dirección no hace falta para recibirla." in out
    assert "rule" not in out
    status, out, _ = tinkuy("explain", "C-7QK4M", "hogar-luz", "--audit", "--need", "shelter")
    assert "shelter@1 · shelter_protection · consentimiento con_1 (active)" in out
    assert "address\twithhold\twithheld_by_rule\taddress.withhold" in out
    assert hub.asked[-1] == ("policy.explain", {"case": "C-7QK4M", "recipient": "hogar-luz", "need": "shelter"})
    hub.answers["policy.explain"] = Refused("no_protocol", institution="hogar-luz", need="food")
    status, _, err = tinkuy("explain", "C-7QK4M", "hogar-luz")
    assert status == Exit.REFUSED
    assert "Ningún protocolo vigente" in err


def test_examples_beside_a_protocol_are_run_and_each_miss_is_told(folder: Path) -> None:
    status, out, _ = tinkuy("test")
    assert status == Exit.DONE
    assert all(f"pe/{name}: " in out for name in packs.load("pe").protocols)
    own = folder / "own"
    (own / "RELEASE").mkdir(parents=True)
    (own / "protocol.yaml").write_text(TEXT)
    example = packs.example_texts("pe", "shelter", "RELEASE")["court-admission.yaml"]
    (own / "RELEASE" / "one.yaml").write_text(example)
    assert tinkuy("test", "own")[0] == Exit.DONE
    (own / "protocol.yaml").write_text(TEXT.replace("  legal_name: {share: release", "  legal_name: {share: presence"))
    status, out, _ = tinkuy("test", "own")
    assert status == Exit.REFUSED
    assert "RELEASE/one.yaml: legal_name: se esperaba «Nombre Legal Inventado», salió «presence»" in out
    assert ": 1 ejemplo, 1 falla." in out
    (own / "RELEASE" / "two.yaml").write_text("about: x\n")
    told = json.loads(tinkuy("test", "own", "--json")[1])
    assert told[0]["failed"] == 2
    status, _, err = tinkuy("test", "next.yaml")
    assert status == Exit.REFUSED
    assert "policy.no_examples" in err
    assert "El documento no se probó" in err
    assert "tinkuy protocol draft NOMBRE CARPETA" in err
