"""What `tinkuy keys` may ask of the running hub: turning its keys, and how they are."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.app.keyturn import KeyTurner
from hub.base.errors import Refused

if TYPE_CHECKING:
    from hub.app.house import House

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]


def key_handlers(house: House) -> dict[str, Handler]:
    """Every command by name; one at a time, for each makes the manifest that follows the one before: also one that peers just gave back."""
    turner = KeyTurner(house)

    @contextlib.asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        async with house.turning:
            await turner.catch_up()
            yield

    async def rotate(args: Mapping[str, Any]) -> Any:
        named = {"signing": turner.rotate_signing, "opening": turner.rotate_opening}
        if (what := named.get(str(args.get("what")))) is None:
            raise Refused("keys.unknown")
        async with turn():
            await _answered(house, args)
            return await what()

    async def revoke(args: Mapping[str, Any]) -> Any:
        if args.get("what") != "signing":
            raise Refused("keys.unknown")
        async with turn():
            await _answered(house, args)
            return await turner.revoke_signing()

    async def roots(args: Mapping[str, Any]) -> Any:
        async with turn():
            await _answered(house, args)
            return await turner.replace_roots(_files(args, "roots"), int(args.get("threshold", 0)))

    async def activate(args: Mapping[str, Any]) -> Any:
        async with turn():
            return await turner.activate(_files(args, "files"))

    async def status(_: Mapping[str, Any]) -> Any:
        return await turner.status()

    return {"keys.rotate": rotate, "keys.revoke": revoke, "keys.roots": roots, "keys.activate": activate, "keys.status": status}


async def _answered(house: House, args: Mapping[str, Any]) -> None:
    """After a restore all peers come first: any may hold a newer manifest of ours than this copy, and two of one version freeze every link.

    Raises Refused `restore_unanswered`, unless people insist because nobody can answer.
    """
    links = await house.store.look(lambda unit: unit.links.all())
    if any(link.awaited for link in links) and not args.get("insist"):
        raise Refused("restore_unanswered")


def _files(args: Mapping[str, Any], name: str) -> list[bytes]:
    try:
        return [base64.b64decode(str(each), validate=True) for each in args.get(name, [])]
    except (binascii.Error, TypeError):
        raise Refused("manifest_refused", why="base64") from None
