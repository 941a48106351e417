"""After a restore: the devices of the lost machine are signed out, so that nobody's client trusts them or sends them keys (`keys.md` §5)."""

from __future__ import annotations

from typing import Any

from hub.matrix import http
from hub.matrix.errors import HomeserverRefused


async def sign_out_others(client: http.SendsHttp, password: str | None) -> int:
    """Remove every other device of our account; how many there were. Raises HomeserverRefused when the password is wrong or missing."""
    listed = (await http.request(client, "GET", "/_matrix/client/v3/devices")).get("devices", [])
    others = [str(one.get("device_id")) for one in listed if isinstance(one, dict) and one.get("device_id") != client.device_id]
    if not others:
        return 0
    body: dict[str, Any] = {"devices": others}
    path = "/_matrix/client/v3/delete_devices"
    status, answer = await http.call(client, "POST", path, body)
    if status == 401 and "flows" in answer and password is not None:
        who = {"type": "m.id.user", "user": client.user_id}
        body["auth"] = {"type": "m.login.password", "identifier": who, "password": password, "session": answer.get("session")}
        status, answer = await http.call(client, "POST", path, body)
    if status != 200:
        raise HomeserverRefused("the homeserver did not sign out our old devices", status=status, errcode=http.errcode(answer))
    return len(others)
