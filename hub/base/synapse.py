"""What a hub needs of its Synapse, from one source: the file in `deploy/config`, the demo's homeservers and `tinkuy network synapse` come from it.

Pure: settings in, text out. Whom the homeserver may speak with is decided by the caller (`hub/actions/network.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GATE_MODULE = "tinkuy_gate.TinkuyGate"
GATE_PATH = "/_synapse/client/tinkuy/gate"
SAMPLE_HEAD = (
    "What a hub needs of its Synapse, beside your own server_name, keys and TLS. Pass it as a further --config-path, or copy it.\n"
    "Once there are links or a network list, `tinkuy network synapse` writes this file for your institution, with the gate."
)
SAMPLE_SERVERS = ("csmc-ejemplo.example", "cem-ejemplo.example")
FRAGMENT = "tinkuy.yaml"
"""The name of the fragment in Synapse's `conf.d`."""
_ROOM = {"per_second": 5, "burst_count": 50}
Section = tuple[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What the module is told: hub accounts that need no list, and per list where its file lies and whose signatures make it true."""

    hubs: tuple[str, ...]
    lists: tuple[Mapping[str, Any], ...] = ()


def settings(servers: Iterable[str], gate: Gate | None = None) -> dict[str, Any]:
    """The whole fragment as one mapping; `gate` None: without the module."""
    return {key: value for _, part in sections(servers, gate) for key, value in part.items()}


def sections(servers: Iterable[str], gate: Gate | None = None) -> Sequence[Section]:
    """The fragment, each part behind why it is there."""
    found: list[Section] = [
        (
            "1. Rate limits. The defaults allow a user 0.2 messages a second with a burst of 10: a hub falls mute within one referral.\n"
            "   These suffice for a small institution. Better still, lift the limit for the hub's own user alone:\n"
            '   POST /_synapse/admin/v1/users/<hub\'s Matrix id>/override_ratelimit {"messages_per_second": 0, "burst_count": 0}',
            {
                "rc_message": {"per_second": 30, "burst_count": 200},
                "rc_joins": {"local": _ROOM, "remote": _ROOM},
                "rc_invites": {"per_room": _ROOM, "per_user": _ROOM, "per_issuer": _ROOM},
            },
        ),
        (
            "2. Federate with the other institutions of the network and with nobody else. Two-way: each lists the others.\n"
            "   After an outage Synapse's own values wait up to a week between attempts; an urgent referral cannot.",
            {
                "federation_domain_whitelist": sorted(set(servers)),
                "trusted_key_servers": [],
                "suppress_key_server_warning": True,
                "federation": {"destination_max_retry_interval": "1m"},
                "allow_public_rooms_over_federation": False,
                "allow_public_rooms_without_auth": False,
                "allow_profile_lookup_over_federation": False,
                "allow_device_name_lookup_over_federation": False,
            },
        ),
        (
            "3. Rooms are made by invitation, encrypted, without addresses and without a list; accounts are made by administrators.",
            {
                "encryption_enabled_by_default_for_room_type": "all",
                "enable_room_list_search": False,
                "alias_creation_rules": [{"action": "deny"}],
                "room_list_publication_rules": [{"action": "deny"}],
                "auto_join_rooms": [],
                "autocreate_auto_join_rooms": False,
                "enable_registration": False,
                "allow_guest_access": False,
                "enable_3pid_lookup": False,
                "require_auth_for_profile_requests": True,
                "user_directory": {"enabled": False},
            },
        ),
        (
            "4. Keep little, and tell nobody outside. What people deleted is really gone after a week, which is also how long key backups live;\n"
            "   a push notification carries no content. Whole messages are not purged by age: a case's thread hangs on its first card.",
            {
                "redaction_retention_period": "7d",
                "forgotten_room_retention_period": "7d",
                "user_ips_max_age": "7d",
                "presence": {"enabled": False},
                "url_preview_enabled": False,
                "push": {"include_content": False},
                "report_stats": False,
            },
        ),
    ]  # fmt: skip
    if gate is not None:
        found.append(
            (
                "5. The gate (deploy/synapse/tinkuy_gate.py, on Synapse's PYTHONPATH): strangers out, by the signed list. It pins the stewards'\n"
                "   keys, so the list's file may be replaced without a restart; what is in this file changes with a restart only.",
                {"modules": [{"module": GATE_MODULE, "config": {"hubs": sorted(gate.hubs), "lists": [dict(each) for each in gate.lists]}}]},
            )
        )
    return found


def render(found: Sequence[Section], head: str) -> str:
    """As text: the same sections always give the same bytes."""
    parts = ["".join(f"# {line}\n" for line in head.splitlines())]
    for why, part in found:
        commented = "".join(f"# {line}\n" for line in why.splitlines())
        parts.append(commented + "".join(f"{key}:{_value(value)}\n" for key, value in part.items()))
    return "\n".join(parts)


def _value(value: Any) -> str:
    """JSON is YAML: nothing has to be quoted by hand. A list that is not empty goes line by line, so that a change shows as one line."""
    if isinstance(value, list) and value:
        return "".join(f"\n  - {json.dumps(each, ensure_ascii=False)}" for each in value)
    return f" {json.dumps(value, ensure_ascii=False)}"
