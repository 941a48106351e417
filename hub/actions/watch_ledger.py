"""What peers say of their own disclosure ledgers, held against what they said before (X13, C07, `keys.md` §4).

Every envelope brings the sender's signed checkpoint: how long its ledger is, and its head. Whoever rewrites or cuts its ledger cannot take
back what it signed: the next checkpoint is shorter, or as long with another head, and the signed word for the old one is kept as evidence.
"""

from __future__ import annotations

from dataclasses import replace

from hub.actions.manifest_versions import keys_ever
from hub.actions.ports import Unit
from hub.cases.events import Alarm
from hub.exchange.records import Link
from keys.errors import KeysError
from keys.ledger import verify_checkpoint


def heard_checkpoint(unit: Unit, link: Link, data: bytes) -> Link:
    """The link with the newest checkpoint of its peer. One that contradicts an older one, or is not signed well, is an alarm, told once."""
    if not data or data == link.checkpoint:
        return link
    try:
        told = verify_checkpoint(data, link.peer, keys_ever(unit, link.peer)).head
    except KeysError as error:
        unit.announce(Alarm(code="checkpoint_refused", params=(("institution", link.peer), ("why", error.code))))
        return link
    shorter = told.size < link.ledger_size
    forked = told.size == link.ledger_size and link.checkpoint != b"" and told.hash != link.ledger_head
    if shorter or forked:
        numbers = (("number", str(link.ledger_size)), ("why", "shorter" if shorter else "forked"))
        unit.announce(Alarm(code="ledger_rewritten", params=(("institution", link.peer), *numbers)))
    return replace(link, ledger_size=told.size, ledger_head=told.hash, checkpoint=data)
