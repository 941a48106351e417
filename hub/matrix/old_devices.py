"""After a restore: the devices of the lost machine are signed out, so that nobody's client trusts them or sends them keys (`keys.md` §5)."""

from __future__ import annotations

from hub.matrix import http


async def sign_out_others(client: http.SendsHttp, password: str | None) -> int:
    """Remove every other device of our account; how many there were. Raises HomeserverRefused when the password is wrong or missing."""
    listed = (await http.request(client, "GET", "/_matrix/client/v3/devices")).get("devices", [])
    others = [str(one.get("device_id")) for one in listed if isinstance(one, dict) and one.get("device_id") != client.device_id]
    if not others:
        return 0
    refused = "the homeserver did not sign out our old devices"
    await http.post_as_owner(client, "/_matrix/client/v3/delete_devices", {"devices": others}, password, refused=refused)
    return len(others)
