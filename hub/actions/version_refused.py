"""The recipient kept nothing of a disclosure, for the version of the protocol that decided it does not bind it (yet, or any more).

Her caseworker must not believe that it arrived. When they only lack the last signature it is decided and sent again: soon, then once a day, for
a signature may take weeks. Once nothing is sent any more by itself, people are told so.
"""

from __future__ import annotations

from datetime import timedelta

from hub.actions.agreed import AHEAD, OVER
from hub.actions.common import intend, note
from hub.actions.decide import is_ours
from hub.actions.emergency import not_sent
from hub.actions.onward_receipts import will_go_again
from hub.actions.ports import Unit
from hub.base.errors import PeerFault
from hub.cases.events import Alarm, ReferralMoved
from hub.cases.lifecycle import WORKING
from hub.cases.records import Disclosure, Referral

AGAIN_AFTER = timedelta(minutes=15)
SOON = 6
DAILY = timedelta(days=1)
MOST_TRIES = SOON + 30
"""After these the version is as good as refused, and people decide."""
CODES = frozenset({AHEAD, OVER, "no_protocol"})


def version_refused(unit: Unit, referral: Referral, disclosure: Disclosure, why: str) -> None:
    """Tell her caseworker and the administrators, and try again where waiting helps. Raises PeerFault `bad_body`."""
    if why not in CODES:
        raise PeerFault("bad_body", kind="report", why="why")
    about = referral.case or referral.id
    named = f"{disclosure.protocol}@{disclosure.protocol_version}"
    this = {"referral": referral.id, "version": named}
    tries = sum(this.items() <= line.detail.items() for line in unit.log.all(about=about, what="disclosure.refused_there"))
    note(unit, about, referral.peer, "disclosure.refused_there", **this, why=why)
    again = why == AHEAD and not disclosure.glass and referral.state in WORKING and tries < MOST_TRIES
    if again and not will_go_again(unit, referral):
        intend(unit, referral.peer, "disclose", delay=AGAIN_AFTER if tries < SOON else DAILY, referral=referral.id)
    if not again or tries == 0:  # what is tried again in between is no news
        _tell(unit, referral, why if again or why != AHEAD else "version_stopped", named, again=again)
    if disclosure.glass:
        not_sent(unit, referral, disclosure.glass)


def _tell(unit: Unit, referral: Referral, code: str, named: str, *, again: bool) -> None:
    case = unit.cases.get(referral.case or "")
    shown = "R-…" if case and is_ours(unit, case) else referral.code  # administrators may be his colleagues
    unit.announce(Alarm(code=f"{code}_there", params=(("institution", referral.peer), ("code", shown), ("detail", named))))
    unit.announce(ReferralMoved(referral=referral.id, what="version_refused" if again else "version_stopped", ring=True))
