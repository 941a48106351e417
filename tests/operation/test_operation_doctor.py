"""Doctor: every verdict can be bad, absence is never fine, and every word exists twice."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from hub import doctor, doctor_backups
from hub.app.backup import backup_settings
from hub.base.config import Config, from_mapping
from hub.doctor import Check, Level, judge_live
from hub.doctor_words import WORDS
from keys.identity import create_identity
from keys.keyring import FileRows, Keyring
from keys.providers.file import FileKek

PEER: dict[str, Any] = {"institution": "cem-prueba", "days": 100, "stopped": None, "unanswered": False}
HEALTHY: dict[str, Any] = {
    "cross_signing": "ok",
    "rate_limited": 0,
    "sync_age_seconds": 1.0,
    "one_time_keys": 50,
    "undecryptable": 0,
    "quarantined": 0,
    "unsigned": 0,
    "staff_blocked": 0,
    "staff": 3,
    "supervisors": 1,
    "overdue_checkins": 0,
    "rooms": [{"room": "!a:b", "drift": []}],
    "manifest_days": 200,
    "peers": [PEER],
    "protocols": [],
    "root_here": False,
    "signing_days": 60,
}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def levels(checks: list[Check]) -> dict[str, Level]:
    return {check.id: check.level for check in checks}


def test_a_healthy_hub_is_all_ok() -> None:
    assert set(levels(list(judge_live(HEALTHY))).values()) == {Level.OK}


@pytest.mark.parametrize(
    ("change", "id", "level"),
    [
        ({"cross_signing": "foreign"}, "cross_signing", Level.FAIL),
        ({"rate_limited": 3}, "rate_limit", Level.FAIL),
        ({"sync_age_seconds": 500}, "sync", Level.FAIL),
        ({"one_time_keys": 3}, "one_time_keys", Level.FAIL),
        ({"undecryptable": 1}, "undecryptable", Level.WARN),
        ({"staff_blocked": 1}, "staff_blocked", Level.WARN),
        ({"supervisors": 0}, "supervision", Level.WARN),
        ({"staff": 1}, "second_person", Level.WARN),
        ({"overdue_checkins": 1}, "overdue_checkins", Level.WARN),
        ({"quarantined": 1}, "quarantined", Level.WARN),
        ({"unsigned": 1}, "unsigned", Level.WARN),
        ({"rooms": [{"room": "!a:b", "drift": ["rooms.join_rule"]}]}, "rooms", Level.WARN),
        ({"manifest_days": 20}, "manifest", Level.WARN),
        ({"manifest_days": 3}, "manifest", Level.FAIL),
        ({"peers": [PEER | {"days": 14}]}, "peer_manifest", Level.WARN),
        ({"peers": [PEER | {"days": -1}]}, "peer_manifest", Level.FAIL),
        ({"peers": [PEER | {"stopped": "people"}]}, "links_stopped", Level.WARN),
        ({"peers": [PEER | {"unanswered": True}]}, "restore_unanswered", Level.WARN),
        ({"protocols": [{"protocol": "salud-mental", "code": "protocol.expired"}]}, "protocol", Level.WARN),
        ({"root_here": True}, "root_here", Level.WARN),
        ({"signing_days": 5}, "signing_key", Level.WARN),
        ({"servers": [{"server": "uno", "running": True}, {"server": "dos", "running": False}]}, "servers", Level.WARN),
    ],
)
def test_each_live_fact_alone_is_noticed(change: dict[str, Any], id: str, level: Level) -> None:
    found = levels(list(judge_live(HEALTHY | change)))
    assert found.pop(id) is level
    assert set(found.values()) == {Level.OK}


def test_a_writer_on_an_unsigned_device_is_no_fault_of_the_homeserver() -> None:
    facts = HEALTHY | {"unsigned": 3, "unsigned_writers": ["@rosa:x.example", 5, "@hub:y.example"]}
    found = next(check for check in judge_live(facts) if check.id == "unsigned")
    es, en, fix_es, fix_en = found.sentences()
    assert "UnverifiedDevice" in es
    assert "@rosa:x.example, @hub:y.example" in es
    assert "No es una falla del servidor" in es
    assert "no fault of the homeserver" in en
    assert "Verificar esta sesión" in fix_es
    assert "Verify this session" in fix_en
    assert not re.search("administra el servidor|runs the homeserver", fix_es + fix_en)


def test_who_could_not_be_invited_is_named() -> None:
    rooms = [{"room": "desk", "drift": ["invite"], "missing": ["@rosa:x.example"]}, {"room": "direct", "drift": [], "missing": []}]
    found = {check.id: check for check in judge_live(HEALTHY | {"rooms": rooms})}
    assert found["not_invited"].level is Level.WARN
    assert "@rosa:x.example" in found["not_invited"].sentences()[0]
    assert "staff remove" in found["not_invited"].sentences()[2]


@pytest.mark.parametrize(("by", "words"), [("asks", "tinkuy rooms apply"), ("hub", "El hub l")])
def test_the_way_out_of_a_drifted_room_is_that_of_the_configuration(by: str, words: str) -> None:
    steps = [{"what": "stranger", "about": "@intruso:x.example", "step": "kick", "by": by}]
    found = {check.id: check for check in judge_live(HEALTHY | {"rooms": [{"room": "desk", "drift": ["kick"], "steps": steps}]})}
    for id in ("rooms", "strangers"):
        fix = found[id].sentences()[2]
        assert words in fix
        assert ("solo" in fix) is (by == "hub")
    assert "1 salas" not in found["rooms"].sentences()[0]


def test_days_are_whole_and_a_version_that_waits_leaves_the_one_before_in_force() -> None:
    facts = HEALTHY | {"manifest_days": 365.0, "protocols": [{"protocol": "shelter@2", "code": "waits_sign", "who": ""}]}
    found = {check.id: check for check in judge_live(facts)}
    assert "vence en 365 días" in found["manifest"].sentences()[0]
    assert "no sale nada" not in found["protocol"].sentences()[2]
    assert "sigue rigiendo la versión anterior" in found["protocol"].sentences()[2]


def test_a_stopped_link_is_named_with_its_reason_in_words() -> None:
    facts = HEALTHY | {"peers": [PEER, PEER | {"institution": "csmc-prueba", "stopped": "stranger"}, {"institution": "otra-prueba", "days": 9}]}
    found = {check.id: check for check in judge_live(facts)}
    es, en, fix_es, fix_en = found["links_stopped"].sentences()
    assert "csmc-prueba (alguien ajeno entró en su sala); otra-prueba (?)" in es, "not known is not fine"
    assert "csmc-prueba (a stranger came into its room)" in en
    assert "cem-prueba" not in es
    assert "peer thaw" in fix_es
    assert "peer thaw" in fix_en
    assert "otra-prueba" in found["restore_unanswered"].sentences()[0]


def test_backup_settings_that_changed_under_a_running_hub_are_noticed(table: dict[str, Any], tmp_path: Path) -> None:
    config = from_mapping(table | {"paths": {"backups": "copias"}, "backup": {"keys_folder": "claves"}}, folder=tmp_path)
    running = {"backup_settings": backup_settings(config)}
    assert doctor.judge_backup_settings(config, running).level is Level.OK
    for changed in ({"paths": {"backups": "otras"}}, {"paths": {"backups": "copias"}, "backup": {"keys_folder": "claves", "keep_days": 3}}):
        found = doctor.judge_backup_settings(from_mapping(table | changed, folder=tmp_path), running)
        assert found.level is Level.WARN
        assert "Reinicie" in found.sentences()[2]
    assert doctor.judge_backup_settings(config, {}).level is Level.WARN, "not known is not fine"


def test_a_backup_that_was_never_made_is_called_never(table: dict[str, Any], tmp_path: Path) -> None:
    config = from_mapping(table | {"paths": {"backups": "copias", "state": "s"}}, folder=tmp_path)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "restore.json").write_text(json.dumps({"proven": False, "tombstones_until": "1970-01-01T00:00:00+00:00"}))
    found = {check.id: check.sentences() for check in doctor._check_backups(config, 1e9)}
    assert found["backups"][:2] == ("Último respaldo: nunca.", "Last backup: never.")
    assert "1970" not in str(found)
    assert "hasta nunca" in found["restored_in_doubt"][0]
    (tmp_path / "s" / "restore.json").write_text(json.dumps({"proven": False, "tombstones_until": "2026-11-22T10:00:00+00:00"}))
    found = {check.id: check.sentences() for check in doctor._check_backups(config, 1e9)}
    assert "2026-11-22 05:00 (Lima)" in found["restored_in_doubt"][0]


@pytest.mark.parametrize("absent", ["cross_signing", "rate_limited", "sync_age_seconds", "one_time_keys", "manifest_days"])
def test_an_absent_fact_is_not_fine(absent: str) -> None:
    assert Level.OK not in {
        check.level
        for check in judge_live({k: v for k, v in HEALTHY.items() if k != absent})
        if check.id
        in {absent, {"rate_limited": "rate_limit", "sync_age_seconds": "sync", "manifest_days": "manifest"}.get(absent)}
    }


@given(
    st.dictionaries(
        st.sampled_from(sorted(HEALTHY)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.sampled_from(["room", "drift", "institution", "days", "protocol", "code"]), inner)
            ),
        ),
    )
)
def test_live_judgement_is_total(facts: dict[str, Any]) -> None:
    for check in judge_live(facts):
        assert all(isinstance(text, str) for text in check.sentences())


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, Level.OK), (20, Level.OK), (60, Level.WARN), (400, Level.FAIL), (-400, Level.FAIL)]
)
def test_clock(seconds: int, level: Level) -> None:
    assert doctor.judge_clock(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), NOW).level is level


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 99 Foo 2026 00:00:00 GMT", "Sat, 21 Nov 2026 12:00:00 -0000"])
def test_an_unreadable_clock_is_not_fine(date: str) -> None:
    assert doctor.judge_clock(date, NOW).level is Level.WARN


@pytest.mark.parametrize(
    ("status", "body", "level"),
    [(200, {"versions": ["v1.11"]}, Level.OK), (404, {}, Level.FAIL), (200, [], Level.FAIL), (200, "<html>", Level.FAIL)],
)
async def test_homeserver(table: dict[str, Any], tmp_path: Path, status: int, body: Any, level: Level) -> None:
    async def versions(_: web.Request) -> web.Response:
        return web.Response(text=body, status=status) if isinstance(body, str) else web.json_response(body, status=status)

    app = web.Application()
    app.router.add_get("/_matrix/client/versions", versions)
    async with TestServer(app) as server:
        table["matrix"]["homeserver_url"] = f"http://127.0.0.1:{server.port}"
        found = await doctor.check_homeserver(from_mapping(table, folder=tmp_path))
    assert found[0].level is level


async def test_nobody_at_the_homeserver_or_the_socket(settings: Config) -> None:
    assert [check.level for check in await doctor.check_homeserver(settings)] == [Level.FAIL]
    assert [check.id for check in await doctor.check_live(settings)] == ["running"]


def test_files_well_and_badly_kept(settings: Config) -> None:
    before = levels(list(doctor.check_files(settings)))
    assert before["state"] is Level.FAIL
    assert before["kek"] is Level.FAIL
    assert "identity" not in before
    settings.paths.state.mkdir(mode=0o700)
    kek = FileKek.create(settings.keys.kek_file)
    assert levels(list(doctor.check_files(settings)))["identity"] is Level.FAIL
    create_identity(Keyring(settings.institution.id, kek, FileRows(settings.keyring_file)))
    good = levels(list(doctor.check_files(settings)))
    assert [good[id] for id in ("state", "kek", "kek_apart", "identity")] == [Level.OK] * 4
    settings.keys.kek_file.chmod(0o644)
    settings.paths.state.chmod(0o755)
    bad = levels(list(doctor.check_files(settings)))
    assert (bad["kek"], bad["state"]) == (Level.FAIL, Level.FAIL)


def test_kek_beside_the_data_and_armed_faults(table: dict[str, Any], tmp_path: Path) -> None:
    table |= {"keys": {"kek_file": "state/kek"}, "faults": {"kill_at": ["before_commit"]}}
    config = from_mapping(table, folder=tmp_path)
    config.paths.state.mkdir(mode=0o700)
    FileKek.create(config.keys.kek_file)
    found = levels(list(doctor.check_files(config)))
    assert found["kek_apart"] is Level.WARN
    assert found["faults"] is Level.FAIL


def test_backups(table: dict[str, Any], tmp_path: Path) -> None:
    """Only a whole backup counts, of ours, and by the time in its name: a copied file has a new date."""
    table["paths"] = {"backups": "copias"}
    config = from_mapping(table, folder=tmp_path)
    made = datetime(2026, 11, 20, 3, tzinfo=UTC)

    def judged(hours: float) -> dict[str, Level]:
        return levels(list(doctor._check_backups(config, made.timestamp() + hours * 3600)))

    assert judged(1) == {"backups": Level.FAIL, "backup_keys_old": Level.OK, "backup_journal": Level.OK}
    (tmp_path / "copias" / "keys").mkdir(parents=True)
    (tmp_path / "copias" / "tinkuy-otra-20261120T030000Z.data.age").touch()
    (tmp_path / "copias" / "tinkuy-csmc-prueba-20261120T030000Z.data.age").touch()
    assert judged(1)["backups"] is Level.FAIL, "data without keys"
    (tmp_path / "copias" / "keys" / "tinkuy-csmc-prueba-20261120T030000Z.keys.age").touch()
    for hours, level in ((1, Level.OK), (30, Level.WARN), (200, Level.FAIL)):
        assert judged(hours)["backups"] is level
    assert judged(167)["backup_keys_old"] is Level.OK
    assert judged(169)["backup_keys_old"] is Level.FAIL


def test_the_journal_beside_the_backups_and_a_restore_in_doubt(table: dict[str, Any], tmp_path: Path) -> None:
    table["paths"] = {"backups": "copias", "state": "s"}
    config = from_mapping(table, folder=tmp_path)
    for name in ("copias", "s"):
        (tmp_path / name).mkdir()
    name = f"tombstones-csmc-prueba-{'0' * 16}.journal"
    (tmp_path / "s" / name).write_bytes(b"two lines")
    (tmp_path / "copias" / name).write_bytes(b"one")
    found = levels(list(doctor._check_backups(config, 0.0)))
    assert found["backup_journal"] is Level.WARN
    assert "restored_in_doubt" not in found
    for proven, level in ((True, Level.OK), (False, Level.WARN)):
        (tmp_path / "s" / "restore.json").write_text(json.dumps({"proven": proven, "tombstones_until": "2026-11-22T10:00:00+00:00"}))
        assert levels(list(doctor._check_backups(config, 0.0)))["restored_in_doubt"] is level


def test_linked_institutions_that_the_lists_do_not_name_are_named_and_without_a_list_nobody_is() -> None:
    peers = [{"institution": "csmc-comas", "days": 300, "stopped": None, "unanswered": False, "listed": "unlisted"}]
    peers += [{"institution": "cem-lima", "days": 300, "stopped": None, "unanswered": False, "listed": "differs"}]
    facts = {"networks": [{"table": "mesa-lima", "days": 12.0}, {"table": "mesa-sur", "days": -1.0}], "peers": peers}
    found = {check.id: check for check in doctor._networks(facts)}
    assert [check.level for check in doctor._networks(facts)] == [Level.WARN, Level.FAIL, Level.WARN, Level.WARN]
    assert "csmc-comas" in found["network_unlisted"].sentences()[0]
    assert "cem-lima" in found["network_differs"].sentences()[0]
    assert list(doctor._networks({"networks": [], "peers": peers})) == []


def test_words_are_complete() -> None:
    """Every check that the code can make has words, in both languages, and no words stand without a check."""
    source = Path(doctor.__file__).read_text() + Path(doctor_backups.__file__).read_text()
    made = set(re.findall(r'(?:_judge\(\s*|Check\(id=|yield )"(\w+)"', source)) | {
        "undecryptable",
        "quarantined",
        "staff_blocked",
        "overdue_checkins",
    }
    made |= set(re.findall(r'"(\w+_wait)" if', source))
    assert made == set(WORDS)
    for fine, bad, fix in WORDS.values():
        assert bool(fine[0]) == bool(fine[1])
        assert all((*bad, *fix))
        assert bad[0] != bad[1]
        assert set(re.findall(r"{\w+}", bad[0])) == set(re.findall(r"{\w+}", bad[1]))
