"""Conflict of interest (R61-R63): the invariant over every shipped pack, and a pack whose data leave a hole is refused."""

from __future__ import annotations

import re

import pytest

from policies import conflict, packs, vocabulary
from policies.errors import DocumentError
from policies.packs import Pack

PACKS = [pytest.param(packs.load(name), id=name) for name in packs.shipped()]
PE = packs.load("pe")
BODIES = PE.vocabulary.bodies
KINDS = PE.vocabulary.kinds
every_pack = pytest.mark.parametrize("pack", PACKS)


@every_pack
def test_every_affiliation_owns_a_kind_or_is_declared_private(pack: Pack) -> None:
    terms = pack.vocabulary.lists["affiliations"]
    assert pack.vocabulary.bodies.affiliations == set(terms)
    assert all(bool(pack.vocabulary.bodies.kinds_of(code)) != term.private for code, term in terms.items())


@every_pack
def test_every_kind_belongs_to_some_affiliation_and_a_meeting_to_all(pack: Pack) -> None:
    bodies = pack.vocabulary.bodies
    assert frozenset().union(*bodies.owned.values()) == set(pack.vocabulary.kinds)
    meetings = {code for code, term in pack.vocabulary.kinds.items() if term.meeting}
    assert all(meetings <= kinds for kinds in bodies.owned.values() if kinds)


def test_r61_police_aggressor_excludes_every_police_recipient_except_internal_affairs() -> None:
    assert conflict.excluded("police_station", "comisaria-ejemplo", {"police"}, BODIES)
    assert not conflict.excluded("police_internal_affairs", "inspectoria-ejemplo", {"police"}, BODIES)
    assert not conflict.excluded("court", "juzgado-ejemplo", {"police"}, BODIES)


@pytest.mark.parametrize("need", ["file_complaint", "protection", "complaint_against_officials"])
def test_r61_police_aggressor_offers_court_prosecutor_and_internal_affairs(need: str) -> None:
    offered = PE.alternatives(need, {"police"})
    assert {"court", "prosecutor", "police_internal_affairs"} <= set(offered)
    assert "police_station" not in offered


@every_pack
def test_r62_alternatives_never_name_an_excluded_kind(pack: Pack) -> None:
    words = pack.vocabulary
    for affiliation in words.bodies.affiliations:
        out = conflict.excluded_kinds({affiliation}, words.bodies, words.kinds)
        for need in words.needs:
            offered = pack.alternatives(need, {affiliation})
            assert not out & set(offered)
            assert len(offered) == len(set(offered))
            assert offered, f"{need} has nobody left when the aggressor is {affiliation}"


@every_pack
def test_r62_every_body_excludes_all_its_kinds(pack: Pack) -> None:
    bodies = pack.vocabulary.bodies
    for affiliation, owned in bodies.owned.items():
        for kind in pack.vocabulary.kinds:
            assert conflict.excluded(kind, "ejemplo", {affiliation}, bodies) == (kind in owned)


def test_one_institution_can_be_excluded_by_its_id_however_it_is_written() -> None:
    assert conflict.excluded("ngo", "ong-ejemplo", {"institution:ong-ejemplo"}, BODIES)
    assert conflict.excluded("ngo", "ONG-ejemplo ", {"institution: ong-Ejemplo"}, BODIES)
    assert not conflict.excluded("ngo", "ong-otra", {"institution:ong-ejemplo"}, BODIES)


@pytest.mark.parametrize("unknown", ["policia", "", "pnp", "Police"])
def test_an_unknown_affiliation_excludes_everybody(unknown: str) -> None:
    assert all(conflict.excluded(kind, "ejemplo", {unknown}, BODIES) for kind in KINDS)
    assert conflict.excluded_kinds({unknown}, BODIES, KINDS) == set(KINDS)
    assert PE.alternatives("shelter", {unknown}) == ()


def test_without_the_words_of_a_pack_whoever_is_named_excludes_everybody() -> None:
    assert conflict.excluded("court", "ejemplo", {"partner"}, conflict.NO_BODIES)
    assert not conflict.excluded("court", "ejemplo", (), conflict.NO_BODIES)


def test_a_lone_text_is_one_affiliation_not_letters() -> None:
    assert conflict.excluded("police_station", "ejemplo", "police", BODIES)
    assert not conflict.excluded("court", "ejemplo", "police", BODIES)


@pytest.mark.parametrize("private", ["none", "unknown", "partner", "client"])
def test_private_aggressors_exclude_nobody(private: str) -> None:
    assert not any(conflict.excluded(kind, "ejemplo", {private}, BODIES) for kind in KINDS)


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (", owns: [police_station]}", "}", "affiliation_owns_nothing"),
        (", owns: [police_station]}", ", owns: [police_station], private: true}", "affiliation_private_owner"),
        (", owns: [police_station]}", ", owns: [court]}", "kind_without_affiliation"),
        (", owns: [police_station]}", ", owns: [police_statoin]}", "unknown_word"),
        (", meeting: true", "", "kind_without_affiliation"),
        ("overseen_by: [court, prosecutor, police_internal_affairs]", "overseen_by: [courts]", "unknown_word"),
    ],
)
def test_a_pack_that_leaves_a_hole_is_refused_at_its_place(before: str, after: str, code: str) -> None:
    text = packs.vocabulary_text("pe")
    assert text.count(before) == 1
    with pytest.raises(DocumentError) as caught:
        vocabulary.parse(text.replace(before, after))
    found = next(item for item in caught.value.findings if item.code == code)
    place = text[: text.index(before)].count("\n") + 1
    lines = text.replace(before, after).splitlines()
    if code == "kind_without_affiliation":  # told where the kind stands
        assert re.match(r"  - \{id: (police_station|coordination_table),", lines[found.line - 1])
    else:
        assert found.line == place
    assert found.column > 1
