"""The command line: stable exit statuses, JSON, two languages, and nothing said that a running hub did not say."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import resource
import threading
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub import cli
from hub.base import logs
from hub.base.config import Config, from_mapping
from hub.base.errors import Stopped, TinkuyError
from hub.cli import app
from hub.cli_base import Exit
from hub.cli_init import to_toml
from hub.cli_words import known_codes, sentence
from hub.web.control import ControlError, ControlServer
from tests.operation.samples import CANARY

ROOT = Path(__file__).resolve().parents[2]
runner = CliRunner()
INIT = [
    "init",
    "--id",
    "csmc-prueba",
    "--name",
    "CSMC Prueba",
    "--kind",
    "mental_health_centre",
    "--territory",
    "Comas",
    "--homeserver",
    "http://127.0.0.1:1",
    "--user",
    "@tinkuy:prueba.example",
    "--need",
    "mental_health",
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an institution that `init` made."""
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(app, INIT).exit_code == Exit.DONE
    return tmp_path


class FakeHub:
    """Answers on a real control socket, on a loop of its own, and remembers what it was asked."""

    def __init__(self, path: Path) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self._server = ControlServer(
            path,
            {
                name: self._handler(name)
                for name in (
                    "staff.add",
                    "staff.repin",
                    "staff.remove",
                    "staff.show",
                    "staff.list",
                    "staff.duty",
                    "peer.manifest",
                    "peer.add",
                    "peer.code",
                    "peer.confirm",
                    "peer.list",
                    "peer.owns",
                    "peer.stop",
                    "status",
                    "doctor",
                    "keys.status",
                    "hold.list",
                    "hold.place",
                    "guard.set",
                    "guard.show",
                    "protocol.list",
                    "protocol.propose",
                    "protocol.codes",
                    "network.show",
                    "servers.list",
                    "protocol.text",
                    "protocol.history",
                    "staff.verify",
                    "policy.simulate",
                    "policy.explain",
                    "tables.who",
                )
            },
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(20)

    def _handler(self, name: str) -> Any:
        async def handle(args: Mapping[str, Any]) -> Any:
            self.asked.append((name, dict(args)))
            answer = self.answers.get(name, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return handle

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def hub(home: Path) -> Iterator[FakeHub]:
    fake = FakeHub(home / "state" / "control.sock")
    yield fake
    fake.stop()


def test_init_makes_private_files_and_an_identity(home: Path) -> None:
    for name, mode in (("tinkuy.toml", 0o600), ("kek", 0o600), ("state", 0o700), ("state/keyring.json", 0o600)):
        assert (home / name).stat().st_mode & 0o777 == mode, name
    found = runner.invoke(app, ["keys", "check", "--json"])
    assert found.exit_code == Exit.DONE
    assert len(json.loads(found.stdout)["master_fingerprint"]) == 43
    assert json.loads(runner.invoke(app, ["config", "show"]).stdout)["institution"]["needs"] == ["mental_health"]


def test_init_overwrites_nothing_and_an_interrupted_one_goes_on(home: Path) -> None:
    before = (home / "kek").read_bytes(), (home / "state/keyring.json").read_bytes()
    assert runner.invoke(app, INIT).exit_code == Exit.REFUSED
    (home / "tinkuy.toml").unlink()  # as if it had stopped before its last step
    assert runner.invoke(app, INIT).exit_code == Exit.DONE
    assert ((home / "kek").read_bytes(), (home / "state/keyring.json").read_bytes()) == before


def test_init_without_answers_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = runner.invoke(app, ["init", "--id", "csmc-prueba"])
    assert found.exit_code == Exit.USAGE
    assert "--homeserver" in found.stderr
    assert os.listdir(tmp_path) == []


def test_init_checks_before_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = runner.invoke(app, [*INIT, "--zone", "America/Nowhere"])
    assert found.exit_code == Exit.CONFIG
    assert "America/Lima" in found.stderr
    assert os.listdir(tmp_path) == []


def test_roots_can_stay_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(app, [*INIT, "--roots-offline"]).exit_code == Exit.DONE
    assert json.loads(runner.invoke(app, ["keys", "check", "--json"]).stdout)["root_here"] is False


@given(st.text(min_size=2, max_size=40))
@hypothesis_settings(deadline=None)
def test_any_name_survives_the_file(name: str) -> None:
    assert tomllib.loads(to_toml({"a": {"name": name, "list": [name]}})) == {"a": {"name": name, "list": [name]}}


def test_no_file_is_3_and_no_hub_is_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(app, ["status"]).exit_code == Exit.CONFIG
    assert runner.invoke(app, INIT).exit_code == Exit.DONE
    found = runner.invoke(app, ["status"])
    assert found.exit_code == Exit.AWAY
    assert "tinkuy run" in found.stderr
    assert json.loads(runner.invoke(app, ["status", "--json"]).stdout)["error"]["code"] == "control.away"


def test_staff_commands_ask_what_they_should(hub: FakeHub) -> None:
    hub.answers["staff.add"] = {"user_id": "@rosa:prueba.example", "pin": "given"}
    user = "@rosa:prueba.example"
    found = runner.invoke(app, ["staff", "add", user, "--display", "Rosa", "--fingerprint", "abc", "--on-duty"])
    assert (found.exit_code, found.stdout) == (0, "Inscrita (huella recibida).\n")
    for line in (
        ["repin", user, "--yes"],
        ["remove", user, "--yes"],
        ["duty", user, "--off"],
        ["add", user, "--role", "supervisor", "--language", "en"],
    ):
        assert runner.invoke(app, ["staff", *line]).exit_code == Exit.DONE
    assert hub.asked == [
        (
            "staff.add",
            {"user_id": user, "role": "caseworker", "language": "es", "display": "Rosa", "fingerprint": "abc", "on_duty": True},
        ),
        ("staff.repin", {"user_id": user}),
        ("staff.remove", {"user_id": user}),
        ("staff.duty", {"user_id": user, "on_duty": False}),
        ("staff.add", {"user_id": user, "role": "supervisor", "language": "en", "display": "", "on_duty": False}),
    ]
    assert runner.invoke(app, ["staff", "add", "rosa"]).exit_code == Exit.USAGE


def test_who_leaves_names_what_moves_to_whom_by_code(hub: FakeHub) -> None:
    line = ["staff", "remove", "@rosa:prueba.example", "--yes"]
    moved = {"to": "@luz:prueba.example", "cases": ["C-7QK4"], "referrals": ["R-2M9X"], "check_ins": 3}
    hub.answers["staff.remove"] = {"user_id": "@rosa:prueba.example", "moved": moved}
    told = runner.invoke(app, line)
    assert told.exit_code == Exit.DONE
    assert "ahora a cargo de @luz:prueba.example: C-7QK4, R-2M9X. Controles por hacer: 3." in told.stdout
    assert "now with @luz:prueba.example: C-7QK4, R-2M9X. Check-ins to come: 3." in runner.invoke(app, ["--lang", "en", *line]).stdout
    assert json.loads(runner.invoke(app, [*line, "--json"]).stdout)["moved"] == moved
    hub.answers["staff.remove"] = {"moved": moved | {"to": None}}
    nobody = runner.invoke(app, line)
    assert nobody.exit_code == Exit.DONE
    assert "NADIE" in nobody.stderr
    assert "tinkuy staff add" in nobody.stderr
    assert "(lead_nobody)" in nobody.stderr
    assert "NOBODY" in runner.invoke(app, ["--lang", "en", *line]).stderr
    hub.answers["staff.remove"] = {"moved": {"to": "@luz:prueba.example", "cases": [], "referrals": [], "check_ins": 0}}
    assert "No llevaba nada" in runner.invoke(app, line).stdout


ROSA = {
    "user_id": "@rosa:prueba.example", "display": "Rosa", "role": "caseworker", "pin": "blocked",
    "rooms": [{"room": "desk"}, {"room": "coordination:coo_x", "called": "coordination:S-7QK4M"}],
    "would_move": {"to": "@luz:prueba.example", "cases": ["C-7QK4"], "referrals": ["R-2M9X"], "check_ins": 3, "unnamed": 1},
}  # fmt: skip


def test_before_somebody_goes_it_is_shown_who_from_where_and_what_moves(hub: FakeHub, terminal: None) -> None:
    line = ["staff", "remove", "@rosa:prueba.example"]
    hub.answers["staff.show"] = ROSA
    told = runner.invoke(app, line, input="n\n")
    assert told.exit_code == Exit.REFUSED
    assert "Rosa (@rosa:prueba.example), acompañante.\nSale de: equipo, coordinación S-7QK4M." in told.stdout
    assert "Pasa a @luz:prueba.example: C-7QK4, R-2M9X (+1). Controles por hacer: 3." in told.stdout
    assert "¿Dar de baja a @rosa:prueba.example? [s/N]" in told.stderr
    assert [name for name, _ in hub.asked] == ["staff.show"]
    hub.answers["staff.show"] = ROSA | {"would_move": ROSA["would_move"] | {"to": None}}  # type: ignore[operator]
    assert "NADIE queda" in runner.invoke(app, line, input="n\n").stdout
    assert runner.invoke(app, line, input="s\n").exit_code == Exit.DONE
    assert hub.asked[-1] == ("staff.remove", {"user_id": "@rosa:prueba.example"})


def test_an_account_that_is_not_there_is_enrolled_with_a_warning(hub: FakeHub) -> None:
    line, told = ["staff", "add", "@rosa:prueba.example"], {"user_id": "@rosa:prueba.example", "pin": "unseen"}
    hub.answers["staff.add"] = told | {"account": False}
    found = runner.invoke(app, line)
    assert (found.exit_code, found.stdout[:8]) == (Exit.DONE, "Inscrita")
    assert "no tiene ninguna cuenta @rosa:prueba.example" in found.stderr
    for account, said in ((True, "La cuenta existe"), (None, "No se pudo comprobar si la cuenta existe")):
        hub.answers["staff.add"] = told | {"account": account}
        found = runner.invoke(app, line)
        assert said in found.stdout
        assert found.stderr == ""
    hub.answers["staff.add"] = {"user_id": "@rosa:prueba.example", "pin": "seen"}
    assert runner.invoke(app, line).stdout == "Inscrita (vista por primera vez).\n"


def test_who_supervises_alone_does_not_go_without_a_word(hub: FakeHub, terminal: None) -> None:
    """Before the question, and after it where `--yes` asked none; somebody who is not the last one goes without it."""
    line, sara = ["staff", "remove", "@sara:prueba.example"], ROSA | {"user_id": "@sara:prueba.example", "role": "supervisor"}
    hub.answers["staff.show"] = sara | {"stay": {"staff": 1, "supervisors": 0}}
    told = runner.invoke(app, line, input="n\n").stderr
    assert "sin ella no queda supervisión" in told
    assert "el personal es de 1" in told
    hub.answers["staff.remove"] = {"role": "supervisor", "stay": {"staff": 4, "supervisors": 0}}
    after = runner.invoke(app, [*line, "--yes"]).stderr
    assert "--role supervisor" in after
    assert "segunda" not in after
    hub.answers["staff.show"] = sara | {"stay": {"staff": 4, "supervisors": 1}}
    assert "ATENCIÓN" not in runner.invoke(app, line, input="n\n").stderr


def test_before_a_key_is_taken_from_the_homeserver_it_is_asked_whether_she_was_spoken_with(hub: FakeHub, terminal: None) -> None:
    line = ["staff", "repin", "@rosa:prueba.example"]
    hub.answers["staff.show"] = ROSA
    told = runner.invoke(app, line, input="n\n")
    assert told.exit_code == Exit.REFUSED
    assert "Su clave ahora: BLOQUEADA" in told.stdout
    assert "se lee en: equipo, coordinación S-7QK4M" in told.stdout
    assert "¿Habló con ella" in told.stderr
    assert [name for name, _ in hub.asked] == ["staff.show"]
    assert runner.invoke(app, [*line, "--fingerprint", "abc"]).exit_code == Exit.DONE, "she read it out: that is the answer"
    assert runner.invoke(app, line, input="s\n").exit_code == Exit.DONE
    assert hub.asked[-1] == ("staff.repin", {"user_id": "@rosa:prueba.example"})


@pytest.mark.parametrize("line", [["staff", "remove"], ["staff", "repin"]])
def test_where_nobody_can_answer_nothing_is_asked_and_nothing_done(hub: FakeHub, line: list[str]) -> None:
    hub.answers["staff.show"] = ROSA
    for said in ("", "s\n"):
        told = runner.invoke(app, [*line, "@rosa:prueba.example"], input=said)
        assert (told.exit_code, [name for name, _ in hub.asked if name != "staff.show"]) == (Exit.REFUSED, [])
        assert "(nobody_to_ask)" in told.stderr
        assert "--yes" in told.stderr
    json_told = runner.invoke(app, [*line, "@rosa:prueba.example", "--json"])
    assert json.loads(json_told.stdout)["error"]["code"] == "nobody_to_ask"


def test_lists_are_lines_on_a_pipe_and_names_cannot_move_the_cursor(hub: FakeHub) -> None:
    hub.answers["staff.list"] = [{"user_id": "@luz:prueba.example", "display": "L\x1b[2Ju\nz", "role": "supervisor", "on_duty": True, "pin": "seen"}]
    found = runner.invoke(app, ["staff", "list"])
    assert found.stdout == "@luz:prueba.example\tsupervisión\tL [2Ju z\t\tsí\tvista por primera vez\n"
    assert json.loads(runner.invoke(app, ["staff", "list", "--json"]).stdout) == hub.answers["staff.list"]


def test_peer_commands(hub: FakeHub, home: Path) -> None:
    manifest = b'{"payload": "x"}'
    hub.answers |= {
        "peer.manifest": {"institution": "csmc-prueba", "manifest": base64.b64encode(manifest).decode()},
        "peer.add": {"institution": "cem-prueba"},
        "peer.code": {"code": "ABCD-EFGH-JKMN-PQRS"},
        "peer.list": [{"institution": "cem-prueba", "state": "added"}],
    }
    assert runner.invoke(app, ["manifest", "export", "m"]).exit_code == Exit.DONE
    assert (home / "m").read_bytes() == manifest
    assert runner.invoke(app, ["manifest", "export", "m"]).exit_code == Exit.REFUSED
    assert "tinkuy peer code cem-prueba" in runner.invoke(app, ["peer", "add", "m"]).stdout
    assert runner.invoke(app, ["peer", "code", "cem-prueba"]).stdout.startswith("ABCD-EFGH-JKMN-PQRS\n")
    assert runner.invoke(app, ["peer", "confirm", "cem-prueba", "ABCD-EFGH-JKMN-PQRS"]).exit_code == Exit.DONE
    assert runner.invoke(app, ["peer", "show", "cem-prueba"]).exit_code == Exit.DONE
    assert runner.invoke(app, ["peer", "show", "otra"]).exit_code == Exit.REFUSED
    asked = dict(hub.asked)
    assert base64.b64decode(asked["peer.add"]["manifest"]) == manifest
    assert asked["peer.confirm"] == {"institution": "cem-prueba", "code": "ABCD-EFGH-JKMN-PQRS"}


def test_whose_a_device_is_people_decide_when_asked_whether_they_spoke_with_both(hub: FakeHub, terminal: None) -> None:
    hub.answers["peer.owns"] = {"institution": "cem-prueba", "other": "otra", "keys": ["k"]}
    unsure = runner.invoke(app, ["peer", "owns", "cem-prueba", "otra"], input="n\n")
    assert unsure.exit_code != Exit.DONE
    assert hub.asked == []
    done = runner.invoke(app, ["peer", "owns", "cem-prueba", "otra"], input="y\n")
    assert done.exit_code == Exit.DONE
    assert "es de cem-prueba" in done.stdout
    assert "otra ya no vale" in done.stdout
    assert "cem-prueba's" in runner.invoke(app, ["--lang", "en", "peer", "owns", "cem-prueba", "otra", "--yes"]).stdout
    assert hub.asked == [("peer.owns", {"institution": "cem-prueba", "other": "otra"})] * 2
    hub.answers["peer.owns"] = TinkuyError("no_dispute")
    none = runner.invoke(app, ["peer", "owns", "cem-prueba", "otra", "--yes"])
    assert none.exit_code == Exit.REFUSED
    assert "devices_disputed" in none.stderr


@pytest.mark.usefixtures("terminal")
def test_what_stopping_a_link_means_is_told_before_it_is_done(hub: FakeHub) -> None:
    hub.answers["peer.stop"] = {"institution": "cem-prueba", "link": "lnk-1", "frozen": "people"}
    unsure = runner.invoke(app, ["peer", "stop", "cem-prueba"], input="n\n")
    assert unsure.exit_code == Exit.REFUSED
    assert hub.asked == []
    for told in ("derivaciones abiertas", "lo que una mujer retire no le llega", "firmas de protocolos no pueden venir"):
        assert told in unsure.stdout
    sure = runner.invoke(app, ["--lang", "en", "peer", "stop", "cem-prueba"], input="y\n")
    assert "what a woman withdraws does not reach it" in sure.stdout
    assert hub.asked == [("peer.stop", {"institution": "cem-prueba"})]


def test_a_link_is_stopped_by_people(hub: FakeHub) -> None:
    hub.answers["peer.stop"] = {"institution": "cem-prueba", "link": "lnk-1", "frozen": "people"}
    assert "Detenido: cem-prueba" in runner.invoke(app, ["peer", "stop", "cem-prueba", "--yes"]).stdout
    assert hub.asked == [("peer.stop", {"institution": "cem-prueba"})]
    hub.answers["peer.stop"] = TinkuyError("link_frozen")
    again = runner.invoke(app, ["peer", "stop", "cem-prueba", "--yes"])
    assert again.exit_code == Exit.REFUSED
    assert "ya está detenido" in again.stderr


def test_a_refusal_is_told_in_words_with_its_code_and_ends_with_1(hub: FakeHub) -> None:
    hub.answers["staff.remove"] = TinkuyError("not_enrolled")
    found = runner.invoke(app, ["staff", "remove", "@x:prueba.example", "--yes"])
    assert found.exit_code == Exit.REFUSED
    assert "no está inscrita" in found.stderr
    assert "(not_enrolled)" in found.stderr
    english = runner.invoke(app, ["--lang", "en", "staff", "remove", "@x:prueba.example", "--yes"])
    assert "not enrolled" in english.stderr
    hub.answers["staff.remove"] = ControlError("some.code", "Sus palabras.", "Su salida.")
    own = runner.invoke(app, ["staff", "remove", "@x:prueba.example", "--yes"])
    assert own.stderr == "Sus palabras.  (some.code)\n→ Su salida.\n"


class FakeApp:
    """Stands for `hub.app.house` and `hub.app.offline`, which need a whole house."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.error: Exception | None = None
        self.schema: tuple[str | None, str] = ("2", "2")
        self.ledger: dict[str, Any] = {"ok": True, "rows": 3}

    async def run(self, config: Config) -> None:
        self.ran.append(config.institution.id)
        if self.error is not None:
            raise self.error

    def db_check(self, config: Config) -> tuple[str | None, str]:
        return self.schema

    def db_upgrade(self, config: Config, *, sql: bool = False) -> str:
        self.ran.append("sql" if sql else "upgrade")
        return "CREATE TABLE x;" if sql else ""

    def ledger_verify(self, config: Config) -> dict[str, Any]:
        return self.ledger


@pytest.fixture
def house(home: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApp:
    fake = FakeApp()
    monkeypatch.setattr("hub.app.house.run", fake.run)
    for name in ("db_check", "db_upgrade", "ledger_verify"):
        monkeypatch.setattr(f"hub.app.offline.{name}", getattr(fake, name))
    monkeypatch.setattr(logs, "setup", lambda *_: None)
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    return fake


def test_run(house: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    found = runner.invoke(app, ["run"])
    assert (found.exit_code, found.stderr, house.ran) == (Exit.DONE, "", ["csmc-prueba"])
    monkeypatch.setenv("TINKUY_FAULTS__KILL_AT", '["before_commit"]')
    assert "PELIGRO" in runner.invoke(app, ["run"]).stderr
    house.error = Stopped("control.in_use")
    stopped = runner.invoke(app, ["run"])
    assert stopped.exit_code == Exit.REFUSED
    assert "Otro hub ya está en marcha" in stopped.stderr


def test_r13_run_leaves_no_core_dump(house: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda what, limit: limits.append((what, limit)))
    runner.invoke(app, ["run"])
    assert limits == [(resource.RLIMIT_CORE, (0, 0))]


def test_db_and_ledger(house: FakeApp) -> None:
    assert runner.invoke(app, ["db", "check"]).exit_code == Exit.DONE
    house.schema = (None, "2")
    assert runner.invoke(app, ["db", "check"]).exit_code == Exit.REFUSED
    assert json.loads(runner.invoke(app, ["db", "check", "--json"]).stdout) == {"ok": False, "current": None, "head": "2"}
    assert runner.invoke(app, ["db", "upgrade", "--sql"]).stdout == "CREATE TABLE x;\n"
    assert runner.invoke(app, ["db", "upgrade"]).exit_code == Exit.DONE
    assert house.ran == ["sql", "upgrade"]
    assert runner.invoke(app, ["ledger", "verify"]).stdout == "La cadena está entera: 3 filas.\n"
    house.ledger = {"ok": False, "rows": 3, "broken_at": 2}
    assert runner.invoke(app, ["ledger", "verify"]).exit_code == Exit.REFUSED


def test_doctor_ends_with_1_when_something_fails(house: FakeApp) -> None:
    found = runner.invoke(app, ["doctor", "--json"])
    assert found.exit_code == Exit.REFUSED
    assert {"schema": "ok", "running": "fail"}.items() <= {row["id"]: row["level"] for row in json.loads(found.stdout)}.items()
    spoken = runner.invoke(app, ["doctor"])
    assert "→ tinkuy run" in spoken.stdout


def test_faults_end_with_70_and_without_their_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == Exit.FAULT
    assert CANARY not in "".join(capsys.readouterr())


def test_language_is_es_or_en() -> None:
    assert runner.invoke(app, ["--lang", "fr", "status"]).exit_code == Exit.USAGE


def test_words_are_complete_in_both_languages() -> None:
    assert len(known_codes()) > 10
    for code in known_codes():
        es, en, hint_es, hint_en = sentence(code)
        assert es != en
        assert hint_es != hint_en
        assert all((es, en, hint_es, hint_en))


def test_the_table_of_init_is_what_the_configuration_reads(home: Path) -> None:
    written = tomllib.loads((home / "tinkuy.toml").read_text())
    assert from_mapping(written, folder=home).paths.state == home / "state"


def test_every_refusal_of_staff_and_pairing_has_words_of_its_own() -> None:
    """«No confirme» must be said when the code differs, and not only that the hub did not accept the command."""
    raised = {code for name in ("staff", "peers") for code in re.findall(r'Refused\("([a-z_.]+)"', (ROOT / f"hub/actions/{name}.py").read_text())}
    assert {"wrong_pairing_code", "not_enrolled", "already_enrolled", "unknown_role"} <= raised | {"not_enrolled"}
    assert raised | {"not_enrolled"} <= known_codes()


def test_of_an_empty_seat_it_is_said_whether_its_hub_is_there(hub: FakeHub) -> None:
    """Asked in, and its hub in the Matrix room already, is not the same as nobody having come."""
    seat = {"institution": "csmc-comas", "state": "invited", "people": [], "verified": False}
    for known, said in ((True, "su hub ya está en la sala"), (False, "su hub todavía no entró"), (None, "\tnadie ahora\t")):
        hub.answers["tables.who"] = {"code": "S-7QK4M", "institutions": [seat | {"hub_in": known}]}
        assert said in runner.invoke(app, ["tables", "who", "S-7QK4M"]).stdout


def test_the_guard_is_shown_in_words(hub: FakeHub) -> None:
    hub.answers["guard.show"] = {
        "rooms": [{"room": "desk", "mode": "advise"}], "seen": [{"class": "dni", "count": 2}, {"class": "known", "count": 1}],
    }  # fmt: skip
    out = runner.invoke(app, ["guard", "show"]).stdout
    assert "la sala del equipo\taconseja en privado\n" in out
    assert "un número de DNI\t2\n" in out
    assert "un dato del caso\t1\n" in out
    assert not {"desk", "advise", "dni", "known"} & set(out.split())


def test_a_version_that_counts_is_not_listed_as_proposed(hub: FakeHub) -> None:
    row = {"protocol": "shelter", "starts": "2026-12-01", "missing": [], "waits_for_us": ""}
    counts = {"protocol": "shelter", "version": 2, "title": {"es": "Refugio", "en": "Shelter"}, "state": "active", "expires": "2029-01-01"}
    rows = [row | {"version": 3, "state": "proposed"}, row | {"version": 2, "state": "active"}, row | {"version": 1, "state": "superseded"}]
    hub.answers["protocol.list"] = {"in_force": [counts], "proposals": rows, "only_signed": False}
    out = runner.invoke(app, ["protocol", "list"]).stdout
    counting, rest = out.split("Versiones propuestas:")
    proposed, other = rest.split("Otras versiones:")
    assert "shelter\t2\tRefugio\tvigente" in counting
    assert [line.split("\t")[1] for line in proposed.splitlines() if line.startswith("shelter")] == ["3"]
    assert [line.split("\t")[1] for line in other.splitlines() if line.startswith("shelter")] == ["1"]
    hub.answers["protocol.list"] = {"in_force": [counts], "proposals": rows[1:2], "only_signed": False}
    assert "ersiones" not in runner.invoke(app, ["protocol", "list"]).stdout


def test_a_proposal_that_leaves_no_time_for_comments_says_so(hub: FakeHub, tmp_path: Path) -> None:
    file = tmp_path / "nuevo.yaml"
    file.write_text("protocol: shelter\n")
    line = ["protocol", "propose", str(file), "--with", "csmc-comas", "--seat", "red-apoyo", "--why", "Por las citas."]
    told = {"protocol": "shelter", "version": 2, "starts": "2026-11-23", "seat": "red-apoyo", "missing": [], "closes": "2026-12-23"}
    hub.answers["protocol.propose"] = told | {"consulted": "2026-11-23"}
    assert "casi no hay tiempo para comentar" in runner.invoke(app, line).stderr
    hub.answers["protocol.propose"] = told | {"consulted": "2026-11-22"}
    assert runner.invoke(app, line).stderr == ""


def test_codes_end_with_a_whole_command(hub: FakeHub) -> None:
    hub.answers["protocol.codes"] = {"codes": ["TMC9-H55P-A3WN"]}
    told = runner.invoke(app, ["protocol", "codes", "shelter", "2"])
    assert 'tinkuy protocol comment shelter@2 "LO QUE DICE" --code CÓDIGO' in told.stderr
    assert told.stdout == "TMC9-H55P-A3WN\n"
