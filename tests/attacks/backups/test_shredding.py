"""R14, T6, T10: fourteen daily backups with shreddings between them. Whichever is restored, what was shredded stays dead, and the rest lives."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.actions.erase import condemned, shred
from hub.actions.ports import Unit
from hub.app import backup, restore
from hub.base.errors import Stopped
from tests.attacks.backups.bench import CEM, CSMC, Filed, Machine, readable
from tests.attacks.canaries import found_in, hits, marker
from tests.attacks.twins.bench import Road, found

DAYS = 14


@dataclass(kw_only=True)
class Fortnight:
    """One person a day; every morning a backup of both hubs; every evening somebody is forgotten."""

    net: Filed
    words: dict[str, str] = field(default_factory=dict)
    """person → the marker that is her name"""
    codes: dict[str, str] = field(default_factory=dict)
    dead: dict[str, set[str]] = field(default_factory=lambda: {CEM: set(), CSMC: set()})
    parts: dict[str, list[tuple[Path, Path]]] = field(default_factory=lambda: {CEM: [], CSMC: []})
    keepsake: Path | None = None

    def live(self) -> None:
        """Fourteen days."""
        road = Road(net=self.net)
        for day in range(DAYS):
            self._somebody_comes(road, f"day {day}")
            for name in (CEM, CSMC):
                self.parts[name].append(self.net.back_up(name))
            self._somebody_is_forgotten(road, day)
            if day == DAYS - 2:
                self._keep_a_copy()
            self.net.clock.advance(timedelta(days=1))
            self.net.settle(2)
        for name in (CEM, CSMC):
            self.net.pulse(name)

    def _somebody_comes(self, road: Road, who: str) -> None:
        self.words[who] = marker()
        road.open(self.words[who])
        road.referral = found(r"R-\w{5}", road.cem.type("ana", road.preview()[0]))
        self.net.settle()
        road.accept()
        self.codes[who] = road.code

    def _somebody_is_forgotten(self, road: Road, day: int) -> None:
        """By turns: a withdrawal, a disclosure whose term ends, a whole case. Every third day nobody."""
        who = f"day {day - 1}"
        if day == 0 or day % 4 == 3:
            return
        road.code = self.codes[who]
        if day % 4 == 0:
            road.withdraw()
            self.dead[CSMC].add(who)
        elif day % 4 == 1:
            self._term_ends(road)
            self.dead[CSMC].add(who)
        else:
            self.net[CEM].run(lambda unit: shred(unit, unit.cases.one(code=road.code).id, "erased"))
            self.dead[CEM].add(who)
        self.net.settle()

    def _term_ends(self, road: Road) -> None:
        def now_over(unit: Unit) -> None:
            (held,) = [d for d in unit.disclosures.all(state="active", order="-at") if d.referral == self._referral(road)][:1]
            for timer in unit.timers.all(kind="retention", ref=held.id):
                unit.timers.delete(timer.id)
                unit.timers.add(type(timer)(id=timer.id, kind=timer.kind, ref=timer.ref, due_at=unit.now))

        self.net[CSMC].run(now_over)
        self.net[CSMC].ring()

    def _referral(self, road: Road) -> str:
        return str(self.net[CEM].run(lambda unit: unit.referrals.one(case=unit.cases.one(code=road.code).id).id))

    def _keep_a_copy(self) -> None:
        """Somebody copied the backup disk a day ago: its journal lacks the last day's tombstones."""
        config = self.net.machines[CSMC].config
        assert config.paths.backups
        self.keepsake = self.net.disk / "copied yesterday"
        shutil.copytree(config.paths.backups, self.keepsake)


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory: pytest.TempPathFactory) -> Fortnight:
    lived = Fortnight(net=Filed(tmp_path_factory.mktemp("fortnight"), CEM, CSMC))
    lived.live()
    return lived


def restored(net: Filed, name: str, parts: tuple[Path, Path], *, disk: Path | None = None, **more: Any) -> Machine:
    """Another machine takes over; nobody speaks to it."""
    machine = net.machine(name, {CEM: "emergency_centre", CSMC: "mental_health_centre"}[name], disk)
    restore.restore(machine.config, net.wanted(parts, **more), net.clock.now())
    return machine


def scanned(machine: Machine, words: dict[str, str]) -> set[str]:
    """Whose marker stands in any file of the machine, as it is or in any disguise, or in anything that any of its keys opens."""
    assert found_in(machine.folder, words) == {}, "a name stands in clear on the disk"
    return set(hits(readable(machine).encode(), words))


def young(net: Filed, pairs: list[tuple[Path, Path]], day: int) -> tuple[Path, Path]:
    """The day's data part with its own key part, or, when that is gone after seven days, with the newest."""
    data, keys = pairs[day]
    living = {part.path for part in backup.found(keys.parent) if net.clock.now() - part.at <= timedelta(days=7)}
    return (data, keys) if keys in living else (data, pairs[-1][1])


@pytest.mark.parametrize("name", [CEM, CSMC])
def test_r14_whatever_backup_is_restored_the_shredded_stay_dead(fortnight: Fortnight, name: str) -> None:
    net, alive_seen, own_keys = fortnight.net, set[str](), 0
    for day in range(DAYS):
        data, keys = young(net, fortnight.parts[name], day)
        own_keys += keys == fortnight.parts[name][day][1]
        machine = restored(net, name, (data, keys))
        seen = scanned(machine, fortnight.words)
        assert not seen & fortnight.dead[name], (day, "came back from the dead")
        living = {f"day {d}" for d in range(day + 1)} - fortnight.dead[name]
        assert living <= seen, (day, "somebody who was not forgotten is lost")
        alive_seen |= seen
        machine.lose()
    assert 6 <= own_keys <= 8, "key parts live seven days"
    assert len(fortnight.dead[name]) >= 3
    assert len(alive_seen) >= 5


def test_r14_the_control_without_the_journal_the_dead_come_back(fortnight: Fortnight, tmp_path: Path) -> None:
    """The tools above do find what is there: a day-old copy of keys opens what has been shredded since, if nobody says so."""
    net = fortnight.net
    alone = tmp_path / "alone"
    alone.mkdir()
    day = 12
    moved = tuple(Path(shutil.copy(part, alone)) for part in fortnight.parts[CSMC][day])
    with pytest.raises(Stopped) as refused:
        restored(net, CSMC, (moved[0], moved[1]), disk=alone)
    assert refused.value.code == "backup.tombstones_old"
    machine = restored(net, CSMC, (moved[0], moved[1]), disk=alone, insist=True)
    assert scanned(machine, fortnight.words) & fortnight.dead[CSMC] == {"day 11", "day 12"}
    assert not restore_note(machine)["proven"]
    # What the hub of that restore says from now on proves nothing about what was made before it.
    with pytest.raises(Stopped) as again:
        restored(net, CSMC, (moved[0], moved[1]), disk=alone)
    assert again.value.code == "backup.tombstones_old"
    # Nor does a moment that cannot have been its last.
    for moment in (datetime(2020, 1, 1, tzinfo=UTC), net.clock.now() + timedelta(days=1)):
        with pytest.raises(Stopped) as impossible:
            restored(net, CSMC, (moved[0], moved[1]), disk=alone, lost_at=moment)
        assert impossible.value.code == "backup.lost_at"


def restore_note(machine: Machine) -> dict[str, Any]:
    return dict(json.loads((machine.config.paths.state / restore.NOTE).read_text()))


def test_r14_yesterdays_copy_of_the_backup_disk_is_not_taken_for_the_newest(fortnight: Fortnight, tmp_path: Path) -> None:
    assert fortnight.keepsake
    net, keepsake = fortnight.net, shutil.copytree(fortnight.keepsake, tmp_path / "disk")
    data, keys = fortnight.parts[CSMC][12]
    parts = (keepsake / data.name, keepsake / "keys" / keys.name)
    with pytest.raises(Stopped) as refused:
        restored(net, CSMC, parts, disk=keepsake)
    assert refused.value.code == "backup.tombstones_old"
    assert re.match(r"2026-12-0\d", str(refused.value.params["until"]))
    real = net.machines[CSMC].config.paths.state
    machine = restored(net, CSMC, parts, disk=keepsake, tombstones=(real,))
    assert not scanned(machine, fortnight.words) & fortnight.dead[CSMC]


def test_r14_a_hub_restored_in_doubt_proves_nothing_to_the_next_restore(fortnight: Fortnight, tmp_path: Path) -> None:
    """It runs, and says truly that it has destroyed all it knows of. What died between the copy of the disk and the fire it does not know."""
    net, disk = fortnight.net, tmp_path / "disk"
    shutil.copytree(fortnight.keepsake, disk)
    data, keys = fortnight.parts[CSMC][12]
    parts = (disk / data.name, disk / "keys" / keys.name)
    machine = restored(net, CSMC, parts, disk=disk, insist=True)
    store, _ = machine.start(net.clock)
    assert machine.journal
    machine.journal.pulse(net.clock.now(), store.run_now(condemned))
    machine.lose()
    with pytest.raises(Stopped) as refused:
        restored(net, CSMC, parts, disk=disk)
    assert refused.value.code == "backup.tombstones_old"


def test_r14_a_key_part_older_than_seven_days_is_refused_even_if_somebody_kept_it(fortnight: Fortnight, tmp_path: Path) -> None:
    net = fortnight.net
    data, keys = fortnight.parts[CSMC][13]
    net.clock.advance(timedelta(days=8))
    try:
        net.pulse(CSMC)
        with pytest.raises(Stopped) as refused:
            restored(net, CSMC, (data, keys))
        assert refused.value.code == "backup.keys_expired"
    finally:
        net.clock.advance(-timedelta(days=8))


def test_p13_a_term_that_ended_between_backup_and_restore_is_kept_at_the_first_start(tmp_path: Path) -> None:
    """Nobody's tombstone: the time simply passed while there was no hub. The first thing the restored hub does is to destroy."""
    net = Filed(tmp_path, CSMC)
    road = Road(net=net)
    name = marker()
    road.open(name)
    road.referral = found(r"R-\w{5}", road.cem.type("ana", road.preview()[0]))
    net.settle()
    road.accept()
    (held,) = net[CSMC].run(lambda unit: unit.disclosures.all(state="active"))
    net.clock.advance(held.until - net.clock.now() - timedelta(days=1))
    parts = net.back_up(CSMC)
    net.pulse(CSMC)
    net.machines[CSMC].lose()
    net.clock.advance(timedelta(days=2))
    net.restore(CSMC, parts, lost_at=net.clock.now() - timedelta(days=2))
    net[CSMC].ring()
    assert hits(readable(net.machines[CSMC]).encode(), {"she": name}) == []
    net.settle(20)
    assert net[CEM].run(lambda unit: unit.disclosures.get(held.id)).state == "destroyed"
