"""The control socket: who may speak, what is answered, and what a broken or hostile local caller achieves (nothing)."""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.base.errors import Refused, Stopped
from hub.web import control
from hub.web.control import ControlError, ControlServer, HubAway, call
from tests.operation.samples import CANARY


async def echo(args: Mapping[str, Any]) -> Any:
    return dict(args)


async def refuse(_: Mapping[str, Any]) -> Any:
    raise ControlError("staff.unknown", "no está", "vea la lista")


async def refuse_plainly(_: Mapping[str, Any]) -> Any:
    raise Refused("case.closed", count=2)


async def break_down(_: Mapping[str, Any]) -> Any:
    raise RuntimeError(CANARY)


async def unspeakable(_: Mapping[str, Any]) -> Any:
    return object()


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    server = ControlServer(
        tmp_path / "c.sock", {"echo": echo, "refuse": refuse, "plain": refuse_plainly, "unspeakable": unspeakable}
    )
    server.register("break", break_down)
    await server.start()
    yield tmp_path / "c.sock"
    await server.stop()
    assert not (tmp_path / "c.sock").exists()


async def raw(path: Path, data: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(data)
    await writer.drain()
    answer = await reader.readline()
    writer.close()
    return answer


async def test_a_command_and_its_answer(path: Path) -> None:
    assert await call(path, "echo", {"a": ["ñ", 1]}) == {"a": ["ñ", 1]}
    assert await asyncio.gather(*(call(path, "echo", {"n": n}) for n in range(10))) == [{"n": n} for n in range(10)]


async def test_refusals_carry_code_message_and_hint(path: Path) -> None:
    with pytest.raises(ControlError) as told:
        await call(path, "refuse")
    assert (told.value.code, told.value.message, told.value.hint) == ("staff.unknown", "no está", "vea la lista")
    assert json.loads(await raw(path, b'{"command":"plain"}\n'))["error"] == {
        "code": "case.closed",
        "message": "",
        "hint": "",
        "params": {"count": 2},
    }


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"no json\n", "control.not_json"),
        (b"[]\n", "control.bad_request"),
        (b'{"command": 1}\n', "control.bad_request"),
        (b'{"command": "echo", "args": []}\n', "control.bad_request"),
        (b'{"command": "echo", "more": 1}\n', "control.bad_request"),
        (b'{"command": "nothing"}\n', "control.unknown_command"),
        (b"[" * 50_000 + b"\n", "control.not_json"),
        (b"\xff\n", "control.not_json"),
        (b'{"command": "unspeakable"}\n', "control.internal"),
    ],
)
async def test_nonsense_is_refused_by_code(path: Path, line: bytes, code: str) -> None:
    assert json.loads(await raw(path, line))["error"]["code"] == code
    assert await call(path, "echo", {}) == {}


async def test_r16_a_fault_is_answered_and_logged_without_its_text(path: Path, told: io.StringIO) -> None:
    answer = await raw(path, b'{"command": "break", "args": {"name": "' + CANARY.encode() + b'"}}\n')
    assert json.loads(answer)["error"]["code"] == "control.internal"
    assert CANARY not in answer.decode() + told.getvalue()
    assert '"error":"RuntimeError"' in told.getvalue()


async def test_a_line_too_long_is_dropped(path: Path) -> None:
    with pytest.raises((ConnectionError, AssertionError)):
        assert await raw(path, b"x" * (control.REQUEST_BYTES + 2) + b"\n")
    assert await call(path, "echo", {}) == {}


async def test_a_silent_caller_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "IDLE_SECONDS", 0.05)
    reader, writer = await asyncio.open_unix_connection(str(path))
    assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()


async def test_a_handler_that_never_ends_is_ended(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def hang(_: Mapping[str, Any]) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(control, "WORK_SECONDS", 0.05)
    server = ControlServer(tmp_path / "d.sock", {"hang": hang})
    await server.start()
    with pytest.raises(ControlError, match=r"control\.internal"):
        await call(tmp_path / "d.sock", "hang", timeout=20)
    await server.stop()


async def test_stop_ends_open_connections(tmp_path: Path, told: io.StringIO) -> None:
    server = ControlServer(tmp_path / "e.sock", {"echo": echo})
    await server.start()
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "e.sock"))
    writer.write(b'{"command":"echo"}\n')
    assert json.loads(await reader.readline())["ok"]
    await asyncio.wait_for(server.stop(), 20)
    assert await reader.read() == b""
    writer.close()
    assert "Cancelled" not in told.getvalue()


async def test_only_our_user_and_root(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.lstat(path).st_mode & 0o777 == 0o600
    assert control.permitted(os.getuid())
    assert control.permitted(0)
    assert not control.permitted(os.getuid() + 1)
    monkeypatch.setattr(control, "permitted", lambda uid: False)
    with pytest.raises(HubAway):
        await call(path, "echo")


async def test_the_kernels_word_is_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def note(uid: int) -> bool:
        asked.append(uid)
        return True

    monkeypatch.setattr(control, "permitted", note)
    await call(path, "echo")
    assert asked == [os.getuid()]


async def test_two_hubs_do_not_share_a_socket_and_a_stale_one_is_replaced(path: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped, match=r"control\.in_use"):
        await ControlServer(path).start()
    assert await call(path, "echo") == {}
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "stale.sock"))
    stale.close()
    server = ControlServer(tmp_path / "stale.sock", {"echo": echo})
    await server.start()
    assert await call(tmp_path / "stale.sock", "echo") == {}
    await server.stop()


async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(HubAway):
        await call(tmp_path / "none.sock", "echo")


def test_a_command_is_registered_once(tmp_path: Path) -> None:
    server = ControlServer(tmp_path / "c.sock", {"echo": echo})
    with pytest.raises(ValueError, match="echo"):
        server.register("echo", echo)
