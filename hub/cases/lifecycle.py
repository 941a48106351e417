"""Every state of a referral and every move between states: one table, FHIR R4 Task's words (`design.md` §5.6).

Both sides keep a copy of the state; a move is made by one side and told to the other, which makes the same move. A move that the
table does not list is refused, whoever asks.
"""

from __future__ import annotations

from enum import StrEnum

from hub.base.errors import Refused


class State(StrEnum):
    """FHIR R4 Task.status, the part we use."""

    DRAFT = "draft"
    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """What may happen to a referral."""

    OFFER = "offer"
    RECEIVE = "receive"
    ACCEPT = "accept"
    DECLINE = "decline"
    START = "start"
    HOLD = "hold"
    COMPLETE = "complete"
    GIVE_BACK = "give-back"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"


class Side(StrEnum):
    """Which end of a referral this institution is."""

    SENDER = "sender"
    RECIPIENT = "recipient"


_WAITING = (State.REQUESTED, State.RECEIVED)
_WORKING = (State.ACCEPTED, State.IN_PROGRESS, State.ON_HOLD)

MOVES: dict[Move, tuple[Side, tuple[State, ...], State]] = {
    Move.OFFER: (Side.SENDER, (State.DRAFT,), State.REQUESTED),
    Move.RECEIVE: (Side.RECIPIENT, (State.REQUESTED,), State.RECEIVED),
    Move.ACCEPT: (Side.RECIPIENT, _WAITING, State.ACCEPTED),
    Move.DECLINE: (Side.RECIPIENT, _WAITING, State.REJECTED),
    Move.START: (Side.RECIPIENT, (State.ACCEPTED, State.ON_HOLD), State.IN_PROGRESS),
    Move.HOLD: (Side.RECIPIENT, (State.ACCEPTED, State.IN_PROGRESS), State.ON_HOLD),
    Move.COMPLETE: (Side.RECIPIENT, _WORKING, State.COMPLETED),
    Move.GIVE_BACK: (Side.RECIPIENT, _WORKING, State.FAILED),
    Move.CANCEL: (Side.SENDER, (State.DRAFT, *_WAITING), State.CANCELLED),
    Move.WITHDRAW: (Side.SENDER, (*_WORKING, State.COMPLETED, State.FAILED), State.CANCELLED),
}

OPEN = frozenset({State.DRAFT, *_WAITING, *_WORKING})
"""States in which somebody still has something to do."""
WORKING = frozenset(_WORKING)
"""States in which the recipient may hold the person's data."""


def after(state: State, move: Move, by: Side) -> State:
    """The state that `move` made by `by` leads to. Raises Refused `move_not_allowed`."""
    side, sources, target = MOVES[move]
    if side is not by or state not in sources:
        raise Refused("move_not_allowed", move=move.value, state=state.value)
    return target


def allowed(state: State, by: Side) -> tuple[Move, ...]:
    """The moves that `by` may make from `state`, in the order of the table."""
    return tuple(move for move, (side, sources, _) in MOVES.items() if side is by and state in sources)
