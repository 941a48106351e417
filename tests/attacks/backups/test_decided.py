"""R14 for what is no key: a copy made before brings nobody back who was removed or blocked, opens no frozen link, and revives no key of a day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.actions import staff
from hub.actions.common import staff_member
from hub.actions.facts import PREFIX, freeze
from hub.actions.peers import short_code_with, thaw_link
from hub.app import restore
from hub.app.rooms import trust_list
from hub.store.database import Database
from hub.store.key_rows import KeyTable
from hub.testing import Twin
from keys.archive import KEYS
from tests.attacks.backups.bench import CEM, CSMC, Filed
from tests.attacks.backups.test_restart import lost_and_restored
from tests.attacks.canaries import hits
from tests.attacks.twins.bench import Road, alarms, link

ANA, LOLA, SOFIA = (f"@{name}:{CEM}.example" for name in ("ana", "lola", "sofia"))


@pytest.fixture
def road(tmp_path: Path) -> Road:
    made = Road(net=Filed(tmp_path, CEM, CSMC))
    made.cem.enrol("jefa", role="administrator")
    for user, key in ((ANA, "A" * 43), (LOLA, "L" * 43)):
        made.cem.run(staff.pin_first_sight, user, key)
    made.net.settle()
    return made


def pins(twin: Twin) -> dict[str, str | None]:
    return {pin.user_id: pin.master_key for pin in twin.run(trust_list).staff}


def filed(road: Road) -> Filed:
    assert isinstance(road.net, Filed)
    return road.net


def test_r14_who_was_removed_after_the_copy_was_made_stays_removed(road: Road) -> None:
    parts = filed(road).back_up(CEM)
    road.open()
    road.net.clock.advance(timedelta(hours=1))
    road.cem.run(staff.remove_staff, ANA)
    lost_and_restored(road, CEM, parts)
    assert ANA not in pins(road.cem)
    assert LOLA in pins(road.cem)
    assert "[decided_again]" in alarms(road.cem)
    road.cem.run(lambda unit: staff.add_staff(unit, ANA, display="Ana", fingerprint="B" * 43))
    again = filed(road).back_up(CEM)
    lost_and_restored(road, CEM, again)
    assert pins(road.cem)[ANA] == "B" * 43, "the removal is older than this copy, which knows what followed"


def test_r14_a_blocked_key_is_not_believed_again(road: Road) -> None:
    """Blocked: another one was served. Repinned: the one in the copy is the former, perhaps stolen one."""
    parts = filed(road).back_up(CEM)
    road.cem.run(staff.refuse_master, ANA, "M" * 43)
    road.cem.run(staff.refuse_master, LOLA, "M" * 43)
    road.cem.run(staff.repin_staff, LOLA, "N" * 43)
    lost_and_restored(road, CEM, parts)
    ana, lola = (road.cem.run(staff_member, user) for user in (ANA, LOLA))
    assert ana.refused_master is not None, "she vouches for nobody, and is shown as blocked"
    assert ana.master == "A" * 43
    assert lola.refused_master is not None
    assert lola.master not in ("L" * 43, None), "neither her former key nor the next that is seen"
    road.cem.run(staff.repin_staff, LOLA, "N" * 43)
    assert pins(road.cem)[LOLA] == "N" * 43


def test_r14_one_who_was_never_seen_when_the_copy_was_made_is_not_pinned_at_a_second_first_sight(road: Road) -> None:
    parts = filed(road).back_up(CEM)
    road.cem.run(staff.pin_first_sight, SOFIA, "S" * 43)
    road.cem.run(staff.refuse_master, SOFIA, "M" * 43)
    lost_and_restored(road, CEM, parts)
    assert pins(road.cem)[SOFIA] is not None


def test_r14_a_link_that_was_frozen_after_the_copy_was_made_stays_frozen_until_people_open_it(road: Road) -> None:
    parts = filed(road).back_up(CEM)
    road.cem.run(freeze, link(road.cem, CSMC), "two_manifests")
    lost_and_restored(road, CEM, parts)
    assert link(road.cem, CSMC).frozen == "two_manifests"
    code = road.cem.run(short_code_with, CSMC)
    road.cem.run(thaw_link, "jefa", CSMC, code)
    road.net.settle(20)
    assert (link(road.cem, CSMC).frozen, link(road.cem, CSMC).asking) == (None, 0)
    again = filed(road).back_up(CEM)
    lost_and_restored(road, CEM, again)
    assert link(road.cem, CSMC).frozen is None, "this copy knows that it was opened"


def test_r14_what_the_journal_says_of_decisions_names_nobody(road: Road) -> None:
    road.cem.run(staff.refuse_master, ANA, "clave inventada")
    road.cem.run(staff.remove_staff, ANA)
    (journal,) = filed(road).machines[CEM].config.paths.state.glob("tombstones-*.journal")
    told = journal.read_bytes()
    assert told.count(PREFIX.encode()) == 2
    assert hits(told, {"ana": "@ana:"}) == [], "in no disguise"


def test_r14_a_homeserver_that_invents_keys_fills_no_journal(road: Road) -> None:
    for number in range(20):
        road.cem.run(staff.refuse_master, ANA, f"{number:043d}")
    assert road.cem.run(lambda unit: sum(t.id.startswith(PREFIX) for t in unit.tombstones.all())) == 1


def test_r14_a_key_of_the_day_that_was_retired_does_not_come_back(road: Road) -> None:
    net = filed(road)
    first = f"hek/{net.clock.now().date()}"
    net.clock.advance(timedelta(days=6))
    net.settle()
    parts = net.back_up(CEM)
    net.clock.advance(timedelta(days=1))
    net.settle()
    keys = net.machines[CEM].keys
    assert keys is not None
    owners = KeyTable(keys._database).owners()
    assert first not in owners
    assert road.cem.run(lambda unit: unit.tombstones.get(first)).confirmed_at is not None
    net.pulse(CEM)
    net.machines[CEM].lose()
    fresh = net.machine(CEM, "emergency_centre")
    restore.restore(fresh.config, net.wanted(parts), net.clock.now())
    table = KeyTable(Database(fresh.config.database.keys_url))
    assert first not in set(table.owners()), f"it was in the {KEYS} part"


def test_r14_whoever_has_the_disk_alone_can_try_every_account_and_learns_nothing(road: Road) -> None:
    """Staff accounts can be guessed: only the hub's own key makes the name that stands in the journal."""
    ours, again, theirs = (twin.run(lambda unit: unit.vault.alias(ANA)) for twin in (road.cem, road.cem, road.csmc))
    assert ours == again
    assert ours != theirs
