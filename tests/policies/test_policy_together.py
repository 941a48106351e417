"""The laws of what several institutions may see together (idea 3): the narrowest, whatever the order, and never more by one more."""

from __future__ import annotations

from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from policies.decision import Decision, FieldDecision, Outcome, Reason
from policies.generalise import GENERALISATIONS
from policies.together import COARSER, narrower, shown_as, together

FIELDS = ("age", "district", "phone", "account")
WAYS = tuple(GENERALISATIONS)


def _field(name: str, outcome: Outcome, how: str, code: str) -> FieldDecision:
    return FieldDecision(field=name, outcome=outcome, generalisation=how if outcome is Outcome.GENERALISE else None, reason=Reason(code=code))


@st.composite
def decisions(draw: st.DrawFn, *, excluded: bool | None = False) -> Decision:
    out = draw(st.booleans()) if excluded is None else excluded
    outcomes = st.just(Outcome.WITHHOLD) if out else st.sampled_from(Outcome)
    fields = {
        name: _field(name, draw(outcomes), draw(st.sampled_from(WAYS)), draw(st.sampled_from(("consent", "no_rule", "consent_missing"))))
        for name in FIELDS
    }  # fmt: skip
    return Decision(protocol_id="p", version=1, fields=MappingProxyType(fields), excluded=out)


members = st.dictionaries(st.sampled_from("abcdef"), st.lists(decisions(), min_size=1, max_size=2), min_size=1, max_size=5)


@given(members)
def test_no_member_may_see_less_than_the_card_shows(held: dict[str, list[Decision]]) -> None:
    """Equal to the minimum over the members; for two generalisations that do not tell each other, only that there is a value."""
    joint = together(held).decision
    for name in FIELDS:
        items = [one.field(name) for found in held.values() for one in found]
        least, shown = min(item.outcome for item in items), joint.field(name)
        assert shown.outcome is least or (least is Outcome.GENERALISE and shown.outcome is Outcome.PRESENCE)
        for item in items:
            if shown.outcome is Outcome.GENERALISE and item.outcome is Outcome.GENERALISE:
                how = str(shown.generalisation)
                assert item.generalisation == how or how in COARSER[str(item.generalisation)]
        ways = {item.generalisation for item in items if item.outcome is Outcome.GENERALISE}
        if least is Outcome.GENERALISE and len(ways) == 1:
            assert (shown.outcome, shown.generalisation) == (least, ways.pop()), "narrowed more than anybody asked for"


@given(members, st.lists(decisions(), min_size=1, max_size=2))
def test_one_more_institution_never_widens(held: dict[str, list[Decision]], more: list[Decision]) -> None:
    before, after = together(held).decision, together({**held, "newcomer": more}).decision
    for name in FIELDS:
        assert after.field(name).outcome <= before.field(name).outcome
    assert not narrower(shown_as(after, FIELDS), shown_as(before, FIELDS)), "whatever it would take away was there before"


@given(members, st.randoms())
def test_order_never_matters(held: dict[str, list[Decision]], order: object) -> None:
    turned = dict(reversed([(name, list(reversed(found))) for name, found in held.items()]))
    assert together(turned) == together(held)


@given(members, decisions(excluded=True))
def test_an_excluded_member_leaves_nothing_for_anybody(held: dict[str, list[Decision]], out: Decision) -> None:
    found = together({**held, "police": [out]})
    assert found.excluded == ("police",)
    assert found.decision.excluded
    assert not found.decision.discloses


def test_nobody_and_doubt_leave_nothing() -> None:
    some = Decision(protocol_id="p", version=1, fields={"age": _field("age", Outcome.RELEASE, "", "consent")})
    assert together({"a": [some]}).decision.discloses
    assert not together({}).decision.discloses
    assert not together({"a": [some], "b": []}).decision.discloses, "a member without a decision is a doubt"


@given(members, members)
def test_what_an_edit_may_leave_in_the_history(before: dict[str, list[Decision]], now: dict[str, list[Decision]]) -> None:
    """A field that is shown again, as wide as before or wider, needs no redaction; every other one does."""
    was, is_ = shown_as(together(before).decision, FIELDS), shown_as(together(now).decision, FIELDS)
    for name in narrower(was, is_):
        assert is_.get(name) != was[name]
        assert is_.get(name) != "release"
    for name in set(was) - narrower(was, is_):
        assert name in is_
    assert not narrower(was, was)
