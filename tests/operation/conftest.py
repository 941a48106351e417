"""Shared for the operation tests: a valid table, a quiet environment, logs caught and put back."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.base import logs
from hub.base.config import Config, Log, from_mapping


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("TINKUY_"):
            monkeypatch.delenv(name)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is there to answer questions; her answers stand in `input`."""
    monkeypatch.setattr("hub.cli_base.at_terminal", lambda: True)


@pytest.fixture
def table() -> dict[str, Any]:
    """The least that a configuration must say; an invented institution."""
    return {
        "institution": {"id": "csmc-prueba", "name": "CSMC Prueba", "kind": "mental_health_centre", "territory": "Comas"},
        "matrix": {"homeserver_url": "http://127.0.0.1:1", "user_id": "@tinkuy:prueba.example"},
    }


@pytest.fixture
def settings(table: dict[str, Any], tmp_path: Path) -> Config:
    return from_mapping(table, folder=tmp_path)


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """Everything that is logged from here on, with the process's hooks put back afterwards."""
    root = logging.getLogger()
    handlers, level, factory, raising = root.handlers[:], root.level, logging.getLogRecordFactory(), logging.raiseExceptions
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    levels = {name: logging.getLogger(name).level for name in logs.PINNED}
    stream = io.StringIO()
    logs.setup(Log(level="debug"), stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    logging.raiseExceptions = raising
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)
    logs._configure(Log(), sys.stderr)
