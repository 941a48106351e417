"""The hub's cross-signing seeds in its account's secret storage, under a recovery key that only people have. Only by explicit command.

It lets an administrator open the hub's account in Element after a disaster without a new identity. The homeserver sees ciphertext. Whoever has
the recovery key *and* the account can sign a device as the hub: people's clients would believe it (peers would not, nor would this hub).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hub.matrix import http
from hub.matrix.crosssigning import CrossSigningSeeds
from hub.matrix.errors import HomeserverRefused
from keys import matrixjson, recovery
from keys.errors import KeysError
from keys.primitives import random_bytes

SECRETS = {"m.cross_signing.master": "master", "m.cross_signing.self_signing": "self_signing", "m.cross_signing.user_signing": "user_signing"}
"""Name in account data, and which seed it is."""
DEFAULT = "m.secret_storage.default_key"


async def keep(client: http.SendsHttp, seeds: CrossSigningSeeds) -> str:
    """Store the seeds under a new recovery key and return it as people write it. An earlier recovery key opens nothing any more."""
    key, name = recovery.new_key(), matrixjson.unpadded(random_bytes(24)).replace("/", "_").replace("+", "-")
    await _put(client, f"m.secret_storage.key.{name}", recovery.description(key))
    for secret, seed in SECRETS.items():
        text = matrixjson.unpadded(getattr(seeds, seed)).encode()
        await _put(client, secret, {"encrypted": {name: recovery.seal(key, secret, text)}})
    await _put(client, DEFAULT, {"key": name})
    return recovery.written(key)


async def check(client: http.SendsHttp, seeds: CrossSigningSeeds, written: str) -> bool:
    """Whether this recovery key would bring back exactly our seeds, from what the homeserver serves now."""
    try:
        key = recovery.read(written)
        name = (await _get(client, DEFAULT)).get("key")
        for secret, seed in SECRETS.items():
            sealed = (await _get(client, secret)).get("encrypted", {}).get(name, {})
            if recovery.unseal(key, secret, sealed) != matrixjson.unpadded(getattr(seeds, seed)).encode():
                return False
    except (KeysError, AttributeError, TypeError):
        return False
    return True


async def forget(client: http.SendsHttp) -> None:
    """Overwrite what was stored. A homeserver may keep what it was given: change the account's password when the recovery key was seen."""
    for kind in (*SECRETS, DEFAULT):
        await _put(client, kind, {})


async def _put(client: http.SendsHttp, kind: str, content: dict[str, Any]) -> None:
    await http.request(client, "PUT", _path(client, kind), content)


async def _get(client: http.SendsHttp, kind: str) -> dict[str, Any]:
    try:
        return await http.request(client, "GET", _path(client, kind))
    except HomeserverRefused as error:
        if error.status == 404:
            return {}
        raise


def _path(client: http.SendsHttp, kind: str) -> str:
    return f"/_matrix/client/v3/user/{quote(client.user_id)}/account_data/{quote(kind)}"
