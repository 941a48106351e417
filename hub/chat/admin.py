"""Words in the administration room: which verb is meant, whether this is the place and the person for it, and who carries it out."""

from __future__ import annotations

from collections.abc import Sequence

from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases.commands import Govern
from hub.chat.address import Addressed
from hub.chat.admin_verbs import VERBS
from hub.chat.fold import words
from hub.chat.here import Here, answer
from hub.chat.names import find
from hub.chat.plain import message, paragraph

TERMINAL = "tinkuy"
COMMANDS = frozenset({
    "backup", "config", "db", "doctor", "guard", "hold", "init", "keys", "ledger", "manifest", "network", "peer", "policy", "protocol", "rooms",
    "route", "run", "servers", "staff", "status", "tables",
})  # fmt: skip
"""What the command line knows: typed here, it is most likely somebody who looks for the terminal."""
NEAR = mark("No le entendí y no hice nada. Aquí entiendo {verbs} y «ayuda». Las órdenes «tinkuy …» se escriben en el servidor.")


def asked(here: Here, found: Addressed | None, plain: str) -> Govern | None:
    """The verb that begins these words; None when none does. In a thread of a case a note may begin like one, and is left alone.

    In the admin room a verb and what may follow it need no prefix; «salas muy lindas» is people talking.
    """
    bare = found is None and here.purpose == "admin"
    if not bare and (found is None or (here.purpose != "admin" and found.how not in ("prefix", "mention", "direct"))):
        return None
    said = found.text if found else plain
    spoken = words(said)
    name = next((name for name, verb in VERBS.items() if spoken and spoken[0].folded in verb.words), None)
    if name is None or (bare and len(spoken) > 1 and spoken[1].folded not in VERBS[name].then):
        return Govern(verb="", said=said) if here.purpose == "admin" and _nearly([word.folded for word in spoken]) else None
    return Govern(verb=name, said=said[spoken[0].end :].strip(" :,"))


def _nearly(spoken: Sequence[str]) -> bool:
    """Whether these words were most likely meant for us though they are no verb: a command of the terminal, or one slip of the finger in a verb
    or in what follows it. Everything else is people talking, who are left alone.
    """
    if spoken and spoken[0] == TERMINAL:
        return len(spoken) > 1 and spoken[1] in COMMANDS
    if len(spoken) == 1 and spoken[0] in COMMANDS:
        return True
    name = find(spoken[0], {name: verb.words for name, verb in VERBS.items()}, forgive=True).id if spoken else None
    if name is None:
        return False
    verb = VERBS[name]
    if len(spoken) == 1:
        return spoken[0] not in verb.words
    return find(spoken[1], {"then": sorted(verb.then)}, forgive=True).id is not None


def govern(unit: Unit, here: Here, command: Govern) -> None:
    """Carry it out. Raises Refused `admin_room_only`, `administrators_only`, and what the verb itself refuses."""
    if here.purpose != "admin":
        raise Refused("admin_room_only")
    if here.person.role != "administrator":
        raise Refused("administrators_only")
    if not command.verb:
        return answer(unit, here, message(paragraph(text(here.lang, NEAR, verbs=", ".join(f"«{name}»" for name in VERBS)))))
    return VERBS[command.verb].do(unit, here, command.said)
