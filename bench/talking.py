"""How long does a caseworker wait for an answer, and how much of that is the hub itself?

On a real homeserver: from her typing a command to the answer on her screen, both through end-to-end encryption, beside a plain
message and its plain echo. In memory: `hear` alone, which reads the words, acts and writes the answer in one unit of work, beside a
unit of work that does nothing.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from functools import partial

from bench.federated import QUIET_S, Stage
from bench.rows import Row, compare, percentile
from bench.stage import Raw, account, until
from hub.base.ids import new_id
from hub.chat.desk import hear
from hub.chat.heard import Heard
from hub.testing.twin import Twin, TwinNetwork

ROUNDS, EACH = 5, 5
COMMANDS = (("ayuda", "En la sala escriba"), ("anotar {code} riesgo: alto", "Anotado en"), ("quién sabe {code}", ": quién sabe qué"))
"""What is typed, and words that stand in its answer and in no card: an older message must not pass for the answer. One that reads
nothing, one that writes, one that reads much."""


async def run(on: Stage, *, rounds: int = ROUNDS, each: int = EACH) -> list[Row]:
    """Milliseconds on a real homeserver; each round is the median of `each` commands and as many echoes."""
    desk = await on.sender.setup.room("desk")
    await on.ana.say(desk, "!tk abrir Luz Inventada, mañana a las 10")
    opened = await on.ana.expect(r"Listo: C-", room=desk)
    code = re.search(r"C-\w{5}", opened.body)
    assert code is not None
    ours, limits = [], []
    server = on.sender.setup.server
    async with Raw(server, await account(server, "eco")) as echo:
        room = await on.here.room_with(echo)
        await echo.listen()
        for number in range(rounds):
            times, least = [], []
            for index in range(each):
                words, answer = COMMANDS[index % len(COMMANDS)]
                await asyncio.sleep(QUIET_S)
                start = time.perf_counter()
                await on.ana.say(desk, f"!tk {words.format(code=code[0])}")
                await on.ana.expect(answer, room=desk)
                times.append(time.perf_counter() - start)
                await asyncio.sleep(QUIET_S)
                least.append(await _echoed(on.here, echo, room, f"eco {number}/{index}"))
            ours.append(percentile(times, 0.5) * 1000)
            limits.append(percentile(least, 0.5) * 1000)
    return [compare("command typed → answer on her screen, p50, beside a plain echo", "ms", ours, limits)]


async def _echoed(here: Raw, there: Raw, room: str, words: str) -> float:
    start = time.perf_counter()
    await here.put(room, words)
    await until(lambda: words in there.arrived, "a plain message")
    await there.put(room, f"{words}, vuelta")
    await until(lambda: f"{words}, vuelta" in here.arrived, "a plain echo")
    return here.arrived[f"{words}, vuelta"] - start


def in_memory(*, rounds: int = 9, each: int = 12) -> list[Row]:
    """Milliseconds of `hear` alone, for each of the commands."""
    twin = TwinNetwork(("cem-lima", "emergency_centre"), ("csmc-comas", "mental_health_centre"))["cem-lima"]
    twin.enrol("ana")
    opened = re.search(r"C-\w{5}", twin.type("ana", "!tk abrir Luz Inventada, mañana a las 10"))
    assert opened is not None
    found = []
    for words, answer in COMMANDS:
        said = f"!tk {words.format(code=opened[0])}"
        if answer not in twin.type("ana", said):
            raise AssertionError(f"`{words}` was answered with something else")
        ours, limits = [], []
        for _ in range(rounds):
            ours.append(_each(each, partial(_hear, twin, said)))
            limits.append(_each(each, lambda: twin.run(lambda unit: None)))
            twin.post()
        found.append(compare(f"hear alone, «{words.split(' ')[0]}», beside an empty unit of work", "ms", ours, limits))
    return found


def _hear(twin: Twin, words: str) -> None:
    heard = Heard(room=f"!{twin.id}.desk", event=new_id("$e"), sender=twin.person("ana"), content={"msgtype": "m.text", "body": words})
    if not twin.run(lambda unit: hear(unit, heard, twin.user)):
        raise AssertionError("the hub did not feel addressed")


def _each(times: int, work: Callable[[], None]) -> float:
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times * 1000
