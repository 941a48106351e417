"""A caseworker with an ordinary end-to-end-encrypted client: she reads, answers, and notices when something is odd.

    async with Person(url=server.url, user_id="@rosa:localhost:21345", password="…", hubs={hub_id}) as rosa:
        await rosa.say(room, "!tk ayuda")
        answer = await rosa.expect("derivar", room=room)

She publishes her own cross-signing keys and signs her device (unless `unsigned`), joins the rooms to which a hub
invites her, sends only to cross-signed devices, and records a shield on everything a careful client would warn about.
Her keys live in memory and die with her.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from deploy.demo.session import NotSeen, PersonError, Session, checked
from deploy.demo.transcript import Message

__all__ = ["NotSeen", "Person", "PersonError"]


class Person(Session):
    """One person on one device. `identity` gives her a second device under the identity she already has."""

    @property
    def rooms(self) -> list[str]:
        """Ids of the rooms she is in."""
        return list(self.client.rooms)

    async def create_room(self, *, invite: Iterable[str] = (), encrypted: bool = True, direct: bool = False) -> str:
        """A room of her own, private; returns its id once she sees it herself."""
        state = [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]
        body = {
            "preset": "private_chat",
            "invite": list(invite),
            "is_direct": direct,
            "initial_state": state if encrypted else [],
        }
        room = str((await self.request("POST", "/_matrix/client/v3/createRoom", body))["room_id"])
        await self.in_room(room, encrypted=encrypted)
        return room

    async def join(self, room: str, *, via: Iterable[str] = ()) -> None:
        """Join by id; needed only for rooms to which no hub invited her."""
        query = "&".join(f"server_name={quote(server)}&via={quote(server)}" for server in via)
        await self.request("POST", f"/_matrix/client/v3/join/{quote(room)}?{query}", {})
        await self.in_room(room, encrypted=False)

    async def leave(self, room: str) -> None:
        await self.request("POST", f"/_matrix/client/v3/rooms/{quote(room)}/leave", {})

    async def in_room(self, room: str, *, with_members: Iterable[str] = (), encrypted: bool = True, within: float = 30.0) -> None:
        """Wait until her client knows the room, that it is encrypted, and that those people have joined it."""
        wanted = set(with_members)

        def there() -> bool:
            known = self.client.rooms.get(room)
            joined = set(known.users) - set(known.invited_users) if known else set()
            return known is not None and wanted <= joined and (known.encrypted or not encrypted)

        await self.until(there, within=within, what=f"{self.user_id} in the room {room} with {len(wanted)} others")

    async def say(
        self,
        room: str,
        text: str,
        *,
        thread: Message | str | None = None,
        reply_to: Message | str | None = None,
        mention: str | None = None,
        html: str | None = None,
        kind: str = "m.text",
        clear: bool = False,
    ) -> str:
        """Send a message and return its event id.

        `clear` sends plain text past the encryption (for tests); otherwise a room that is not encrypted is refused.
        """
        content: dict[str, Any] = {"msgtype": kind, "body": text}
        if html is not None:
            content |= {"format": "org.matrix.custom.html", "formatted_body": html}
        if mention:
            content["m.mentions"] = {"user_ids": [mention]}
        relation = self._relation(thread, reply_to)
        if relation:
            content["m.relates_to"] = relation
        return await self._send(room, content, clear=clear)

    async def edit(self, message: Message | str, text: str, *, room: str | None = None) -> str:
        """Replace the text of one of her own messages."""
        target, room = _event_id(message), room or self._room_of(message)
        new = {"msgtype": "m.text", "body": text}
        relation = {"rel_type": "m.replace", "event_id": target}
        return await self._send(room, {"msgtype": "m.text", "body": f"* {text}", "m.new_content": new, "m.relates_to": relation})

    async def redact(self, message: Message | str, *, room: str | None = None) -> None:
        room = room or self._room_of(message)
        path = f"/_matrix/client/v3/rooms/{quote(room)}/redact/{quote(_event_id(message))}/{secrets.token_hex(8)}"
        await self.request("PUT", path, {})

    async def react(self, message: Message | str, key: str, *, room: str | None = None) -> None:
        """An emoji under a message; reactions travel unencrypted, in every client."""
        relation = {"rel_type": "m.annotation", "event_id": _event_id(message), "key": key}
        path = f"/_matrix/client/v3/rooms/{quote(room or self._room_of(message))}/send/m.reaction/{secrets.token_hex(8)}"
        await self.request("PUT", path, {"m.relates_to": relation})

    async def expect(
        self,
        pattern: str | re.Pattern[str],
        *,
        room: str | None = None,
        thread: Message | str | None = None,
        sender: str | None = None,
        within: float = 30.0,
    ) -> Message:
        """The first message (or edit) of somebody else that matches and that no earlier `expect` has returned.

        `pattern` is searched in the body, ignoring case. Raises NotSeen after `within` seconds.
        """
        found: list[Message] = []
        root = _event_id(thread) if thread is not None else None

        def look() -> bool:
            for index, message in enumerate(self._transcript.arrivals):
                wanted = (
                    index not in self._consumed
                    and message.sender != self.user_id
                    and room in (None, message.room)
                    and root in (None, message.thread)
                    and sender in (None, message.sender)
                )
                if wanted and re.search(pattern, message.body, 0 if isinstance(pattern, re.Pattern) else re.IGNORECASE):
                    self._consumed.add(index)
                    found.append(message)
                    return True
            return False

        await self.until(look, within=within, what=f"a message that matches {pattern!r}")
        return self._judged(found[0])

    async def trusts(self, user_id: str, device_id: str, *, within: float = 30.0) -> None:
        """Wait until she knows that device as signed by its owner: what she says from then on is meant for it too."""

        def known() -> bool:
            return device_id in self.client.signed.get(user_id, {})

        await self.until(known, within=within, what=f"the signed device {device_id} of {user_id}")

    async def expect_redacted(self, message: Message | str, *, within: float = 30.0) -> None:
        """Wait until that message is withdrawn from her screen."""
        target = _event_id(message)

        def gone() -> bool:
            known = self._transcript.get(target)
            return known is not None and known.redacted

        await self.until(gone, within=within, what="the redaction of a message")

    def seen(self, pattern: str, *, room: str | None = None) -> list[Message]:
        """All messages whose present text matches, her own included."""
        return [m for m in self.transcript if room in (None, m.room) and re.search(pattern, m.body, re.IGNORECASE)]

    async def _send(self, room: str, content: dict[str, Any], *, clear: bool = False) -> str:
        if clear:
            path = f"/_matrix/client/v3/rooms/{quote(room)}/send/m.room.message/{secrets.token_hex(8)}"
            return str((await self.request("PUT", path, content))["event_id"])
        await self.in_room(room)
        # One at a time: nio's sharing of a room key is not safe against itself.
        async with self._sending, asyncio.timeout(60):
            await self._know_devices(room)
            answer = checked(await self.client.room_send(room, "m.room.message", content))
        return str(answer.event_id)

    async def _know_devices(self, room: str) -> None:
        # nio asks for changed keys only before its first send into a room; a bounded loop, a query can bring more.
        if not self.client.rooms[room].members_synced:
            checked(await self.client.joined_members(room))
        for _ in range(5):
            if not self.client.should_query_keys:
                return
            checked(await self.client.keys_query())

    def _relation(self, thread: Message | str | None, reply_to: Message | str | None) -> dict[str, Any]:
        reply = {"m.in_reply_to": {"event_id": _event_id(reply_to)}} if reply_to is not None else {}
        if thread is None:
            return reply
        root = _event_id(thread)
        fallback = {} if reply else {"is_falling_back": True, "m.in_reply_to": {"event_id": root}}
        return {"rel_type": "m.thread", "event_id": root} | fallback | reply

    def _room_of(self, message: Message | str) -> str:
        known = message if isinstance(message, Message) else self._transcript.get(message)
        if known is None:
            raise PersonError("name the room: that message has not come back from the homeserver yet")
        return known.room


def _event_id(message: Message | str) -> str:
    return message.event_id if isinstance(message, Message) else message
