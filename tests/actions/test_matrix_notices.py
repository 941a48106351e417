"""What the homeserver does to us, as the administrators read it: a sentence of theirs that says what to do, or nothing at all."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from hub.actions import coordination
from hub.actions.room_findings import DEVICE_KINDS
from hub.app import reports
from hub.chat.matrix_notices import NOTICES
from hub.matrix import Report
from hub.matrix.ports import ReportKind
from tests.actions.road import Net


class Nothing:
    """A Matrix and a keeper that know nothing and are only poked."""

    stirred_in: list[str]

    def __init__(self) -> None:
        self.stirred_in = []

    def trusts_device(self, user: str, device: str) -> bool:
        return False

    def poke(self) -> None: ...

    def stirred(self, room: str) -> None:
        self.stirred_in.append(room)


def told(net: Net, report: Report) -> tuple[list[str], Nothing]:
    """What the admin room reads of one report."""
    before, nothing, heard = len(net.cem.said), Nothing(), reports.Reports()
    heard.serve(net.cem.store, nothing, nothing)  # type: ignore[arg-type]
    asyncio.run(heard.hear(report))
    net.cem.post()
    return [said.body for said in net.cem.said[before:] if said.room.endswith(".admin")], nothing


@pytest.mark.parametrize("kind", sorted(NOTICES))
def test_each_notice_is_a_sentence_without_a_word_of_the_machine(net: Net, kind: str) -> None:
    user = net.csmc.user if kind == "hidden_device" else net.cem.person("ana")
    (said,), _ = told(net, Report(kind=kind, user_id=user, room_id="!cem-lima.desk", device_id="DISPOSITIVO", detail="NotEncrypted"))  # type: ignore[arg-type]
    assert not any(word in said for word in ("Aviso de Matrix", kind, "NotEncrypted", "!cem-lima", "[matrix]"))


def test_every_kind_of_report_is_acted_on_told_or_left_out_on_purpose() -> None:
    acted = {"first_sight", "master_changed", "stranger", "invite_refused", "left_room", "joined_by_invite", "joined_coordination"}
    acted |= {"device_statement", "room_drift"}
    assert acted | set(DEVICE_KINDS) | reports._SILENT | set(NOTICES) == set(get_args(ReportKind))


def test_a_session_that_she_closed_is_no_news(net: Net) -> None:
    assert told(net, Report(kind="hidden_device", user_id=net.cem.person("ana"), device_id="VIEJO"))[0] == []


def test_a_room_that_differs_is_looked_at_and_its_keeper_tells_it(net: Net) -> None:
    said, nothing = told(net, Report(kind="room_drift", room_id="!cem-lima.desk", detail="encryption"))
    assert (said, nothing.stirred_in) == ([], ["!cem-lima.desk"])


def test_where_a_table_is_empty_the_way_out_is_to_bring_somebody_in(net: Net) -> None:
    """`tinkuy staff list` shows nothing wrong there: nobody was brought in yet."""
    table = net.cem.run(lambda unit: coordination.open_table(unit, "administrator", "Mesa Lima Norte", ("csmc-comas",)))
    net.cem.make_rooms()
    (said,), _ = told(net, Report(kind="nobody_can_read", room_id=f"!{table.id}"))
    assert f"tinkuy tables add {table.code} @cuenta:servidor" in said
    (said,), _ = told(net, Report(kind="nobody_can_read", room_id="!cem-lima.desk"))
    assert "tinkuy staff list" in said
