"""The table of states and moves: every move, from every state, by either side; and nothing that the table does not list."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.base.errors import Refused
from hub.cases.lifecycle import MOVES, OPEN, WORKING, Move, Side, State, after, allowed

D, Q, R, A, P, H, C, F, J, X = (
    State.DRAFT, State.REQUESTED, State.RECEIVED, State.ACCEPTED, State.IN_PROGRESS, State.ON_HOLD, State.COMPLETED, State.FAILED, State.REJECTED,
    State.CANCELLED,
)  # fmt: skip
S, T = Side.SENDER, Side.RECIPIENT

# Written out by hand from design.md §5 and FHIR R4 Task, not derived from the table under test.
EXPECTED = {
    (S, Move.OFFER): {D: Q},
    (T, Move.RECEIVE): {Q: R},
    (T, Move.ACCEPT): {Q: A, R: A},
    (T, Move.DECLINE): {Q: J, R: J},
    (T, Move.START): {A: P, H: P},
    (T, Move.HOLD): {A: H, P: H},
    (T, Move.COMPLETE): {A: C, P: C, H: C},
    (T, Move.GIVE_BACK): {A: F, P: F, H: F},
    (S, Move.CANCEL): {D: X, Q: X, R: X},
    (S, Move.WITHDRAW): {A: X, P: X, H: X, C: X, F: X},
}


@pytest.mark.parametrize(("state", "move", "side"), list(itertools.product(State, Move, Side)))
def test_every_move_from_every_state_by_either_side(state: State, move: Move, side: Side) -> None:
    target = EXPECTED.get((side, move), {}).get(state)
    if target is None:
        with pytest.raises(Refused) as refused:
            after(state, move, side)
        assert refused.value.code == "move_not_allowed"
        assert refused.value.params == {"move": move.value, "state": state.value}
    else:
        assert after(state, move, side) is target


@pytest.mark.parametrize(("state", "side"), list(itertools.product(State, Side)))
def test_allowed_lists_exactly_what_after_permits(state: State, side: Side) -> None:
    assert set(allowed(state, side)) == {move for move in Move if EXPECTED.get((side, move), {}).get(state)}


def test_every_move_belongs_to_one_side() -> None:
    assert set(MOVES) == set(Move)
    assert len(EXPECTED) == len(Move)


def test_open_states_are_those_in_which_somebody_has_something_to_do() -> None:
    assert {D, Q, R, A, P, H} == OPEN
    assert {A, P, H} == WORKING
    for state in State:
        ends = not {m for side in Side for m in allowed(state, side)} - {Move.WITHDRAW}
        assert (state not in OPEN) == ends


@given(moves=st.lists(st.tuples(st.sampled_from(Move), st.sampled_from(Side)), max_size=30))
def test_no_way_back_from_an_end(moves: list[tuple[Move, Side]]) -> None:
    """Whatever is tried: the end is never left, but for withdrawing what a completed or returned referral left there."""
    state = State.DRAFT
    for move, side in moves:
        before = state
        try:
            state = after(state, move, side)
        except Refused:
            continue
        assert before in OPEN or (move is Move.WITHDRAW and state is X)
        assert before not in (X, J)


def test_states_are_the_words_of_fhir_task() -> None:
    fhir = {"draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold", "failed", "completed"}
    assert {state.value for state in State} <= fhir
