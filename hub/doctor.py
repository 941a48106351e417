"""`tinkuy doctor`: what would make the hub mute or blind, each with the way out. Offline where it can be, live by the socket.

Pure functions judge facts; `examine` fetches them. A fact that could not be had is never reported as fine.
"""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from pathlib import Path
from typing import Any

import aiohttp

from hub import doctor_backups
from hub.app.backup import backup_settings
from hub.base.config import Config
from hub.base.fingerprint import grouped, square
from hub.base.kek import open_kek
from hub.base.synapse import GATE_PATH
from hub.chat.stopped import because
from hub.cli_base import PAIR, say
from hub.doctor_words import PROTOCOL_SAYS, WORDS
from hub.web.control import ControlError, HubAway, call
from keys.errors import KeysError
from keys.identity import load_identity
from keys.keyring import FileRows, Keyring

SKEW_WARN, SKEW_FAIL = 30.0, 300.0
"""Seconds; R05 alarms at five minutes."""
MANIFEST_WARN = 30
SIGNING_WARN = 14
FEW_ONE_TIME_KEYS = 10
SYNC_STALE = 90.0
MOST_NAMED = 5
"""Accounts that one line names."""


class Level(Enum):
    """How bad."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One verdict. Its words stand in `doctor_words`, by id; `params` are counts, slugs and codes, or a pair: Spanish and English."""

    id: str
    level: Level
    params: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    """Under which name other words for the same check stand; empty: under its id."""

    def sentences(self) -> tuple[str, str, str, str]:
        """Spanish and English sentence, Spanish and English way out (empty when all is well)."""
        fine, bad, fix = WORDS[self.words or self.id]
        es, en = fine if self.level is Level.OK else bad
        hint_es, hint_en = ("", "") if self.level is Level.OK else fix
        spanish, english = ({name: _said(value, place) for name, value in self.params.items()} for place in (0, 1))
        return es.format_map(spanish), en.format_map(english), hint_es, hint_en

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        es, en, hint_es, hint_en = self.sentences()
        return {
            "id": self.id,
            "level": self.level.value,
            "es": es,
            "en": en,
            "fix": {"es": hint_es, "en": hint_en},
            "params": dict(self.params),
        }


async def examine(config: Config) -> list[Check]:
    """Every check, in the order in which one would mend things."""
    offline = await asyncio.to_thread(lambda: list(check_files(config)))
    return [*offline, *await check_homeserver(config), *await check_live(config)]


def check_files(config: Config) -> Iterator[Check]:
    """What this machine alone can tell."""
    yield _judge("faults", bad=bool(config.faults.kill_at))
    yield _judge("state", bad=not _private(config.paths.state, 0o077))
    yield from _check_keys(config)
    with suppress(OSError):
        left = config.matrix.password is not None or bool(config.matrix.password_file and config.matrix.password_file.exists())
        yield _judge("password", bad=left and config.paths.state.joinpath("hub.db").exists(), worst=Level.WARN)
    yield _check_schema(config)
    if config.database.server:
        yield _check_server_keys(config)
    yield from _check_backups(config, time.time())


def _check_keys(config: Config) -> Iterator[Check]:
    try:
        kek = open_kek(config.keys)
    except KeysError as error:
        yield Check(id="kek", level=Level.FAIL, params={"code": error.code})
        return
    yield Check(id="kek", level=Level.OK)
    beside = config.keys.provider == "file" and config.keys.kek_file.resolve().is_relative_to(config.paths.state.resolve())
    yield _judge("kek_apart", bad=beside, worst=Level.WARN)
    try:
        identity = load_identity(Keyring(config.institution.id, kek, FileRows(config.keyring_file)))
    except KeysError as error:
        yield Check(id="identity", level=Level.FAIL, params={"code": error.code})
        return
    yield Check(id="identity", level=Level.OK)
    # From our own keyring, never from what the homeserver says: that is what people compare it with.
    yield Check(id="fingerprint", level=Level.OK, params={"fingerprint": grouped(identity.master_fingerprint)})


def _check_schema(config: Config) -> Check:
    try:
        from hub.app import offline

        current, head = offline.db_check(config)
    except Exception as error:
        return Check(id="schema_unread", level=Level.FAIL, params={"error": type(error).__name__})
    return _judge("schema", bad=current != head, params={"current": current or "-", "head": head})


def _check_server_keys(config: Config) -> Check:
    try:
        from hub.app.offline import server_keys_fit

        return _judge("server_keys", bad=not server_keys_fit(config))
    except Exception as error:
        return Check(id="server_keys_unread", level=Level.FAIL, params={"error": type(error).__name__})


def _check_backups(config: Config, now: float) -> Iterator[Check]:
    for id, level, params in doctor_backups.judge(config, datetime.fromtimestamp(now, UTC)):
        yield Check(id=id, level=Level(level), params=params)


async def check_homeserver(config: Config) -> list[Check]:
    """Reachable, speaks Matrix, and agrees on the time (its Date header has a resolution of one second)."""
    url = f"{config.matrix.homeserver_url}/_matrix/client/versions"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.get(url, ssl=_trust(config.matrix.ca_file)) as answer,
        ):
            now = datetime.now(UTC)
            found = await answer.json(content_type=None)
            date = answer.headers.get("Date", "")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return [Check(id="homeserver", level=Level.FAIL, params={"error": type(error).__name__})]
    versions = found.get("versions") if isinstance(found, dict) else None
    return [
        _judge("homeserver", bad=answer.status != 200 or not isinstance(versions, list), params={"error": answer.status}),
        judge_clock(date, now),
    ]


def judge_clock(date: str, now: datetime) -> Check:
    """Compare our clock with an HTTP Date header."""
    try:
        skew = abs((now - parsedate_to_datetime(date)).total_seconds())
    except (TypeError, ValueError):
        return Check(id="clock_unread", level=Level.WARN)
    level = Level.OK if skew < SKEW_WARN else Level.WARN if skew < SKEW_FAIL else Level.FAIL
    return Check(id="clock", level=level, params={"seconds": int(skew)})


async def check_live(config: Config) -> list[Check]:
    """What only the running hub knows, from its control command `doctor`."""
    try:
        facts = await call(config.socket, "doctor", timeout=30)
    except HubAway:
        return [Check(id="running", level=Level.FAIL)]
    except ControlError as error:
        return [Check(id="answers", level=Level.FAIL, params={"code": error.code})]
    known = facts if isinstance(facts, dict) else {}
    checks = [Check(id="running", level=Level.OK), *judge_live(known), judge_backup_settings(config, known)]
    wanted = known.get("gate")
    return [*checks, judge_gate(wanted, await _shown_gate(config))] if isinstance(wanted, dict) else checks


async def _shown_gate(config: Config) -> Mapping[str, Any] | None:
    """What the gate at our homeserver says of itself; None where there is none, or it does not answer."""
    url = config.matrix.homeserver_url + GATE_PATH
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.get(url, ssl=_trust(config.matrix.ca_file)) as answer,
        ):
            found = await answer.json(content_type=None) if answer.status == 200 else None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def judge_live(facts: Mapping[str, Any]) -> Iterator[Check]:
    """Judge the live facts. A missing number counts as bad.

    Keys: `cross_signing` ("ok", "absent", "foreign", "changed"), `rate_limited` (answers 429 since start), `sync_age_seconds`,
    `one_time_keys`, `undecryptable`, `quarantined`, `unsigned` (with `unsigned_writers`), `overdue_checkins`,
    `rooms` [{room, drift: [code], missing: [user]}], `manifest_days`, `protocols` [{protocol, code}],
    `servers` [{server, running}] (of a hub with two),
    `peers` [{institution, days, stopped: code or None, unanswered}], `staff_blocked` (people whose master key changed),
    `staff` and `supervisors` (how many are enrolled, and how many of them supervise).
    """
    signing = str(facts.get("cross_signing", "unknown"))
    yield _judge("cross_signing", bad=signing != "ok", params={"code": signing})
    yield _judge("rate_limit", bad=_number(facts, "rate_limited") != 0, params={"count": facts.get("rate_limited", "?")})
    yield _judge("sync", bad=_number(facts, "sync_age_seconds") > SYNC_STALE)
    yield _judge("one_time_keys", bad=not FEW_ONE_TIME_KEYS <= _number(facts, "one_time_keys") < float("inf"))
    for name in ("undecryptable", "quarantined", "staff_blocked", "overdue_checkins"):
        yield _judge(name, bad=_number(facts, name, absent=0) > 0, worst=Level.WARN, params={"count": facts.get(name, 0)})
    yield _judge("supervision", bad=_number(facts, "supervisors", absent=0) < 1, worst=Level.WARN)
    yield _judge("second_person", bad=_number(facts, "staff", absent=0) < PAIR, worst=Level.WARN, params={"count": facts.get("staff", "?")})
    yield _unsigned(facts)
    drifted = [room for room in _rows(facts, "rooms") if room.get("drift")]
    steps = [step for room in drifted for step in _rows(room, "steps")]
    wait = "rooms_wait" if _waits(steps) else ""
    yield _judge("rooms", bad=bool(drifted), worst=Level.WARN, params={"count": len(drifted)}, words=wait)
    inside = [step for step in steps if step.get("what") in ("stranger", "departed")]
    strangers = sorted({str(step.get("about", "?")) for step in inside})
    wait = "strangers_wait" if _waits(inside) else ""
    yield _judge("strangers", bad=bool(strangers), worst=Level.FAIL, params={"who": ", ".join(strangers[:MOST_NAMED])}, words=wait)
    doubts = _number(facts, "devices_in_doubt", absent=0)
    yield _judge("devices_in_doubt", bad=doubts > 0, worst=Level.WARN, params={"count": facts.get("devices_in_doubt", 0)})
    missing = sorted({str(user) for room in drifted if isinstance(room.get("missing"), list) for user in room["missing"]})
    yield _judge("not_invited", bad=bool(missing), worst=Level.WARN, params={"who": ", ".join(missing[:MOST_NAMED])})
    servers = _rows(facts, "servers")
    if servers:
        running = sum(row.get("running") is True for row in servers)
        yield _judge("servers", bad=running < 2, worst=Level.WARN, params={"count": running})
    own = _number(facts, "manifest_days")
    yield _judge(
        "manifest",
        bad=not MANIFEST_WARN < own < float("inf"),
        worst=Level.FAIL if own <= 7 else Level.WARN,
        params={"days": int(own) if own < float("inf") else "?"},
    )
    yield _judge("root_here", bad=facts.get("root_here") is not False, worst=Level.WARN)
    due = _number(facts, "signing_days")
    yield _judge("signing_key", bad=not SIGNING_WARN < due < float("inf"), worst=Level.WARN, params={"days": facts.get("signing_days", "?")})
    yield from _links(_rows(facts, "peers"))
    yield from _networks(facts)
    for peer in _rows(facts, "peers"):
        days = _number(peer, "days", absent=0)
        yield _judge(
            "peer_manifest",
            bad=days <= MANIFEST_WARN,
            worst=Level.FAIL if days <= 7 else Level.WARN,
            params={"institution": peer.get("institution", "?"), "days": int(days)},
        )
    for finding in _rows(facts, "protocols"):
        yield _protocol(finding)


def _protocol(finding: Mapping[str, Any]) -> Check:
    """What a version needs of people; an unknown code speaks by itself."""
    code, who = str(finding.get("code", "?")), str(finding.get("who", ""))
    es, en = PROTOCOL_SAYS.get(code, ("tiene una observación", "has a finding"))
    told = {"protocol": finding.get("protocol", "?"), "code": code, "what": (es.format(who=who), en.format(who=who))}
    return Check(id="protocol", level=Level.WARN, params=told)


def _links(peers: list[Mapping[str, Any]]) -> Iterator[Check]:
    """Whom nothing reaches: links that stand still, each with its reason, and peers that have not answered our restore. Not known is not fine."""
    stopped = {str(peer.get("institution", "?")): str(peer.get("stopped", "?")) for peer in peers if peer.get("stopped", "?") is not None}
    told = tuple("; ".join(f"{name} ({because(lang, why)})" for name, why in sorted(stopped.items())) for lang in ("es", "en"))
    yield _judge("links_stopped", bad=bool(stopped), worst=Level.WARN, params={"who": told})
    waiting = sorted(str(peer.get("institution", "?")) for peer in peers if peer.get("unanswered") is not False)
    yield _judge("restore_unanswered", bad=bool(waiting), worst=Level.WARN, params={"who": ", ".join(waiting)})


def _networks(facts: Mapping[str, Any]) -> Iterator[Check]:
    """How long each list counts, and linked institutions that the lists do not name, or name otherwise. Nothing, where there is no list."""
    lists = _rows(facts, "networks")
    for row in lists:
        days = _number(row, "days", absent=0)
        told = {"table": row.get("table", "?"), "days": max(int(days), 0)}
        yield _judge("network_list", bad=days <= MANIFEST_WARN, worst=Level.FAIL if days <= 0 else Level.WARN, params=told)
    if lists:
        unlisted, differing = (_standing(_rows(facts, "peers"), state) for state in ("unlisted", "differs"))
        yield _judge("network_unlisted", bad=bool(unlisted), worst=Level.WARN, params={"who": unlisted})
        yield _judge("network_differs", bad=bool(differing), worst=Level.WARN, params={"who": differing})


def _standing(peers: list[Mapping[str, Any]], state: str) -> str:
    return ", ".join(sorted(str(peer.get("institution", "?")) for peer in peers if peer.get("listed") == state))


def judge_gate(wanted: Mapping[str, Any], shown: Mapping[str, Any] | None) -> Check:
    """What the homeserver's gate shows against what it should be: versions and digests. None: there is no gate."""
    if shown is None:
        return Check(id="gate", level=Level.WARN)
    parts = {"servers": ("servidores", "servers"), "hubs": ("centros", "hubs"), "lists": ("listas", "lists")}
    other = [words for key, words in parts.items() if _plain(shown.get(key)) != _plain(wanted.get(key))]
    told = tuple(", ".join(pair[place] for pair in other) for place in (0, 1))
    return _judge("gate_differs", bad=bool(other), params={"what": told})


def _plain(value: Any) -> Any:
    """Lists of lists in one order."""
    return sorted(map(str, value)) if isinstance(value, list) else value


def _unsigned(facts: Mapping[str, Any]) -> Check:
    writers = facts.get("unsigned_writers")
    known = [user for user in writers if isinstance(user, str)] if isinstance(writers, list) else []
    told = {"count": facts.get("unsigned", 0), "who": ", ".join(known[:MOST_NAMED]) or "?"}
    return _judge("unsigned", bad=_number(facts, "unsigned", absent=0) > 0, worst=Level.WARN, params=told)


def judge_backup_settings(config: Config, facts: Mapping[str, Any]) -> Check:
    """Whether the hub that runs goes by the backup settings that stand in the file: it reads them when it starts, and not again."""
    return _judge("backup_settings", bad=facts.get("backup_settings") != backup_settings(config), worst=Level.WARN)


def show(checks: Iterable[Check], *, qr: bool = False) -> None:
    """For a person: one line a check, the way out below what is wrong, a sum at the end. With `qr` the fingerprint for a camera, too."""
    counted = list(checks)
    marks = {Level.OK: "✓", Level.WARN: "!", Level.FAIL: "✗"}
    for check in counted:
        es, en, fix_es, fix_en = check.sentences()
        say(f"{marks[check.level]} {es}", f"{marks[check.level]} {en}")
        if fix_es:
            say(f"    → {fix_es}", f"    → {fix_en}")
        if qr and check.id == "fingerprint":
            drawn = square(str(check.params["fingerprint"]).replace(" ", ""))
            say(drawn, drawn)
    bad = sum(check.level is not Level.OK for check in counted)
    say(f"{len(counted)} revisiones, {bad} por atender.", f"{len(counted)} checks, {bad} to attend to.")


def _said(value: Any, place: int) -> Any:
    return value[place] if isinstance(value, tuple) else value


def _waits(steps: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any of these steps is taken only when an administrator says so."""
    return any(step.get("by") == "asks" for step in steps)


def _judge(id: str, *, bad: bool, worst: Level = Level.FAIL, params: Mapping[str, Any] | None = None, words: str = "") -> Check:
    return Check(id=id, level=worst if bad else Level.OK, params=params or {}, words=words if bad else "")


def _number(facts: Mapping[str, Any], key: str, *, absent: float = float("inf")) -> float:
    value = facts.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e15:  # NaN and infinity are no facts
        return absent
    return float(value)


def _rows(facts: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = facts.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _private(path: Path, forbidden: int) -> bool:
    try:
        return not stat.S_IMODE(path.stat().st_mode) & forbidden
    except OSError:
        return False


def _trust(ca_file: Path | None) -> Any:
    import ssl

    return ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
