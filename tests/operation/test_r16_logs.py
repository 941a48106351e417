"""R16: whatever is thrown at the log, no canary comes out, and every record is one line."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hub.base import logs
from hub.base.errors import Refused
from hub.base.sections import Log
from keys.errors import CannotOpen
from tests.operation.samples import CANARY, ROOT


class Talkative:
    """An object whose every textual form is the canary."""

    def __str__(self) -> str:
        return CANARY

    __repr__ = __str__

    def __format__(self, _: str) -> str:
        return CANARY


KEYS = sorted({*logs._SHAPES, *logs._NUMBERS, *logs._PEOPLE, *logs._NAMES, "nombre", "exc_info", "stack_info", "msg"})
MESSY = st.sampled_from(
    [
        CANARY,
        CANARY.encode(),
        Talkative(),
        f"ok\r\n{CANARY}",
        f"\x1b[2J{CANARY}",
        f"case_{CANARY}",
        f"@{CANARY} x:y",
        [CANARY],
        {CANARY: CANARY},
        (Talkative(),),
        f"!{CANARY}:x",
        ValueError(CANARY),
        9876543,
    ]
)
ONE_RECORD = st.dictionaries(st.sampled_from(KEYS), MESSY, max_size=6)


def lines(told: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told.getvalue().splitlines()]


@given(ONE_RECORD, st.sampled_from([CANARY, f"a.b\n{CANARY}", "matrix.synced"]))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
def test_r16_no_argument_leaks(told: io.StringIO, record: dict[str, Any], event: str) -> None:
    told.seek(0)
    told.truncate()
    record.pop("event", None)
    logs.get("matrix").warning(event, **record)
    text = told.getvalue()
    assert text.count("\n") == 1
    assert json.loads(text)["level"] in {"warning", logs.WITHHELD}
    for piece in (CANARY, "Zq7X", "Quispe", "\x1b", json.dumps(CANARY)[1:-1]):
        assert piece not in text


@given(st.dictionaries(st.text(max_size=12), st.text(min_size=1) | st.integers() | st.floats() | st.booleans() | st.none()))
@hypothesis_settings(deadline=None)
def test_scrub_is_total_and_keeps_only_known_shapes(record: dict[str, Any]) -> None:
    for key, value in logs.scrub(record).items():
        if value != logs.WITHHELD and not isinstance(value, bool):
            assert key in logs._SHAPES or key in logs._NUMBERS or key in logs._PEOPLE or key in logs._NAMES


def test_what_an_operator_needs_does_pass(told: io.StringIO) -> None:
    case, room, event_id = "case_" + "0a" * 12, "!abcDEF:prueba.example", "$Ab_9-x"
    logs.get("matrix").info(
        "matrix.synced",
        case=case,
        room=room,
        event_id=event_id,
        peer="csmc-comas",
        ms=12.5,
        count=3,
        fields=["social_name", "need"],
        address="127.0.0.1:9464",
    )
    (line,) = lines(told)
    assert line | {"timestamp": 0} == {
        "component": "matrix",
        "event": "matrix.synced",
        "level": "info",
        "timestamp": 0,
        "case": case,
        "room": room,
        "event_id": event_id,
        "peer": "csmc-comas",
        "ms": 12.5,
        "count": 3,
        "fields": ["social_name", "need"],
        "address": "127.0.0.1:9464",
    }


def test_people_are_hashed_alike_within_a_log_and_differently_between_two(told: io.StringIO) -> None:
    log = logs.get("chat")
    log.info("a.b", user="@rosa:prueba.example")
    log.info("a.b", sender="@rosa:prueba.example")
    log.info("a.b", user="@luz:prueba.example")
    logs._salt = b"another" * 8
    log.info("a.b", user="@rosa:prueba.example")
    first, second, other, later = (line.get("user") or line["sender"] for line in lines(told))
    assert first == second
    assert len({first, other, later}) == 3
    assert "rosa" not in told.getvalue()


@pytest.mark.parametrize(("error", "code"), [(Refused("case.unknown"), "case.unknown"), (CannotOpen(CANARY), "keys.cannot_open")])
def test_our_errors_give_class_and_code(told: io.StringIO, error: Exception, code: str) -> None:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as cause:
            raise error from cause
    except Exception:
        logs.get("chat").exception("chat.failed")
    (line,) = lines(told)
    assert (line["error"], line["code"], line["causes"]) == (type(error).__name__, code, "KeyError")
    assert "test_r16_logs.py" in line["at"]
    assert CANARY not in told.getvalue()


def test_a_foreign_errors_code_is_not_believed(told: io.StringIO) -> None:
    error = ValueError(CANARY)
    error.code = "zq7x.quispe"
    logs.get("chat").error("chat.failed", error=error)
    assert "code" not in lines(told)[0]


def test_other_libraries_keep_name_level_and_class_only(told: io.StringIO) -> None:
    logger = logging.getLogger("some.library")
    logger.warning("for %s", CANARY)
    logger.error(CANARY, exc_info=ValueError(CANARY), stack_info=True, extra={"who": CANARY})
    logger.error("%d", CANARY)  # a broken call: logging itself would print message and arguments
    logger.warning("%s", Talkative())
    warnings.warn(CANARY, stacklevel=1)
    found = lines(told)
    assert [line["level"] for line in found] == ["warning", "error", "error", "warning", "warning"]
    assert found[1]["error"] == "ValueError"
    assert CANARY not in told.getvalue()


@pytest.mark.parametrize("name", ["nio", "nio.client.async_client", "nio.crypto", "peewee", "aiohttp.access"])
def test_pinned_loggers_cannot_be_lowered(told: io.StringIO, name: str) -> None:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logging.getLogger(name.split(".")[0]).setLevel(1)
    try:
        logger.error("decrypted %s", CANARY)
        assert told.getvalue() == ""
        logger.critical("decrypted %s", CANARY)
    finally:
        logger.setLevel(before)
    printed = lines(told)  # none at all where another test of this process has pinned the logger of nio even harder (hub.matrix.logs)
    assert CANARY not in told.getvalue()
    assert [line["component"] for line in printed] in ([], [name])


def test_a_handler_of_their_own_finds_nothing_to_print(told: io.StringIO) -> None:
    theirs = io.StringIO()
    logger = logging.getLogger("nio.rooms")
    handler = logging.StreamHandler(theirs)
    handler.setFormatter(logging.Formatter("%(message)s %(exc_text)s"))
    logger.addHandler(handler)
    try:
        logger.critical("decrypted %s", CANARY, exc_info=ValueError(CANARY))
    finally:
        logger.removeHandler(handler)
    assert CANARY not in theirs.getvalue()
    assert logs.WITHHELD in theirs.getvalue() or theirs.getvalue() == ""


def test_uncaught_in_a_thread(told: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert lines(told)[0]["error"] == "ValueError"
    assert CANARY not in told.getvalue()


def test_console_format_is_one_plain_line() -> None:
    stream = io.StringIO()
    logs._configure(Log(format="console"), stream)
    try:
        logs.get("chat").info(f"x\n{CANARY}", user=f"@{CANARY}\x1b[1m:x", nombre=CANARY, count=2)
    finally:
        logs._configure(Log(), sys.stderr)
    assert stream.getvalue().count("\n") == 1
    assert "count=2" in stream.getvalue()
    assert not {CANARY, "Zq7X", "\x1b"} & set(stream.getvalue().split())
    assert "Zq7X" not in stream.getvalue()


def test_the_log_file_is_private_and_continued(told: io.StringIO, tmp_path: Path) -> None:
    for _ in range(2):
        logs.setup(Log(file=tmp_path / "hub.log"))
        logs.get("chat").info("a.b")
    assert len((tmp_path / "hub.log").read_text().splitlines()) == 2
    assert (tmp_path / "hub.log").stat().st_mode & 0o777 == 0o600


PROGRAM = f"""
import sys, asyncio, logging
sys.path.insert(0, {str(ROOT)!r})
from hub.base import logs
early = logs.get("early")
early.warning({CANARY!r}, who={CANARY!r})
if {{setup}}:
    from hub.base.sections import Log
    logs.setup(Log())
async def task():
    raise ValueError({CANARY!r})
async def main():
    lost = asyncio.create_task(task())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del lost
asyncio.run(main())
class Bad:
    def __del__(self):
        raise ValueError({CANARY!r})
Bad()
raise RuntimeError({CANARY!r})
"""


def test_uncaught_everywhere_in_a_real_process() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", PROGRAM.format(setup=True)], capture_output=True, text=True, check=False
    )
    assert CANARY not in done.stdout + done.stderr
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert events.count("process.uncaught") == 2
    assert "library.record" in events


def test_before_setup_nothing_passes_unscrubbed() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", PROGRAM.split("if {setup}")[0]], capture_output=True, text=True, check=False
    )
    assert logs.WITHHELD in done.stderr
    assert CANARY not in done.stdout + done.stderr
