"""Logs that can be handed to anyone: only known keys pass, and only when their value has the known shape (R16).

An allow-list, because a deny-list of names, numbers and addresses is never finished. A line carries a stable action name, ids,
counts, durations, and the *class and code* of an error, never its text: exception texts quote their arguments, and arguments are
case data. What does not pass is shown as `[withheld]`, so the programmer sees that something was there. Other libraries' records
go the same way and keep their logger's name, level and place only; `nio` logs decrypted events when it stumbles, so it is pinned.

Every shape below is matched whole and allows no control character, which is why no CR, LF or escape sequence can forge a line.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import re
import secrets
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any, TextIO

import structlog

from hub.base.sections import Log

WITHHELD = "[withheld]"
PINNED = {
    "nio": logging.CRITICAL,
    "peewee": logging.CRITICAL,
    "aiohttp.access": logging.CRITICAL,
    "sqlalchemy": logging.WARNING,
    "apscheduler": logging.WARNING,
    "asyncio": logging.WARNING,
    "alembic": logging.WARNING,
}
"""Lowest level that a library's records may have. Held by our handler, so no `setLevel` elsewhere lowers it."""

_NAME = r"[a-z][a-z0-9_.-]{0,63}"
_OURS = r"[a-z]{1,12}_[0-9a-f]{24}"
_SLUG = r"[a-z0-9][a-z0-9-]{1,62}"
_USER = re.compile(r"@[^\s:]{1,200}:[^\s]{1,200}")
_SHAPES: dict[str, re.Pattern[str]] = {
    key: re.compile(shape)
    for keys, shape in (
        ("event action kind state status step reason verdict code policy protocol purpose room_kind command check point", _NAME),
        ("level", r"debug|info|warning|error|critical"),
        ("component", r"[A-Za-z_][A-Za-z0-9_.]{0,79}"),
        ("timestamp due until since", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)"),
        ("case referral disclosure consent checkin intent message link unit batch request", _OURS),
        ("institution peer sender_institution", _SLUG),
        ("room", r"![A-Za-z0-9_-]{1,64}(:[A-Za-z0-9.:\[\]-]{1,120})?"),
        ("event_id", r"\$[A-Za-z0-9_+/-]{1,64}(:[A-Za-z0-9.:-]{1,120})?"),
        ("device", r"[A-Za-z0-9_-]{1,32}"),
        ("digest key_id", r"[0-9a-f]{8,128}"),
        ("error", r"[A-Za-z_][A-Za-z0-9_.]{0,79}"),
        ("causes", r"[A-Za-z_][A-Za-z0-9_.]{0,79}( < [A-Za-z_][A-Za-z0-9_.]{0,79}){0,7}"),
        ("at", r"[A-Za-z0-9_./:<> ]{1,400}"),
        ("version", r"[0-9A-Za-z.+-]{1,40}"),
        ("address", r"(127\.[0-9.]{5,11}|\[::1\]|localhost):\d{1,5}"),
    )
    for key in keys.split()
}
_NUMBERS = frozenset(
    {
        "count",
        "total",
        "seconds",
        "ms",
        "attempt",
        "seq",
        "epoch",
        "size",
        "bytes",
        "rows",
        "held",
        "pending",
        "ready",
        "sent",
        "acked",
        "overdue",
        "age_seconds",
        "errors",
        "dropped",
        "quarantined",
        "undecryptable",
        "window",
        "port",
        "pid",
        "status_code",
        "retry_after_ms",
        "line",
        "devices",
        "rooms",
        "members",
        "one_time_keys",
        "days",
        "depth",
        "manifest_version",
        "generation",
        "skipped",
        "lag_ms",
        "withheld",
    }
)
_PEOPLE = frozenset({"user", "sender", "user_id", "by", "target"})
_NAMES = frozenset({"fields", "kinds", "checks", "codes"})
_OUR_ROOTS = ("hub", "keys", "policies", "adapters")

_salt = secrets.token_bytes(32)


def get(name: str) -> Any:
    """A logger for one room of the house: `log = get("matrix")`, then `log.info("matrix.synced", ms=12)`."""
    return structlog.get_logger(component=name)


def setup(log: Log, *, stream: TextIO | None = None, salt: bytes | None = None) -> None:
    """Send everything this process says through the scrubber: ours, other libraries', warnings and uncaught exceptions.

    Args:
        log: format, level, file.
        stream: where lines go; default the file of the configuration, else standard error.
        salt: 32 bytes under which Matrix ids are hashed; without it a fresh one, so that two runs' logs cannot be joined.
    """
    global _salt
    _salt = salt or secrets.token_bytes(32)
    out = stream or (_private(log.file) if log.file else sys.stderr)
    _configure(log, out)
    _route_stdlib(getattr(logging, log.level.upper()))
    _guard_process()


def _private(path: Path) -> TextIO:
    """A log file for the hub's user alone; what exists is continued."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8")


def _configure(log: Log, out: TextIO) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _stamp,
            _errors,
            _scrubbed,
            _as_json if log.format == "json" else _as_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, log.level.upper())),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def scrub(record: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is known to be harmless; the rest becomes `[withheld]`. Total: never raises, never calls `str` on a value."""
    named = ((key, value) for key, value in record.items() if isinstance(key, str))
    kept = {key if re.fullmatch(_NAME, key) else WITHHELD: _passed(key, value) for key, value in named}
    return {key: value for key, value in kept.items() if value is not None}


def describe(error: BaseException) -> dict[str, Any]:
    """Class, family code, causes' classes and place of an error: all of it that a log may know."""
    chain, seen = [error], {id(error)}
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and id(cause) not in seen and len(chain) < 8:
        chain.append(cause)
        seen.add(id(cause))
    told = {"error": type(error).__name__, "at": _place(error.__traceback__)}
    if len(chain) > 1:
        told["causes"] = " < ".join(type(cause).__name__ for cause in chain[1:])
    code = getattr(error, "code", None)
    if type(error).__module__.split(".")[0] in _OUR_ROOTS and isinstance(code, str):
        told["code"] = code
    return told


def _passed(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if key in _NUMBERS:
        return value if type(value) in (int, float) else WITHHELD
    if type(value) is str and key in _SHAPES:
        return value if _SHAPES[key].fullmatch(value) else WITHHELD
    if type(value) is str and key in _PEOPLE and _USER.fullmatch(value):
        # Hashed under a secret salt: who did it can be followed through one log, and not be looked up in a list of staff.
        return "u:" + hmac.new(_salt, value.encode(), hashlib.sha256).hexdigest()[:12]
    if key in _NAMES and isinstance(value, (list, tuple, set, frozenset)):
        return [name if type(name) is str and re.fullmatch(_NAME, name) else WITHHELD for name in value]
    return WITHHELD


def _place(trace: TracebackType | None) -> str:
    """The innermost frames as `file:line function`: where it happened without what it happened to."""
    frames = traceback.extract_tb(trace)[-6:]
    places = (f"{'/'.join(PurePath(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames)
    return re.sub(r"[^A-Za-z0-9_./:<> ]", "", " > ".join(places))[:400] or "unknown"


def _stamp(_: Any, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return record


def _errors(_: Any, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Turn `exc_info` (or an exception given as `error`) into its description before anyone can format it."""
    given = record.pop("exc_info", None) or record.get("error")
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) and len(given) == 3 else given
    record.pop("stack_info", None)
    if isinstance(error, BaseException):
        record.update(describe(error))
    return record


def _scrubbed(_: Any, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return scrub(record)


def _as_json(_: Any, __: str, record: MutableMapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=True, separators=(",", ":"))


def _as_line(_: Any, __: str, record: MutableMapping[str, Any]) -> str:
    head = (str(record.pop(key, "-")) for key in ("timestamp", "level", "component", "event"))
    return " ".join((*head, *(f"{key}={json.dumps(value, ensure_ascii=True)}" for key, value in record.items())))


class _Foreign(logging.Handler):
    """Other libraries' records: name, level, place and error class; their text may quote anything."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < _floor(record.name):
            return
        level = "critical" if record.levelno >= logging.CRITICAL else logging.getLevelName(record.levelno).lower()
        logger = structlog.get_logger(component=record.name)
        say = getattr(logger, level, logger.info)
        error = getattr(record, "tinkuy_error", None) or {}
        say("library.record", **{"at": f"{record.module}:{record.lineno} {record.funcName}", **error})

    def handleError(self, record: logging.LogRecord) -> None:
        """The standard one prints the message and its arguments to standard error; we stay silent."""


def _floor(name: str) -> int:
    return max((level for pinned, level in PINNED.items() if f"{name}.".startswith(f"{pinned}.")), default=logging.NOTSET)


def _route_stdlib(level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [_Foreign()]
    root.setLevel(max(level, logging.INFO))
    for name, floor in PINNED.items():
        logging.getLogger(name).setLevel(floor)
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    logging.setLogRecordFactory(_empty_record)


def _empty_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """Take the text away at birth: even a handler that some library adds for itself then has nothing to print."""
    record = logging.LogRecord(*args, **kwargs)
    error = record.exc_info[1] if record.exc_info else next((a for a in _arguments(record) if isinstance(a, BaseException)), None)
    record.tinkuy_error = describe(error) if error is not None else None
    record.msg, record.args, record.exc_info, record.exc_text, record.stack_info = WITHHELD, (), None, None, None
    return record


def _arguments(record: logging.LogRecord) -> tuple[object, ...]:
    return record.args if isinstance(record.args, tuple) else ()


def _guard_process() -> None:
    """Uncaught exceptions print their text to standard error by default, in three places."""
    sys.excepthook = lambda _kind, error, _trace: _uncaught(error)
    threading.excepthook = lambda hook: _uncaught(hook.exc_value)
    sys.unraisablehook = lambda hook: _uncaught(hook.exc_value)


def _uncaught(error: BaseException | None) -> None:
    """Never raises: Python answers a failing hook by printing the very traceback that it should have kept back."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return
    try:
        structlog.get_logger(component="process").critical("process.uncaught", **describe(error))
    except Exception:
        sys.stderr.write('{"event":"process.uncaught","level":"critical"}\n')


# Before `setup` too nothing passes unscrubbed: structlog's own default prints everything, in colour.
_configure(Log(), sys.stderr)

__all__ = ["PINNED", "WITHHELD", "describe", "get", "scrub", "setup"]
