"""Words in the administration room: which verb is meant, whether this is the place and the person for it, and who carries it out."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.commands import Govern
from hub.chat.address import Addressed
from hub.chat.admin_verbs import VERBS
from hub.chat.fold import words
from hub.chat.here import Here


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
        return None
    return Govern(verb=name, said=said[spoken[0].end :].strip(" :,"))


def govern(unit: Unit, here: Here, command: Govern) -> None:
    """Carry it out. Raises Refused `admin_room_only`, `administrators_only`, and what the verb itself refuses."""
    if here.purpose != "admin":
        raise Refused("admin_room_only")
    if here.person.role != "administrator":
        raise Refused("administrators_only")
    VERBS[command.verb].do(unit, here, command.said)
