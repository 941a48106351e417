"""What a sync did not bring: paging back through a room's history (N4).

Holes lie *between* known events (`performance.md` §5), so a page with nothing new is no reason to stop; two of them in a row are.
Proof that all is there comes from the application's sequence numbers only; until then it may ask again (`Listener.sweep`).
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hub.matrix import http
from hub.matrix.batches import MESSAGES, as_list, shallow
from hub.matrix.client import HubClient
from hub.matrix.errors import HomeserverRefused
from hub.matrix.ports import MatrixRows

PAGE = 100
MAX_PAGES = 60
MAX_BYTES = 32 * 1024 * 1024
QUIET_PAGES = 2


class Backfill:
    """Reads /messages backwards."""

    def __init__(self, client: HubClient, rows: MatrixRows) -> None:
        self._client = client
        self._rows = rows

    async def before(self, room_id: str, token: Any, *, pages: int = MAX_PAGES, stop_when_known: bool = True) -> tuple[list[Any], bool]:
        """Unknown events before `token` (None: before now), oldest first, and whether the search reached known ground.

        Raises HomeserverAway; a refusal (we are out of the room) is the end of what can be read.
        """
        found: list[list[Any]] = []
        quiet, size = 0, 0
        for _ in range(pages):
            try:
                page = await self._page(room_id, token)
            except HomeserverRefused:
                return _oldest_first(found), False
            chunk = [shallow(one) for one in as_list(page.get("chunk")) if isinstance(one, dict)]
            fresh = await self._unknown(chunk)
            quiet = 0 if fresh else quiet + 1
            found.append(fresh)
            size += len(json.dumps(fresh)) if fresh else 0
            token = page.get("end")
            if not token or (stop_when_known and quiet >= QUIET_PAGES):
                return _oldest_first(found), True
            if size > MAX_BYTES:
                break
        return _oldest_first(found), not stop_when_known

    async def _page(self, room_id: str, token: Any) -> dict[str, Any]:
        kinds = quote(json.dumps({"types": list(MESSAGES)}))
        start = f"&from={quote(token)}" if isinstance(token, str) else ""
        path = f"/_matrix/client/v3/rooms/{quote(room_id)}/messages?dir=b&limit={PAGE}&filter={kinds}{start}"
        return await http.request(self._client, "GET", path)

    async def _unknown(self, chunk: list[Any]) -> list[Any]:
        own = self._client.user_id
        theirs = [one for one in chunk if one.get("sender") != own]
        known = await self._rows.known_events([one["event_id"] for one in theirs if isinstance(one.get("event_id"), str)])
        return [one for one in theirs if one.get("event_id") not in known]


def _oldest_first(pages: list[list[Any]]) -> list[Any]:
    return [event for page in reversed(pages) for event in reversed(page)]
