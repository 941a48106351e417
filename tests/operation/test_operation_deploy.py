"""What cannot be run here is held to what can be read: structure, known directives, real names, real commands."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main
import yaml

from hub.base.config import from_mapping
from hub.base.synapse import SAMPLE_HEAD, SAMPLE_SERVERS, render, sections, settings
from hub.cli import app
from hub.doctor_words import WORDS
from hub.web.metrics import Metrics
from tests.operation.samples import ROOT

COMPOSE = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())
RULES = yaml.safe_load((ROOT / "deploy/config/prometheus.rules.yaml").read_text())
BOARD = json.loads((ROOT / "deploy/config/grafana.json").read_text())
RUNBOOK = (ROOT / "deploy/runbook.md").read_text()
UNIT = ROOT / "deploy/systemd/tinkuy.service"


# --- compose ---------------------------------------------------------------------------------------------------------


def test_compose_has_the_three_services_and_each_is_confined() -> None:
    assert set(COMPOSE["services"]) == {"postgres", "synapse", "hub"}
    for name, service in COMPOSE["services"].items():
        assert not service.get("privileged"), name
        assert service["cap_drop"] == ["ALL"], name
        assert not service.get("cap_add"), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["read_only"] is True, name
        assert str(service["user"]).split(":")[0] not in {"root", "0"}, name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service.get("pid") != "host", name
        assert service.get("network_mode") != "host", name
        assert not any("docker.sock" in volume for volume in service.get("volumes", [])), name
        tag = service["image"].rpartition(":")[2]
        assert re.match(r"v?\d", tag), f"{name} needs a version, not {tag}"


def test_compose_publishes_nothing_beyond_this_machine_and_nothing_of_the_hub() -> None:
    assert "ports" not in COMPOSE["services"]["hub"]
    assert "ports" not in COMPOSE["services"]["postgres"]
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["synapse"]["ports"])
    assert COMPOSE["networks"]["data"]["internal"] is True


def test_compose_names_only_what_it_declares_and_files_that_exist() -> None:
    for name, service in COMPOSE["services"].items():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"]), name
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"]), name
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"]), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith(("./", "../")):
                assert (ROOT / "deploy/compose" / source).exists() or source == "./tinkuy.toml", source
            else:
                assert source in COMPOSE["volumes"], source
    assert {name for service in COMPOSE["services"].values() for name in service.get("secrets", [])} == set(COMPOSE["secrets"])


def test_no_secret_stands_in_an_environment() -> None:
    for service in COMPOSE["services"].values():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|KEK|URL", key):
                assert str(value).startswith("/run/secrets/"), key


def test_the_hubs_environment_is_understood_by_the_real_configuration(
    table: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in COMPOSE["services"]["hub"]["environment"].items():
        if key.endswith("_FILE") and "DATABASE" in key:
            (tmp_path / key).write_text(f"postgresql+psycopg://tinkuy:x@postgres/{key.lower()}\n")
            value = tmp_path / key
        monkeypatch.setenv(key, str(value))
    config = from_mapping(table, folder=tmp_path)
    assert config.database.url.startswith("postgresql+psycopg://")
    assert config.web.port == 9464
    assert str(config.web.port) in COMPOSE["services"]["hub"]["healthcheck"]["test"][-1]


def test_dockerfile_pins_hashes_and_drops_root() -> None:
    lines = (ROOT / "deploy/compose/Dockerfile").read_text().splitlines()
    last_stage = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert any(line.startswith("USER 10001") for line in last_stage)
    assert any("--require-hashes" in line for line in lines)
    assert not any(re.search(r"curl|wget|:latest", line) for line in lines)


def test_database_script_is_shell_and_executable() -> None:
    script = ROOT / "deploy/compose/postgres/10-databases.sh"
    assert script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)


# --- systemd ---------------------------------------------------------------------------------------------------------

KNOWN = {
    "Unit": "Description Wants After StartLimitIntervalSec StartLimitBurst",
    "Service": """Type User Group ExecStart Restart RestartSec TimeoutStopSec
        LoadCredentialEncrypted Environment StateDirectory
        StateDirectoryMode UMask LimitCORE MemoryMax
        TasksMax NoNewPrivileges CapabilityBoundingSet AmbientCapabilities
        ProtectSystem ProtectHome PrivateTmp PrivateDevices PrivateUsers ProtectClock ProtectHostname
        ProtectKernelLogs ProtectKernelModules
        ProtectKernelTunables ProtectControlGroups
        ProtectProc ProcSubset RestrictAddressFamilies RestrictNamespaces
        RestrictRealtime RestrictSUIDSGID RemoveIPC LockPersonality
        SystemCallArchitectures SystemCallFilter SystemCallErrorNumber""",
    "Install": "WantedBy",
}
"""Directives of systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.resource-control(5) at version 247."""


def unit() -> dict[str, list[tuple[str, str]]]:
    sections: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in (each.strip() for each in UNIT.read_text().splitlines()):
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            current.append((key, value))
    return sections


def test_unit_has_only_known_directives() -> None:
    found = unit()
    assert set(found) == set(KNOWN)
    for section, pairs in found.items():
        assert {key for key, _ in pairs} <= set(KNOWN[section].split())


def test_unit_is_hardened() -> None:
    service = unit()["Service"]
    said = dict(service)
    for key, value in {
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "PrivateDevices": "yes",
        "LimitCORE": "0",
        "UMask": "0077",
        "StateDirectoryMode": "0700",
        "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
        "User": "tinkuy",
    }.items():
        assert said[key] == value, key
    assert ("Environment", "TINKUY_KEYS__KEK_FILE=%d/kek") in service
    assert said["LoadCredentialEncrypted"].startswith("kek:")


def test_unit_starts_a_command_that_exists() -> None:
    words = shlex.split(dict(unit()["Service"])["ExecStart"])
    assert Path(words[0]).name == "tinkuy"
    resolve(words[1:])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here; the two tests above stand alone")
def test_systemd_itself_accepts_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "tinkuy.service"
    copy.write_text(re.sub(r"/opt/tinkuy/bin/tinkuy", sys.executable, UNIT.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert "tinkuy.service" not in done.stderr, done.stderr


# --- synapse ---------------------------------------------------------------------------------------------------------


def test_real_synapse_reads_the_snippet(tmp_path: Path) -> None:
    """Synapse's own configuration parser (a separate process) takes it beside the least it needs."""
    base = {
        "server_name": "prueba.example",
        "signing_key_path": str(tmp_path / "k"),
        "media_store_path": str(tmp_path / "m"),
        "database": {"name": "sqlite3", "args": {"database": str(tmp_path / "h.db")}},
        "macaroon_secret_key": "x",
        "listeners": [{"port": 8008, "type": "http", "resources": [{"names": ["client"]}]}],
        "pid_file": str(tmp_path / "p"),
    }
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(base))
    arguments = ["-c", str(tmp_path / "base.yaml"), "-c", str(ROOT / "deploy/config/synapse.yaml")]
    subprocess.run(
        [sys.executable, "-m", "synapse.app.homeserver", *arguments, "--generate-keys"],
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    done = subprocess.run(
        [sys.executable, "-m", "synapse.config", "read", "ratelimiting.rc_message", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "per_second=30" in done.stdout
    assert "burst_count=200" in done.stdout


def test_the_snippet_comes_from_the_one_source() -> None:
    """After a change in hub/base/synapse.py: write `render(sections(SAMPLE_SERVERS), SAMPLE_HEAD)` into the file."""
    assert (ROOT / "deploy/config/synapse.yaml").read_text() == render(sections(SAMPLE_SERVERS), SAMPLE_HEAD)
    assert yaml.safe_load(render(sections(SAMPLE_SERVERS), SAMPLE_HEAD)) == settings(SAMPLE_SERVERS)


def test_snippet_lifts_what_mutes_a_hub_and_closes_federation() -> None:
    snippet = yaml.safe_load((ROOT / "deploy/config/synapse.yaml").read_text())
    assert snippet["rc_message"]["per_second"] >= 10
    assert snippet["federation_domain_whitelist"]
    assert snippet["trusted_key_servers"] == []
    assert snippet["redaction_retention_period"] == "7d"


# --- metrics ---------------------------------------------------------------------------------------------------------


def rules() -> Iterator[dict[str, Any]]:
    for group in RULES["groups"]:
        yield from group["rules"]


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\btinkuy_\w+", expression))


def test_alerts_use_metrics_that_exist_and_point_at_chapters_that_exist() -> None:
    names, seen, anchors = Metrics().names(), set(), set(re.findall(r'<a id="([\w-]+)"></a>', RUNBOOK))
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert metrics_in(rule["expr"]) <= names, rule["alert"]
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "deploy/runbook.md"
        assert anchor in anchors, anchor
        assert " · " in rule["annotations"]["summary"]
        assert rule["alert"] not in seen
        seen.add(rule["alert"])
    assert len(seen) >= 12


def test_board_uses_metrics_that_exist_and_shows_all_of_them() -> None:
    shown = {name for panel in BOARD["panels"] for target in panel["targets"] for name in metrics_in(target["expr"])}
    assert shown == Metrics().names()
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    for panel in BOARD["panels"]:
        assert all(
            label in {"state", "version", "instance"}
            for target in panel["targets"]
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"])
        )
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


# --- words that name commands ----------------------------------------------------------------------------------------

ROOT_COMMAND = typer.main.get_command(app)


def resolve(words: list[str]) -> click.Command:
    """Walk the real command tree; every option must exist where it stands."""
    command: Any = ROOT_COMMAND
    rest = list(words)
    while rest:
        word = rest.pop(0)
        options = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts) if name.startswith("-")}
        if word.startswith("-") and word not in {"--help", "-h"}:
            name, _, value = word.partition("=")
            assert name in options, f"`{' '.join(words)}`: {command.name} has no {name}"
            option = options[name]
            if not value and not getattr(option, "is_flag", False):
                assert rest, f"`{' '.join(words)}`: {name} needs a value"
                rest.pop(0)
        elif hasattr(command, "commands"):
            assert word in command.commands, f"`tinkuy {' '.join(words)}`: no command {word}"
            command = command.commands[word]
    return command


def leaves(command: Any = ROOT_COMMAND, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not hasattr(command, "commands"):
        yield path
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, (*path, name))


def told() -> Iterator[tuple[str, str, bool]]:
    """(where, command line, whole): from shell blocks of the documents, from code spans, and from our own hints."""
    folders = (*(ROOT / "deploy").rglob("*.md"), *(ROOT / "docs").glob("*.md"))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(folders)]
    for page in (page for page in pages if page.exists()):
        text = page.read_text()
        for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, re.S):
            for line in block.splitlines():
                if line.strip().removeprefix("$ ").startswith("tinkuy "):
                    yield page.name, line.strip().removeprefix("$ ").split("#")[0], True
        for span in re.findall(r"`(tinkuy [^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S)):
            yield page.name, span, False
    for source in ("doctor_words.py", "cli_words.py", "cli_init.py", "cli_peer.py", "cli_keys.py", "backup_words.py"):
        for span in re.findall(
            r"tinkuy (?:run|status|doctor|(?:staff|peer|manifest|db|config|keys|ledger|backup|servers|hold) [a-z][a-z-]+)",
            (ROOT / "hub" / source).read_text(),
        ):
            yield source, span, False


def test_every_documented_command_exists_with_its_options() -> None:
    lines = list(told())
    assert len(lines) > 40
    for where, line, whole in lines:
        if "…" in line or "|" in line:
            continue
        command = resolve(shlex.split(line)[1:])
        assert not whole or not hasattr(command, "commands"), f"{where}: `{line}` stops half-way"


def test_every_command_is_in_the_runbook() -> None:
    missing = [" ".join(path) for path in leaves() if not re.search(rf"tinkuy (?:--config \S+ )?{' '.join(path)}\b", RUNBOOK)]
    assert missing == []


def test_every_command_has_help_in_both_languages() -> None:
    for path in leaves():
        command = resolve(list(path))
        assert " · " in (command.help or ""), path
        for option in command.params:
            said = getattr(option, "help", "") or ""
            assert not said or "·" in said or re.fullmatch(r"[a-z_, |…]+", said) or said.startswith("Show this"), (path, said)


def test_doctor_points_at_chapters_that_exist() -> None:
    headings = re.findall(r"^## \d+\. (.+)$", RUNBOOK, re.M)
    named = {name for words in WORDS.values() for text in words[2] for name in re.findall(r"«([^»]+)»|\"([A-Z][^\"]+)\"", text)}
    chapters = {part for heading in headings for part in heading.split(" · ")}
    assert {a or b for a, b in named} <= chapters


def test_samples_hold_no_real_address() -> None:
    for path in (ROOT / "deploy").rglob("*"):
        if path.is_file():
            for host in re.findall(r"https?://([\w.-]+)", path.read_text()):
                assert host.endswith(".example") or host in {"127.0.0.1"}, (path.name, host)


@pytest.mark.parametrize(
    "line", ["staff promote @x:y", "staff add @x:y --rank 3", "doctor --jsn", "--verbose status", "staff add @x:y --role"]
)
def test_the_walker_can_say_no(line: str) -> None:
    with pytest.raises(AssertionError):
        resolve(shlex.split(line))
