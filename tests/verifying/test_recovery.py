"""The hub's identity under a recovery key: matrix-js-sdk brings it back, the homeserver cannot, and a slip is noticed."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.conftest import PASSWORD
from tests.homeserver.bench import on_disk
from tests.jsclient.js_person import JsPerson
from tests.verifying.conftest import Stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


async def test_an_administrator_opens_the_hubs_account_with_it(stage: Stage) -> None:
    hub = stage.hub
    matrix = hub.house.matrix
    assert not await matrix.check_recovery("nada")
    first = json.loads(await hub.tinkuy("keys", "recovery-key", "--yes", "--json"))["recovery_key"]
    written = json.loads(await hub.tinkuy("keys", "recovery-key", "--yes", "--json"))["recovery_key"]
    assert await matrix.check_recovery(written)
    assert not await matrix.check_recovery(first), "an earlier key opens nothing any more"
    assert not await matrix.check_recovery(written[:-1] + ("a" if written[-1] != "a" else "b"))

    element = JsPerson(url=hub.person_url, user_id=hub.user_id, password=PASSWORD, strict=False, unsigned=True, recovery=written)
    async with element:
        found = await element.call("recover")
        assert found == {"ready": True, "fingerprint": matrix.fingerprint}
        for _ in range(60):  # its signature goes up, and comes back with the next look at the keys
            if (await element.identity(hub.user_id))["devices"][element.device_id]:
                break
            await asyncio.sleep(0.5)
        else:
            raise AssertionError("the device is not signed by the identity")
        await element.log_out()
    assert matrix.fingerprint == await matrix.query_master(hub.user_id), "the identity is the same as before"

    disk = on_disk(stage.server)
    identity = hub.house.identity
    for secret in (identity.cross_master, identity.cross_self, identity.cross_user):
        assert secret.reveal() not in disk
    assert written.replace(" ", "").encode() not in disk


async def test_what_was_stored_can_be_taken_away(stage: Stage) -> None:
    hub = stage.hub
    written = json.loads(await hub.tinkuy("keys", "recovery-key", "--yes", "--json"))["recovery_key"]
    await hub.tinkuy("keys", "recovery-key", "--remove")
    assert not await hub.house.matrix.check_recovery(written)
