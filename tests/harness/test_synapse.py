"""The homeservers of the bench start, survive what tests do to them, and never outlive whoever started them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from deploy.demo.person import Person
from deploy.demo.synapse import HomeserverError, Synapses, free_port
from tests.conftest import PASSWORD


async def test_they_federate_and_survive_kill_pause_and_restart(tmp_path: Path) -> None:
    async with Synapses(tmp_path / "s", count=2) as pair:
        rosa_id, bea_id = await pair[0].register("rosa", PASSWORD), await pair[1].register("bea", PASSWORD)
        assert pair.of(bea_id) is pair[1]
        async with (
            Person(url=pair[0].url, user_id=rosa_id, password=PASSWORD) as rosa,
            Person(url=pair[1].url, user_id=bea_id, password=PASSWORD, hubs={rosa_id}) as bea,
        ):
            room = await rosa.create_room(invite=[bea_id])
            await rosa.in_room(room, with_members=[bea_id])
            # Her devices must be known before her server is gone, or nobody could be given the room key.
            await rosa.say(room, "hola")
            await bea.expect("hola")
            pair[1].kill()
            assert pair[1].pid is None
            await rosa.say(room, "mientras no estabas")
            await pair[1].restart()
            # A word from the server that was away makes the other one deliver at once (`performance.md` section 5).
            await bea.say(room, "he vuelto")
            assert (await bea.expect("mientras no estabas")).shield is None
            pair[0].pause()
            await bea.say(room, "mientras estabas quieta")
            pair[0].resume()
            assert (await rosa.expect("mientras estabas quieta")).shield is None
        pids = [server.pid for server in pair.servers]
    assert None not in pids
    assert not any(alive(pid) for pid in pids if pid)


async def test_what_was_said_is_not_readable_in_the_databases(tmp_path: Path) -> None:
    async with Synapses(tmp_path / "s", count=1) as servers:
        rosa_id = await servers[0].register("rosa", PASSWORD)
        async with Person(url=servers[0].url, user_id=rosa_id, password=PASSWORD) as rosa:
            room = await rosa.create_room()
            await rosa.say(room, "canario-71f0")
            await rosa.say(room, "canario-claro-71f0", clear=True)
    with sqlite3.connect(servers[0].place.database) as database:
        stored = "".join(json for (json,) in database.execute("SELECT json FROM event_json"))
    assert "canario-71f0" not in stored
    assert "canario-claro-71f0" in stored  # the search itself finds what is there


async def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    servers = Synapses(tmp_path / "s", count=1)
    servers._prepare()
    servers[0].place.config.write_text('{"server_name": "localhost:1", "unheard": ')
    servers[0].launch()
    with pytest.raises(HomeserverError, match=r"ended while starting(.|\n)*process.log"):
        await servers[0].ready()
    assert servers[0].pid is None


async def test_one_that_is_never_ready_is_given_up_and_ended(tmp_path: Path) -> None:
    servers = Synapses(tmp_path / "s", count=1)
    servers._prepare()
    servers[0].launch()
    servers[0].pause()
    with pytest.raises(HomeserverError, match="was not ready after 1 s"):
        await servers[0].ready(within=1)
    await servers.stop()
    assert servers[0].pid is None


async def test_an_old_directory_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "hs0").mkdir()
    with pytest.raises(HomeserverError, match="earlier run"):
        await Synapses(tmp_path, count=1).start()


def test_they_end_with_whoever_started_them_even_by_sigkill(tmp_path: Path) -> None:
    program = f"""
        import asyncio, pathlib
        from deploy.demo.synapse import Synapses

        async def main():
            pair = await Synapses(pathlib.Path({str(tmp_path / "s")!r}), count=2).start()
            print(*(server.pid for server in pair.servers), flush=True)
            await asyncio.sleep(600)

        asyncio.run(main())
    """
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], cwd=root, stdout=subprocess.PIPE) as starter:
        assert starter.stdout
        pids = [int(word) for word in starter.stdout.readline().split()]
        starter.kill()
    assert len(pids) == 2
    deadline = time.monotonic() + 60
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


async def test_accounts_are_made_once(synapses: Synapses) -> None:
    user_id = await synapses[0].register("una-vez", PASSWORD)
    assert user_id == f"@una-vez:{synapses[0].name}"
    with pytest.raises(HomeserverError, match="M_USER_IN_USE"):
        await synapses[0].register("una-vez", PASSWORD)


def test_free_ports_are_free_and_given_once() -> None:
    ports = {free_port() for _ in range(50)}
    assert len(ports) == 50


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits for its parent to notice counts as ended."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
