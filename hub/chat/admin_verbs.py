"""The verbs of the administration room. A module adds its own with one line here: its words, its function, its line of help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.actions.ports import Unit
from hub.base.i18n import text
from hub.chat import admin_policy, admin_protocol, admin_rooms
from hub.chat.here import Here
from hub.chat.plain import Block, code, listing


@dataclass(frozen=True, kw_only=True)
class AdminVerb:
    """One verb: every word that means it (folded), who carries it out, and what help says (Spanish, marked)."""

    words: tuple[str, ...]
    then: frozenset[str]
    """What may follow it (folded): in the admin room such a message is for us though nothing else says so."""
    do: Callable[[Unit, Here, str], None]
    help: str


VERBS: Mapping[str, AdminVerb] = {
    "política": AdminVerb(words=("politica", "politicas", "policy"), then=admin_policy.THEN, do=admin_policy.do, help=admin_policy.HELP),
    "protocolo": AdminVerb(
        words=("protocolo", "protocolos", "protocol", "protocols"), then=admin_protocol.THEN, do=admin_protocol.do, help=admin_protocol.HELP
    ),
    "salas": AdminVerb(words=("salas", "rooms"), then=admin_rooms.THEN, do=admin_rooms.do, help=admin_rooms.HELP),
}
"""As it is written → the verb."""


def admin_help(lang: str) -> tuple[Block, ...]:
    """A line for each verb, for `ayuda` in the administration room."""
    return (listing([code(name), f" — {text(lang, verb.help)}"] for name, verb in VERBS.items()),)
