"""Defences that came from the last review: each test fails when its defence is deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions import peers
from hub.base.errors import PeerFault, Refused
from hub.chat.plain import Message
from hub.chat.posting import MOST_BYTES, NUMBER_REST, ask, close_questions, fit
from hub.exchange.intake import MOST_EPOCHS, place
from tests.actions.road import fresh
from tests.exchange.test_fuzz import Liar

HUBS = (("cem-lima", "emergency_centre"), ("csmc-comas", "mental_health_centre"))


def test_a_message_never_outgrows_an_event() -> None:
    long = fit(Message(body="ñ" * MOST_BYTES, html="x" * 10), MOST_BYTES)
    assert len(long.body.encode()) <= MOST_BYTES
    assert long.html is None
    assert long.body.endswith("…")


def test_the_numbers_of_an_answered_question_rest_x34() -> None:
    net = fresh(*HUBS)
    first = net.cem.run(lambda unit: ask(unit, "!r", "offer", "a", ("x", "y"), "R-1"))
    net.cem.run(lambda unit: close_questions(unit, "a"))
    second = net.cem.run(lambda unit: ask(unit, "!r", "refer", "b", ("x",), "C-1"))
    assert second.first >= first.first + 2, "a late answer must not fit the next question"
    net.cem.clock.advance(NUMBER_REST + timedelta(seconds=1))
    assert net.cem.run(lambda unit: ask(unit, "!r", "refer", "c", ("x",), "C-2")).first == first.first


def test_a_frozen_link_opens_only_with_the_code() -> None:
    net = fresh(*HUBS)
    net.cem.run(lambda unit: unit.links.put(replace(unit.links.one(peer="csmc-comas"), frozen="stranger")))
    with pytest.raises(Refused, match="wrong_pairing_code"):
        net.cem.run(lambda unit: peers.thaw_link(unit, "admin", "csmc-comas", "0000-0000-0000-0000"))
    code = net.cem.run(lambda unit: peers.short_code_with(unit, "csmc-comas"))
    net.cem.run(lambda unit: peers.thaw_link(unit, "admin", "csmc-comas", code))
    assert net.cem.run(lambda unit: unit.links.one(peer="csmc-comas")).frozen is None


def test_an_invented_epoch_is_refused() -> None:
    net = fresh(*HUBS)
    link = net.csmc.run(lambda unit: unit.links.one(peer="cem-lima"))
    record = Liar(net, "cem-lima", "csmc-comas").record("cancel", b"{}", epoch=link.epoch_in + MOST_EPOCHS + 1, sequence=1)
    with pytest.raises(PeerFault, match="far_ahead"):
        place(link, record, 32)
