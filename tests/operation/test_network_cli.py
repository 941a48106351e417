"""`tinkuy network` as an administrator types it: drafts that say who must sign, and a folder for Synapse that says what changed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from hub import cli_synapse
from hub.actions.homeserver import pin
from hub.base.synapse import FRAGMENT, GATE_MODULE
from hub.cli import app
from hub.cli_base import Exit
from hub.cli_synapse import write
from keys.drafts import draft_list, read_list_draft
from keys.network import NetworkList, make_list, signed_by
from keys.succession import root_file
from keys.vectors.generate import sample_roll, signer

runner = CliRunner()


def answer(version: int = 1, *more: str) -> dict[str, Any]:
    """What the hub says for `network.homeserver`."""
    roll = sample_roll(version=version, previous=None if version == 1 else b"\0" * 32)
    data = make_list(roll, [signer("cem-lima root"), signer("colectiva-miluska root")])
    name = "network-mesa-lima.json"
    lists = [{"name": name, "data": base64.b64encode(data).decode(), "pin": pin(NetworkList.from_bytes(data), f"/data/conf.d/{name}")}]
    return {"servers": ["cem-lima.example", *more], "hubs": ["@tinkuy:cem-lima.example"], "kept": [], "lists": lists}


def test_the_folder_is_written_once_and_the_next_time_it_says_what_changed(tmp_path: Path) -> None:
    out = tmp_path / "conf.d"
    first = write(out, answer())
    assert first.files == ["network-mesa-lima.json", FRAGMENT]
    assert (first.added, first.removed, first.restart) == (["cem-lima.example"], [], True)
    again = write(out, answer())
    assert (again.files, again.added, again.removed, again.restart) == ([], [], [], False)
    newer = write(out, answer(2))
    assert newer.restart is False  # the gate reads it by itself; only the floor for its next start moved
    assert newer.files == ["network-mesa-lima.json", FRAGMENT]
    wider = write(out, answer(2, "csmc-comas.example"))
    assert (wider.added, wider.restart) == (["csmc-comas.example"], True)
    less = write(out, {**answer(2), "lists": []})
    assert (less.removed, "-network-mesa-lima.json" in less.files, less.restart) == (["csmc-comas.example"], True, True)
    assert not (out / "network-mesa-lima.json").exists()


def test_what_is_told_of_a_folder_is_not_said_of_synapse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_synapse, "ask", lambda *_, **__: answer())
    line = ["network", "synapse", "--out", str(tmp_path / "conf.d")]
    assert "Escrito" in runner.invoke(app, line).stdout
    again = runner.invoke(app, line).stdout
    assert "La carpeta ya está al día" in again
    assert "Synapse" not in again


def test_the_fragment_is_yaml_with_the_gate_and_the_pinned_stewards(tmp_path: Path) -> None:
    write(tmp_path, answer())
    found = yaml.safe_load((tmp_path / FRAGMENT).read_text())
    assert found["federation_domain_whitelist"] == ["cem-lima.example"]
    (module,) = found["modules"]
    assert module["module"] == GATE_MODULE
    (pinned,) = module["config"]["lists"]
    assert (pinned["threshold"], pinned["community_signs"], pinned["version"]) == (2, True, 1)
    assert [each["institution"] for each in pinned["stewards"]] == ["cem-lima", "colectiva-miluska", "csmc-comas"]
    assert (tmp_path / FRAGMENT).stat().st_mode & 0o777 == 0o644  # Synapse runs as another user, and nothing in it is secret


def test_a_steward_signs_on_a_machine_without_a_hub(tmp_path: Path, terminal: None) -> None:
    draft, root = tmp_path / "mesa.json", tmp_path / "raiz"
    draft.write_bytes(draft_list(sample_roll()))
    root.write_bytes(root_file(signer("csmc-comas root")))
    root.chmod(0o600)
    done = runner.invoke(app, ["network", "sign", str(draft), "--root", str(root)], input="s\n")
    assert done.exit_code == Exit.DONE, done.output
    assert "Firman 2 de: cem-lima, colectiva-miluska, csmc-comas, una de ellas comunitaria." in done.output
    assert "red-vecinal" in done.output
    statement, roll = read_list_draft(draft.read_bytes())
    assert signed_by(statement, roll) == ("csmc-comas",)
    before = draft.read_bytes()
    assert runner.invoke(app, ["network", "sign", str(draft), "--root", str(root)], input="n\n").exit_code == Exit.REFUSED
    assert draft.read_bytes() == before


def test_a_root_that_answers_for_nobody_is_told_so(tmp_path: Path, terminal: None) -> None:
    draft, root = tmp_path / "mesa.json", tmp_path / "raiz"
    draft.write_bytes(draft_list(sample_roll()))
    root.write_bytes(root_file(signer("somebody else")))
    root.chmod(0o600)
    done = runner.invoke(app, ["--lang", "en", "network", "sign", str(draft), "--root", str(root)], input="n\n")
    assert "This root is of none of the stewards of this version" in done.output


def test_what_is_no_list_is_refused_with_words(tmp_path: Path) -> None:
    draft = tmp_path / "mesa.json"
    draft.write_text(json.dumps({"payload": "x"}))
    done = runner.invoke(app, ["network", "sign", str(draft), "--yes"])
    assert done.exit_code == Exit.REFUSED
    assert "(keys." in done.output
