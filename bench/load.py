"""How many referrals a second do two hubs carry, for as long as one likes, and how many records, beside what their homeservers carry?

    python -m bench.load [referrals a second] [referrals]

Two homeservers that federate, two hubs as processes of their own (so that each has its own event loop, and both cores are used), a
caseworker with an encrypted device at each desk. A referral here is the whole of it: offer, signed receipt, the answer (given as soon as
the offer stands at the recipient), the person's data, its signed receipt, and every card and line at both desks.

The limit of records is what the homeservers take and federate of plain messages: a client that PUTs them as fast as it is answered,
eight at a time, until all are seen on the other server. Records are bundled, several in one event, whenever the outbox holds several.
The limit of a referral's latency is a plain message between two idle homeservers, as often as the referral has to cross.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.desks import desks
from bench.inside import resident_mb
from bench.rows import Row, compare, keep, percentile, show
from bench.stage import PASSWORD, Raw, until
from deploy.demo.network import HubProcess, Plan
from deploy.demo.synapse import Homeserver, Synapses

REFERRALS, RATE = 150, 5.0
RECORDS = 600
PLAIN, TOGETHER = 90, 8
"""Under the hundred at which Synapse prunes what came too fast (`carrier`), so that all of them are seen."""
TRIPS, REST_S = 20, 3.0
SETTLED_WITHIN = 120.0


class Process:
    """One hub of `bench.inside`."""

    def __init__(self, plan: Plan, server: Homeserver, folder: Path, user_id: str) -> None:
        self.plan = plan
        self.setup = HubProcess(plan=plan, folder=folder / plan.id, user_id=user_id, password=PASSWORD, server=server)
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        """`tinkuy init`, then serve until the block ends."""
        await self.setup.init()
        with (self.setup.folder / "output.txt").open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bench.inside", str(self.setup.config),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=out, limit=2**24,
            )  # fmt: skip
        self.setup.process = self._process
        try:
            await self.setup.answers()
            yield self
        finally:
            assert self._process.stdin is not None
            self._process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 20)
            await self.setup.stop()

    async def ask(self, command: str, **args: Any) -> Any:
        """One command over its control socket."""
        return await self.setup.ask(command, **args)

    async def acquainted(self) -> bool:
        """See `bench.inside.acquainted`."""
        return bool(await self.do("acquainted"))

    async def do(self, order: str, **args: Any) -> Any:
        """One order of `bench.inside.Orders`; its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps({"do": order, **args}).encode() + b"\n")
            line = await self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the hub {self.plan.id} ended; see its output.txt")
        return json.loads(line)["found"]


@dataclass(kw_only=True)
class Pair:
    """Two paired hubs, a caseworker of each, a plain client beside each, and the plain clients' room."""

    sender: Process
    recipient: Process
    ana: str
    bea: str
    here: Raw
    there: Raw
    room: str
    servers: Synapses


@contextlib.asynccontextmanager
async def pairing(servers: Synapses, folder: Path) -> AsyncIterator[Pair]:
    """Build it, and take it down. The caseworkers' clients have gone when this yields; their devices stay."""
    async with desks(servers, folder, Process) as found:
        (sender, recipient), (ana, bea), (here, there) = found.hubs, found.people, found.plain
        for person in found.people:
            await person.stop()
        await there.listen()
        yield Pair(sender=sender, recipient=recipient, ana=ana.user_id, bea=bea.user_id, here=here, there=there, room=found.room, servers=servers)


async def settled(on: Pair, *, posts: bool = True) -> None:
    """Wait until nothing is under way at either hub."""

    async def done() -> bool:
        left = [await hub.do("left") for hub in (on.sender, on.recipient)]
        return not any(one["outbox"] + (one["posts"] if posts else 0) for one in left)

    await until(done, "two quiet hubs", SETTLED_WITHIN)


async def plain(on: Pair, name: str) -> tuple[float, float]:
    """Plain messages a second over the federated link: taken by our server, and seen on the other one."""
    waiting = iter([f"{name} {number}" for number in range(PLAIN)])

    async def sender() -> None:
        for text in waiting:
            await on.here.put(on.room, text)

    start = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(TOGETHER)))
    taken = time.perf_counter() - start
    await until(lambda: all(f"{name} {number}" in on.there.arrived for number in range(PLAIN)), "every plain message")
    seen = max(on.there.arrived[f"{name} {number}"] for number in range(PLAIN)) - start
    return PLAIN / taken, PLAIN / seen


async def sustained(on: Pair, *, referrals: int = REFERRALS, rate: float = RATE) -> list[Row]:
    """Whole referrals at a given pace, and how late the event loops were meanwhile."""
    hubs = (on.sender, on.recipient)
    ids = await on.sender.do("draft", user=on.ana, peer=on.recipient.plan.id, count=referrals)
    await on.recipient.do("answer", user=on.bea)
    await settled(on)
    trips = [await _trip(on, f"viaje {number}") for number in range(TRIPS)]
    rest = await _watched(hubs, asyncio.sleep(REST_S))
    start = time.perf_counter()

    async def load() -> None:
        await on.sender.do("refer", user=on.ana, ids=ids, rate=rate)
        await settled(on, posts=False)

    loops = await _watched(hubs, load())
    whole = time.perf_counter() - start
    await settled(on)
    desks = time.perf_counter() - start
    ours = await on.sender.do("trips", ids=ids)
    check(ours, await on.recipient.do("held"))
    return [
        *_latencies(f"at {rate:g} referrals/s: confirmed → signed receipt, beside 2 plain messages at rest", [one[0] for one in ours], trips, 2),
        *_latencies(f"at {rate:g} referrals/s: confirmed → data acknowledged, beside 4 plain messages", [one[2] for one in ours], trips, 4),
        compare(f"whole referrals, offered at {rate:g}/s", "referrals/s", [referrals / whole], [rate]),
        compare("… and until every card and line stands at both desks", "referrals/s", [referrals / desks], [rate]),
        compare("… event loop late, p99 of the later hub, beside itself at rest", "ms", [_worst(loops, "lag_p99")], [_worst(rest, "lag_p99")]),
        compare("… event loop late, longest, beside itself at rest", "ms", [_worst(loops, "lag_max")], [_worst(rest, "lag_max")]),
        compare("… memory of the larger hub, beside its homeserver", "MB", [max(one["resident_mb"] for one in loops)], [_servers_mb(on)]),
    ]


def _latencies(name: str, ours: list[float], plain_trips: list[float], messages: int) -> list[Row]:
    """p50 and p95 in ms, beside so many plain messages one after the other."""
    return [
        compare(f"{name}, p{share * 100:.0f}", "ms", [percentile(ours, share) * 1000], [percentile(plain_trips, share) * messages * 1000])
        for share in (0.5, 0.95)
    ]


def check(trips: list[list[float]], held: int) -> None:
    """Raise AssertionError unless every referral was received, answered, and its data were acknowledged and stand at the recipient."""
    missing = sum(moment == float("inf") for trip in trips for moment in trip)
    if missing or held != len(trips):
        raise AssertionError(f"of {len(trips)} referrals {held} arrived whole")


async def _trip(on: Pair, text: str) -> float:
    """Seconds from a plain PUT until it is seen on the other server."""
    start = time.perf_counter()
    await on.here.put(on.room, text)
    await until(lambda: text in on.there.arrived, "a plain message")
    return on.there.arrived[text] - start


async def _watched(hubs: tuple[Process, Process], work: Awaitable[None]) -> list[dict[str, float]]:
    """What the loops of both hubs went through while `work` was done."""
    for hub in hubs:
        await hub.do("begin")
    await work
    return [await hub.do("end") for hub in hubs]


def _worst(loops: list[dict[str, float]], name: str) -> float:
    return max(one[name] for one in loops) * 1000


def _servers_mb(on: Pair) -> float:
    return max(resident_mb(server.pid) for server in on.servers.servers)


async def bundled(on: Pair, *, records: int = RECORDS, rounds: int = 3) -> list[Row]:
    """Records that wait in the outbox together, until each is acknowledged, beside plain messages."""
    ours, taken, seen = [], [], []
    for number in range(rounds):
        start = time.perf_counter()
        await on.sender.do("say", kind="profile", peer=on.recipient.plan.id, count=records)
        await settled(on, posts=False)
        ours.append(records / (time.perf_counter() - start))
        at_ours, at_theirs = await plain(on, f"haz {number}")
        taken.append(at_ours)
        seen.append(at_theirs)
    return [
        compare("records of a full outbox, each acknowledged, beside plain messages as fast as our server takes them", "records/s", ours, taken),
        compare("records of a full outbox, each acknowledged, beside plain messages until seen on the other server", "records/s", ours, seen),
    ]


async def run(servers: Synapses, folder: Path, *, referrals: int = REFERRALS, rate: float = RATE, records: int = RECORDS) -> list[Row]:
    """Both, on hubs made for this."""
    async with pairing(servers, folder) as on:
        return [*await bundled(on, records=records), *await sustained(on, referrals=referrals, rate=rate)]


async def main(rate: float = RATE, referrals: int = REFERRALS) -> None:
    """Measure alone."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        async with Synapses(Path(folder) / "servers", count=2) as servers:
            rows = await run(servers, Path(folder) / "hubs", rate=rate, referrals=referrals)
    keep("load", rows)
    show(rows)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if sys.argv[1:] else RATE, int(sys.argv[2]) if sys.argv[2:] else REFERRALS))
