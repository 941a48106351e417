"""`tinkuy backup` as an administrator types it: made, listed, verified, restored, refused, in both languages and as JSON; the KEK is never inside."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyrage
import pytest
from typer.testing import CliRunner

from hub.backup_words import FACTS, sentence_of
from hub.cli import app
from hub.cli_base import Exit
from tests.attacks.backups.bench import CEM, Filed, Machine
from tests.attacks.twins.bench import Road
from tests.docs.pages import ROOT

runner = CliRunner()


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    made = Filed(tmp_path_factory.mktemp("cli"), CEM)
    Road(net=made).disclosed()
    return made


def file_of(machine: Machine) -> Path:
    """The machine's settings as a file."""
    config = machine.config
    path = machine.folder / "tinkuy.toml"
    here = config.institution
    path.write_text(
        f'[institution]\nid = "{here.id}"\nname = "{here.name}"\nkind = "{here.kind}"\nterritory = "{here.territory}"\n'
        f'[matrix]\nhomeserver_url = "{config.matrix.homeserver_url}"\nuser_id = "{config.matrix.user_id}"\n'
        f'[paths]\nstate = "s"\nbackups = "{config.paths.backups}"\n[keys]\nkek_file = "{config.keys.kek_file}"\n'
        f"[backup]\nrecipients = {json.dumps(list(config.backup.recipients))}\n"
    )
    return path


def run(file: Path, *words: str, english: bool = False) -> Any:
    return runner.invoke(app, ["--config", str(file), "--lang", "en" if english else "es", "backup", *words])


def test_the_whole_road_of_a_backup(net: Filed) -> None:
    file = file_of(net.machines[CEM])
    identity = str(net.disk / "identity")
    made = run(file, "create", "--json")
    assert made.exit_code == Exit.DONE, made.output
    told = json.loads(made.output)
    assert Path(told["data"]).exists()
    assert Path(told["keys"]).parent.name == "keys"
    listed = json.loads(run(file, "list", "--json").output)
    assert [row["part"] for row in listed] == ["data", "keys"]
    for english, words in ((False, "valores sellados abren"), (True, "sealed values open")):
        checked = run(file, "verify", "--data", told["data"], "--keys", told["keys"], "--identity", identity, english=english)
        assert checked.exit_code == Exit.DONE, checked.output
        assert words in checked.output
        assert "✗" not in checked.output
    half = run(file, "verify", "--data", told["data"], "-i", identity)
    assert half.exit_code == Exit.DONE
    assert half.output.count("? ") == 4

    fresh = file_of(net.machine(CEM, "emergency_centre"))
    done = run(fresh, "restore", "--data", told["data"], "--keys", told["keys"], "--identity", identity)
    assert done.exit_code == Exit.DONE, done.output
    assert "Restaurado" in done.output
    assert "matrix.password_file" in done.output
    again = run(fresh, "restore", "--data", told["data"], "--keys", told["keys"], "--identity", identity, english=True)
    assert again.exit_code == Exit.REFUSED
    assert "overwrites nothing" in again.output
    assert "backup.not_empty" in again.output


def test_a_machine_without_a_configuration_can_verify(net: Filed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine of the safe has the parts, the identity and the KEK, and nothing else."""
    told = json.loads(run(file_of(net.machines[CEM]), "create", "--json", "--to", str(tmp_path / "uno")).output)
    (tmp_path / "nada").mkdir()
    monkeypatch.chdir(tmp_path / "nada")
    monkeypatch.delenv("TINKUY_CONFIG", raising=False)
    parts = ("--data", told["data"], "--keys", told["keys"], "--identity", str(net.disk / "identity"))
    done = runner.invoke(app, ["backup", "verify", *parts, "--kek", str(net.disk / f"kek-{CEM}")])
    assert done.exit_code == Exit.DONE, done.output
    assert "valores sellados abren" in done.output
    assert "no hay tinkuy.toml" in done.output
    assert "(UTC)" in done.output, "no institution, no zone of its own: said all the same"
    half = runner.invoke(app, ["--lang", "en", "backup", "verify", *parts])
    assert half.exit_code == Exit.DONE, half.output
    assert "Not looked at: whether the KEK opens the keys" in half.output
    named = runner.invoke(app, ["--config", str(tmp_path / "falta.toml"), "backup", "verify", *parts])
    assert named.exit_code == Exit.CONFIG, "one that was named must be there"
    assert not list((tmp_path / "nada").iterdir())


def test_times_are_told_in_the_institution_s_zone(net: Filed, tmp_path: Path) -> None:
    file = file_of(net.machines[CEM])
    told = json.loads(run(file, "create", "--json", "--to", str(tmp_path / "dos")).output)
    parts = ("--data", told["data"], "--keys", told["keys"], "--identity", str(net.disk / "identity"))
    shown = run(file, "verify", *parts).output
    assert re.search(r"hecha \d{4}-\d\d-\d\d \d\d:\d\d \(Lima\)", shown), shown
    assert not re.search(r"\d\dT\d\d:\d\d:", shown), shown
    assert "(Lima)" in run(file, "list").output
    assert json.loads(run(file, "verify", *parts, "--json").output)["facts"]["data"]["at"].endswith("+00:00"), "programs read ISO"


def test_refusals_are_sentences(net: Filed, tmp_path: Path) -> None:
    file = file_of(net.machines[CEM])
    other = tmp_path / "other"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    other.chmod(0o600)
    data = json.loads(run(file, "list", "--json").output)[0]["file"]
    wrong = run(file, "verify", "--data", data, "--identity", str(other), "--json")
    assert wrong.exit_code == Exit.REFUSED
    assert json.loads(wrong.output)["error"]["code"] == "backup.wrong_identity"
    other.chmod(0o644)
    assert "0600" in run(file, "verify", "--data", data, "--identity", str(other)).output
    assert "backup.recipient" in run(file, "create", "--recipient", "age1nonsense").output
    assert "backup.bad_time" in run(
        file, "restore", "--data", data, "--keys", data, "--identity", str(net.disk / "identity"), "--lost-at", "ayer"
    ).output


def test_every_code_that_can_be_raised_has_its_sentences() -> None:
    """Found in the source, so that a new refusal is not told as «the hub did not accept the command»."""
    files = [*(ROOT / "hub/app").glob("*.py"), ROOT / "hub/cli_backup.py"]
    files += [ROOT / "keys/agefile.py", ROOT / "keys/archive.py", ROOT / "keys/journal.py"]
    codes = {code for path in files for code in re.findall(r'"(backup\.[a-z_]+)"', path.read_text(encoding="utf-8"))} - {"backup.not_pruned"}
    assert len(codes) > 20
    general = sentence_of("nothing.of.the.kind", {})[0]
    for code in codes:
        es, en, fix_es, fix_en = sentence_of(code, {})
        assert es not in (general, en), code
        assert fix_es, code
        assert fix_en, code
    assert all(es != en for es, en in FACTS.values())
