"""What an administrator reads when a command is refused: a sentence in her language, and the code at the end of it only."""

from __future__ import annotations

import ast
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import keys.errors
from hub.actions.peers import PEOPLE
from hub.backup_words import backup_codes, sentence_of
from hub.base.errors import Forged, Refused, Stopped, TinkuyError
from hub.chat.refusals import SENTENCES
from hub.chat.stopped import BECAUSE
from hub.cli import app
from hub.cli_base import Exit
from hub.cli_hold import _BASES
from hub.cli_words import has_words, known_codes, sentence
from hub.key_words import WORDS
from keys.errors import KeysError, ManifestRefused
from policies import packs
from tests.operation.test_operation_cli import ROOT, FakeHub, home, hub

runner = CliRunner()
__all__ = ["home", "hub"]

OURS = {"Refused", "Stopped", "Forged", "ControlError", "HubAway", "MatrixError", *(
    name for name, value in vars(keys.errors).items() if isinstance(value, type) and issubclass(value, KeysError)
)}  # fmt: skip
"""What a command can end by. `PeerFault` is not among them: nobody types it, it is answered to a peer."""
DESK_ONLY = {
    "account", "answer", "close_case", "compose", "compose_onward", "emergency", "legal_basis", "onward_holder", "onward_owner", "open_case",
    "plan_check_in", "receipts", "record_consent", "refer", "show_value", "undo", "withdraw", "work",
}  # fmt: skip
"""Actions that no control command calls: their refusals are read in a chat room. A new action is not here, and must have words for both."""


def raised() -> dict[str, set[str]]:
    """Every code that is written beside one of our errors → the files it is in."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in [*(ROOT / "hub").rglob("*.py"), *(ROOT / "keys").rglob("*.py")]:
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            given = [word.value for word in call.keywords if word.arg == "code"] + call.args[:1]
            if name in OURS or (name == "__init__" and path.name == "errors.py"):
                codes = [g.value for g in given if isinstance(g, ast.Constant) and isinstance(g.value, str)]
                found.update({c: found[c] | {str(path.relative_to(ROOT))} for c in codes if re.fullmatch(r"[a-z][a-z0-9_.]+", c)})
    for value in vars(keys.errors).values():
        if isinstance(value, type) and issubclass(value, KeysError):
            found[value.code].add("keys/errors.py")
    return found


def reach_the_terminal() -> Iterator[str]:
    desk = {f"hub/actions/{name}.py" for name in DESK_ONLY}
    for code, files in raised().items():
        if not all(file in desk or file.startswith("hub/chat/") for file in files):
            yield code


def test_every_code_that_can_reach_the_terminal_has_words_in_both_languages() -> None:
    codes = set(reach_the_terminal())
    assert {"keys.cannot_open", "manifest.roots", "json.syntax", "not_enrolled", "control.internal", "kek.pin", "backup.damaged"} <= codes
    assert len(codes) > 110
    assert {code for code in codes if not has_words(code) and code not in backup_codes()} == set()


def test_what_only_a_desk_can_be_refused_has_words_there() -> None:
    for name in DESK_ONLY:
        assert (ROOT / f"hub/actions/{name}.py").exists()
    desk = set(raised()) - set(reach_the_terminal())
    assert len(desk) > 15
    assert {code for code in desk if code not in SENTENCES and not has_words(code)} == set()


@pytest.mark.parametrize("code", sorted({*known_codes(), *WORDS, *backup_codes(), "json.depth", "bytes.short", "matrix.refused"}))
def test_words_say_what_and_what_to_do_and_show_no_bare_place_for_a_parameter(code: str) -> None:
    es, en, fix_es, fix_en = sentence_of(code, {}) if code in backup_codes() else sentence(code, {})
    assert all((es, en, fix_es, fix_en))
    assert es != en
    assert fix_es != fix_en
    for each in (es, en, fix_es, fix_en):
        assert "{" not in each


@pytest.mark.parametrize(("why", "es", "en"), [
    ("manifest.roots", "raíces que este hub conoce", "roots that this hub knows"),
    ("manifest.malformed", "no es un manifiesto de Tinkuy", "no manifest of Tinkuy"),
    ("json.syntax", "no es un manifiesto de Tinkuy", "no manifest of Tinkuy"),
    ("directory.matrix_user (cem-lima)", "ya es de otra institución o persona (cem-lima)", "another institution's or person's already (cem-lima)"),
])  # fmt: skip
def test_the_cause_speaks_in_words_and_its_code_stands_at_the_end(hub: FakeHub, home: Path, why: str, es: str, en: str) -> None:
    hub.answers["peer.add"] = Refused("peer_manifest_refused", why=why)
    (home / "m").write_text("{}")
    told = runner.invoke(app, ["peer", "add", "m"])
    assert told.exit_code == Exit.REFUSED
    first, second = told.stderr.splitlines()
    assert es in first
    assert first.endswith(f"(peer_manifest_refused: {why.split(' ')[0]})")
    assert "why" not in told.stderr
    assert second.startswith("→ ")
    assert en in runner.invoke(app, ["--lang", "en", "peer", "add", "m"]).stderr


def test_an_error_of_keys_in_the_running_hub_is_told_by_its_code_and_never_as_a_fault(hub: FakeHub) -> None:
    hub.answers["status"] = ManifestRefused("english words for the log", code="manifest.gap")
    told = runner.invoke(app, ["status"])
    assert told.exit_code == Exit.REFUSED
    assert "Falta un manifiesto" in told.stderr
    assert "english" not in told.stderr
    assert json.loads(runner.invoke(app, ["status", "--json"]).stdout)["error"]["code"] == "manifest.gap"


def test_what_the_hub_names_in_a_refusal_is_filled_in_and_cannot_move_the_cursor(hub: FakeHub) -> None:
    hub.answers["staff.add"] = TinkuyError("account_of_hub", institution="cem\x1b[2J-lima")
    told = runner.invoke(app, ["staff", "add", "@hub:prueba.example"]).stderr
    assert "cuenta del hub de cem [2J-lima" in told
    assert "{" not in told


@pytest.mark.parametrize(("content", "es", "en"), [
    (b"", "está vacío", "is empty"),
    (b"age-encryption.org/v1\n-> X25519", "es un respaldo cifrado", "an encrypted backup"),
    (b"\x89PNG\r\n\x1a\n", "es una imagen o un documento", "a picture or a document"),
    (b"\xff\xd8\xff\xe0", "es una imagen o un documento", "a picture or a document"),
    (b"tinkuy-root-v1 00", "es una clave secreta", "a secret key"),
    (b"x" * 70_000, "demasiado grande", "too large"),
])  # fmt: skip
def test_a_file_that_is_no_manifest_is_told_apart_and_never_sent(hub: FakeHub, home: Path, content: bytes, es: str, en: str) -> None:
    (home / "m").write_bytes(content)
    told = runner.invoke(app, ["peer", "add", "m"])
    assert told.exit_code == Exit.USAGE
    assert es in told.stderr
    assert re.search(r"\(file\.[a-z_]+\)$", told.stderr.splitlines()[0])
    assert "→ " in told.stderr
    assert en in runner.invoke(app, ["--lang", "en", "peer", "add", "m"]).stderr
    assert hub.asked == []


def test_a_path_that_is_no_file_is_told_in_words(hub: FakeHub, home: Path) -> None:
    os.mkfifo(home / "pipe")
    (home / "folder").mkdir()
    (home / "shut").write_text("x")
    (home / "loop").symlink_to("loop")
    for name, es in (("pipe", "no es un archivo común"), ("folder", "es una carpeta"), ("absent", "No hay ningún archivo"), ("loop", "es un enlace")):
        for line in (["peer", "add", name], ["keys", "activate", name], ["keys", "root", "replace", name, "--threshold", "1"]):
            told = runner.invoke(app, line)
            assert (told.exit_code, es in told.stderr) == (Exit.USAGE, True), line
    if os.getuid():
        (home / "shut").chmod(0)
        assert "falta permiso" in runner.invoke(app, ["peer", "add", "shut"]).stderr
    assert hub.asked == []


@pytest.mark.parametrize(("line", "es", "en"), [
    (["peer", "add"], "Falta `ARCHIVO`.", "Missing"),
    (["peer", "ad"], "La orden `ad` no existe. ¿Quiso decir `add`?", "No such command"),
    (["peer", "list", "x"], "Sobra algo al final: `x`.", "unexpected extra"),
    (["peer", "list", "--nothing"], "La opción `--nothing` no existe.", "No such option"),
    (["keys", "root", "replace", "f", "--threshold", "99"], "El valor de `--threshold` no es válido.", "Invalid value"),
    (["keys", "root", "replace", "f", "--threshold"], "La opción `--threshold` está incompleta", "requires an argument"),
])  # fmt: skip
def test_a_line_typed_wrongly_is_told_in_one_language(line: list[str], es: str, en: str) -> None:
    told = runner.invoke(app, line)
    assert told.exit_code == Exit.USAGE
    assert told.stderr.startswith(es)
    assert "→ Vea: " in told.stderr
    for english in ("Usage", "Try", "Error", "Missing", "Invalid", "No such", "Got "):
        assert english not in told.stderr
    english_run = runner.invoke(app, ["--lang", "en", *line])
    assert english_run.exit_code == Exit.USAGE
    assert en in english_run.stderr
    assert "Vea" not in english_run.stderr


@pytest.mark.parametrize(("said", "done"), [("s\n", True), ("Sí\n", True), ("y\n", True), ("n\n", False), ("", False), ("quizá\n", False)])
def test_a_question_takes_a_yes_of_both_languages_and_nothing_else(hub: FakeHub, terminal: None, said: str, done: bool) -> None:
    told = runner.invoke(app, ["peer", "owns", "cem-prueba", "otra"], input=said)
    assert (told.exit_code == Exit.DONE, bool(hub.asked)) == (done, done)
    assert "[s/N]" in told.stderr
    assert ("Cancelado" in told.stderr) is not done


def test_a_refusal_from_anywhere_ends_with_its_sentence_and_not_as_a_fault(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.app import offline

    def forged(_: object) -> None:
        raise Forged("database.row_forged")

    monkeypatch.setattr(offline, "ledger_verify", forged)
    told = runner.invoke(app, ["ledger", "verify"])
    assert told.exit_code == Exit.REFUSED
    assert "(database.row_forged)" in told.stderr.splitlines()[0]
    assert issubclass(Forged, Stopped)


def test_the_keys_that_do_not_open_are_told_without_english(home: Path) -> None:
    (home / "kek").write_bytes(b"x" * 10)
    (home / "kek").chmod(0o600)
    told = runner.invoke(app, ["keys", "check"])
    assert told.exit_code == Exit.REFUSED
    assert "(kek.form)" in told.stderr.splitlines()[0]
    assert "restore it from its backup" not in told.stderr


def test_the_peers_of_keys_status_stand_under_a_header(hub: FakeHub) -> None:
    hub.answers["keys.status"] = {
        "manifest_version": 3,
        "peers": [{"institution": "cem-prueba", "holds": 3, "fresh": "2026-11-22T14:30+00:00"}, {"institution": "otra", "holds": 2, "fresh": None}],
    }
    told = runner.invoke(app, ["keys", "status"]).stdout.splitlines()
    at = told.index("INSTITUCIÓN\tTIENE NUESTRA VERSIÓN\tSU CLAVE DEL DÍA ES DE")
    assert told[at + 1 :] == ["cem-prueba\t3\t2026-11-22 09:30 (Lima)", "otra\t2\tnunca"]
    assert "INSTITUTION\tHOLDS OUR VERSION" in runner.invoke(app, ["--lang", "en", "keys", "status"]).stdout
    hub.answers["keys.status"] = {"manifest_version": 3, "peers": []}
    alone = runner.invoke(app, ["keys", "status"]).stdout
    assert "INSTITUCIÓN" not in alone
    assert "Todavía no hay enlaces" in alone


def test_facts_stand_under_the_names_that_people_use(hub: FakeHub) -> None:
    hub.answers |= {
        "status": {"institution": "csmc-prueba", "sync_age_seconds": 9.884948492050171, "posts_waiting": 0, "role": "leader", "server": ""},
        "peer.list": [{"institution": "cem-prueba", "state": "frozen", "frozen": "people", "room": None}],
        "peer.manifest": {"institution": "csmc-prueba", "matrix_user": "@hub:prueba.example", "manifest": "eA==", "digest": "699a20c9b98b2968"},
    }
    status = runner.invoke(app, ["status"]).stdout
    assert "última palabra del servidor Matrix\thace 10 s\n" in status
    assert "este servidor" not in status
    assert "\t10 s ago\n" in runner.invoke(app, ["--lang", "en", "status"]).stdout
    assert "comparar" in runner.invoke(app, ["manifest", "show"]).stdout
    for line, spanish, raw in (
        (["status"], "qué hace\tdirige", ("sync_age_seconds", "posts_waiting", "leader")),
        (["peer", "show", "cem-prueba"], "por qué está detenido\tadministración lo detuvo (people)", ("fingerprint", "unacked")),
        (["manifest", "show"], "cuenta Matrix\t@hub:prueba.example", ("matrix_user",)),
    ):
        told = runner.invoke(app, line).stdout
        assert spanish in told
        assert not [each for each in raw if each in told]
    assert json.loads(runner.invoke(app, ["status", "--json"]).stdout)["role"] == "leader"


def test_every_reason_for_which_a_link_is_stopped_has_words() -> None:
    written = "".join(path.read_text() for path in (ROOT / "hub/actions").glob("*.py"))
    room = re.findall(r'freeze_link_of, .*?, "([a-z_]+)"', (ROOT / "hub/app/reports.py").read_text())
    reasons = {*re.findall(r'freeze\(unit, link, "([a-z_]+)"', written), *room, "changed_twin", "behind_unseen", PEOPLE}
    assert {"chain_broken", "two_manifests", "stranger"} <= reasons
    assert reasons <= set(BECAUSE)


def test_lists_show_words_and_keep_the_code_that_a_person_types(hub: FakeHub) -> None:
    hub.answers |= {
        "hold.list": [{"code": "R-7QK4M", "basis": "court_order", "until": "2027-05-31"}],
        "servers.list": [{"server": "a", "role": "leader", "device_id": "ABCDEFGHIJ"}, {"server": "b", "role": "away", "device_id": "KLMNOPQRST"}],
    }
    assert runner.invoke(app, ["hold", "list"]).stdout == "R-7QK4M\torden de un juzgado (court_order)\t2027-05-31\n"
    assert runner.invoke(app, ["servers", "list"]).stdout == "a\tdirige\tABCDEFGHIJ\nb\tno está en marcha\tKLMNOPQRST\n"
    assert "leads" in runner.invoke(app, ["--lang", "en", "servers", "list"]).stdout
    assert json.loads(runner.invoke(app, ["hold", "list", "--json"]).stdout) == hub.answers["hold.list"]


def test_every_basis_that_a_law_gives_has_words() -> None:
    assert set(packs.load("pe").vocabulary.lists["retention_bases"]) == set(_BASES)


def test_a_stage_is_told_in_words_and_not_by_its_code() -> None:
    es, en, *_ = sentence("protocol.not_open", {"protocol": "shelter", "version": 2, "stage": "refused"})
    assert "(rechazada)" in es
    assert "(refused)" in en
    assert "(vigente)" in sentence("protocol.not_open", {"protocol": "shelter", "version": 2, "stage": "active"})[0]


@pytest.mark.parametrize(("said", "code"), [
    ("mesa", "desk"), ("Equipo", "desk"), ("coordinacion", "coordination"), ("chats directos", "direct"), ("direct", "direct"),
])  # fmt: skip
def test_the_guard_takes_rooms_and_modes_as_people_call_them(hub: FakeHub, said: str, code: str) -> None:
    assert runner.invoke(app, ["guard", "set", said, "callada"]).exit_code == Exit.DONE
    assert hub.asked == [("guard.set", {"room": code, "mode": "off"})]
    unknown = runner.invoke(app, ["guard", "set", "cocina", "callada"])
    assert (unknown.exit_code, "(choice_unknown)" in unknown.stderr) == (Exit.USAGE, True)
    assert "`desk` (la sala del equipo)" in unknown.stderr


@pytest.mark.parametrize(("said", "kept"), [("31/05/2027", "2027-05-31"), ("2027-05-31", "2027-05-31"), ("05-31", None), ("31/13/2027", None)])
def test_a_day_is_written_in_two_ways_and_its_midnight_is_named(hub: FakeHub, said: str, kept: str | None) -> None:
    hub.answers["hold.place"] = {}
    told = runner.invoke(app, ["hold", "place", "R-7QK4M", "--basis", "orden de un juzgado", "--until", said])
    assert [args for _, args in hub.asked] == ([{"code": "R-7QK4M", "basis": "court_order", "until": kept}] if kept else [])
    if kept is None:
        assert told.exit_code == Exit.USAGE
        assert "2027-05-31 o 31/05/2027. El día se cuenta en la hora de America/Lima." in told.stderr


def test_how_many_must_sign_a_list_is_said_in_words(hub: FakeHub) -> None:
    hub.answers["network.show"] = [{"table": "mesa", "state": "held", "threshold": "2/3", "stewards": ["a", "b", "c"], "members": []}]
    assert "cuántas deben firmar\t2 de estas 3\nfirman\ta, b, c" in runner.invoke(app, ["network", "show"]).stdout
