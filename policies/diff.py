"""What two versions of a protocol do differently: exactly, for every field, recipient kind, purpose, state of the facts and consent.

Beside what can be seen stands what else is written: every key of the document, compared without knowing its name, rules that were
only written in another way, and the words (vocabulary) that the two were read with.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.cover import Alternatives, Cover
from policies.decision import Request
from policies.enumeration import NOBODY, Space, View
from policies.leaves import KeyChange, changes, plain
from policies.protocol import Protocol
from policies.verdicts import CONSENTS, HOME, Cells, Cut, Group, Level, Side, cuts, groups, reaching
from policies.vocabulary import Vocabulary

KINDS = ("appears", "wider", "narrower", "other_form", "disappears")
"""From what nobody of them saw before to what nobody of them sees any more."""
_SEEN_BY_THE_RULES = ("rules", "universe", "domain", "needs_purpose")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field that shows more or less in the same states to all of `cells` (purpose, recipient kind)."""

    field: str
    was: Level
    now: Level
    consent: str
    """`yes`: with her consent; `law`: without it."""
    when: Alternatives
    cells: tuple[tuple[str, str], ...]
    witness: Request
    """A request with the fewest facts for which the two versions differ in just this way."""

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return kind_of(self.was, self.now)


def kind_of(was: Level, now: Level) -> str:
    """One of `KINDS`, for two levels that differ."""
    if HOME in (was, now):
        return "appears" if was == HOME else "disappears"
    return "other_form" if was.width == now.width else "wider" if was.width < now.width else "narrower"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Everything in which two versions differ; empty in all parts when they say the same."""

    was: Protocol
    now: Protocol
    visible: tuple[Change, ...]
    document: tuple[KeyChange, ...]
    reworded: tuple[str, ...]
    """Fields whose rules are written in another way, and show the very same."""
    reasons: tuple[str, ...]
    """Fields whose own sentences (`because`) differ: the same leaves, other words are said."""
    vocabulary: tuple[KeyChange, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.visible or self.document or self.reworded or self.reasons or self.vocabulary)


def diff(was: Protocol, now: Protocol, words_was: Vocabulary | None = None, words_now: Vocabulary | None = None) -> Difference:
    """Compare two versions, or any two protocols."""
    visible = tuple(sorted(_visible(was, now), key=_order))
    seen = {change.field for change in visible}
    changed = [name for name in dict.fromkeys((*was.universe, *now.universe)) if _rules(was, name) != _rules(now, name)]
    return Difference(
        was=was, now=now,
        visible=visible,
        document=changes(_written(was), _written(now)),
        reworded=tuple(name for name in changed if name not in seen and _rules(was, name, bare=True) != _rules(now, name, bare=True)),
        reasons=tuple(name for name in changed if _because(was, name) != _because(now, name)),
        vocabulary=_words(was, now, words_was, words_now),
    )  # fmt: skip


def _visible(was: Protocol, now: Protocol) -> Iterator[Change]:
    purposes, kinds = (tuple(sorted({*getattr(was, name), *getattr(now, name)})) for name in ("purposes", "to_kinds"))
    cells = Cells(purposes=purposes, kinds=kinds)
    sides = Side(was, cells), Side(now, cells)
    cut = cuts(cells, now)
    for field in dict.fromkeys((*was.universe, *now.universe)):
        found: dict[tuple[Level, Level, str, int], _Seen] = {}
        for group in groups(sides, cells, field):
            for before, after, consent, states in _differing(group):
                for where, own in reaching(group, states, cut):
                    seen = found.setdefault((before, after, consent, states), _Seen(space=group.space, cut=where, first=own))
                    seen.cells |= own
        cover: Cover | None = None
        for (before, after, consent, states), seen in found.items():
            cover = cover or Cover(seen.space)
            place = next(cells.pairs(seen.first))
            yield Change(
                field=field, was=before, now=after, consent=consent, when=cover.of(states), cells=tuple(cells.pairs(seen.cells)),
                witness=witness(seen.space.view(seen.cut.closed), states, field, consent, *place),
            )  # fmt: skip


@dataclass(kw_only=True)
class _Seen:
    """One change while its cells are being gathered; the witness comes from the cells in which it was seen first."""

    space: Space
    cut: Cut
    first: int
    cells: int = 0


def _differing(group: Group) -> Iterator[tuple[Level, Level, str, int]]:
    for consent in CONSENTS:
        old, new = (levels[consent] for levels in group.levels)
        if old == new:
            continue
        for before, own in old.items():
            for after, other in new.items():
                if before != after and own & other:
                    yield before, after, consent, own & other


def witness(view: View, states: int, field: str, consent: str, purpose: str, kind: str) -> Request:
    """A question with the fewest facts in one of these states."""
    given = consent == "yes"
    return Request(
        purpose=purpose, recipient_kind=kind, recipient_id=NOBODY, facts=view.facts(view.least(states)),
        consented=frozenset((field,)) if given else frozenset(), consent_state="active" if given else "none",
    )  # fmt: skip


def _order(change: Change) -> tuple[Any, ...]:
    return KINDS.index(change.kind), change.field, change.consent != "yes", change.cells, change.was.text, change.now.text


def _written(protocol: Protocol) -> dict[str, Any]:
    """Every key but those whose effect is in `visible`; a key that is added to Protocol is in here by itself."""
    return {f.name: plain(getattr(protocol, f.name)) for f in dataclasses.fields(protocol) if f.name not in _SEEN_BY_THE_RULES}


def _rules(protocol: Protocol, field: str, *, bare: bool = False) -> frozenset[Any]:
    own = (rule for rule in protocol.rules if rule.field == field)
    return frozenset(dataclasses.replace(rule, because=None) if bare else rule for rule in own)


def _because(protocol: Protocol, field: str) -> frozenset[Any]:
    return frozenset((rule.id, rule.because) for rule in protocol.rules if rule.field == field and rule.because)


def _words(was: Protocol, now: Protocol, words_was: Vocabulary | None, words_now: Vocabulary | None) -> tuple[KeyChange, ...]:
    if words_was is not None and words_now is not None:
        return changes(plain(words_was), plain(words_now))
    read_with = ("universe", "domain", "needs_purpose")
    return changes(*({name: plain(getattr(one, name)) for name in read_with} for one in (was, now)))
