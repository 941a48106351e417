"""D05: our own homeserver was away. However long we had meant to wait before asking again, its return is noticed at once."""

from __future__ import annotations

import time

from deploy.demo.synapse import Synapses
from tests.attacks.soak.proxy import FaultProxy
from tests.homeserver.bench import until
from tests.homeserver.conftest import NewHub


async def test_d05_a_homeserver_that_is_back_is_noticed_at_once(synapses: Synapses, new_hub: NewHub) -> None:
    async with FaultProxy(synapses[0].place.client_port) as line:
        hub = await new_hub(url=f"http://127.0.0.1:{line.port}")
        await until(lambda: (hub.matrix.health.sync_age_s or 0) > 2, "the homeserver holds its answer: no news is left", within=60)
        line.cut()
        await until(lambda: hub.matrix.health.failures >= 4, "four failed syncs: the next pause is four seconds at least")
        line.heal()
        back = time.monotonic()
        await until(lambda: hub.matrix.health.returns == 1, "its return", within=15)
        assert time.monotonic() - back < 3
        await hub.stop()
