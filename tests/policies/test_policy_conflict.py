"""Conflict of interest: the tables behind R61-R63, checked against the vocabulary."""

from __future__ import annotations

import pytest

from policies import conflict, packs

PACK = packs.load("pe")
KINDS = PACK.vocabulary.kinds
AFFILIATIONS = PACK.vocabulary.lists["affiliations"]


def test_the_vocabulary_and_the_invariant_know_the_same_affiliations() -> None:
    assert set(AFFILIATIONS) == conflict.affiliations()


def test_every_recipient_kind_belongs_to_some_affiliation() -> None:
    owned = frozenset().union(*(conflict.kinds_of(code) for code in AFFILIATIONS))
    assert owned <= set(KINDS)
    # A table is a meeting of institutions, nobody's employer; it receives nothing about a person.
    assert set(KINDS) - owned == {"coordination_table"}


def test_r61_police_aggressor_excludes_every_police_recipient_except_internal_affairs() -> None:
    assert conflict.excluded("police_station", "comisaria-ejemplo", {"police"})
    assert not conflict.excluded("police_internal_affairs", "inspectoria-ejemplo", {"police"})
    assert not conflict.excluded("court", "juzgado-ejemplo", {"police"})


@pytest.mark.parametrize("need", ["file_complaint", "protection", "complaint_against_officials"])
def test_r61_police_aggressor_offers_court_prosecutor_and_internal_affairs(need: str) -> None:
    offered = PACK.alternatives(need, {"police"})
    assert {"court", "prosecutor", "police_internal_affairs"} <= set(offered)
    assert "police_station" not in offered


@pytest.mark.parametrize("affiliation", sorted(conflict.affiliations()))
def test_r62_alternatives_never_name_an_excluded_kind(affiliation: str) -> None:
    out = conflict.excluded_kinds({affiliation})
    for need in PACK.vocabulary.needs:
        offered = PACK.alternatives(need, {affiliation})
        assert not out & set(offered)
        assert len(offered) == len(set(offered))
        assert offered, f"{need} has nobody left when the aggressor is {affiliation}"


@pytest.mark.parametrize("affiliation", sorted(code for code in conflict.affiliations() if conflict.kinds_of(code)))
def test_r62_every_body_excludes_all_its_kinds(affiliation: str) -> None:
    for kind in KINDS:
        assert conflict.excluded(kind, "ejemplo", {"partner", affiliation}) == (kind in conflict.kinds_of(affiliation))


def test_one_institution_can_be_excluded_by_its_id_however_it_is_written() -> None:
    assert conflict.excluded("ngo", "ong-ejemplo", {"institution:ong-ejemplo"})
    assert conflict.excluded("ngo", "ONG-ejemplo ", {"institution: ong-Ejemplo"})
    assert not conflict.excluded("ngo", "ong-otra", {"institution:ong-ejemplo"})


@pytest.mark.parametrize("unknown", ["policia", "", "pnp", "Police"])
def test_an_unknown_affiliation_excludes_everybody(unknown: str) -> None:
    assert all(conflict.excluded(kind, "ejemplo", {unknown}) for kind in KINDS)


def test_a_lone_text_is_one_affiliation_not_letters() -> None:
    assert conflict.excluded("police_station", "ejemplo", "police")
    assert not conflict.excluded("court", "ejemplo", "police")


@pytest.mark.parametrize("private", ["none", "unknown", "partner", "client"])
def test_private_aggressors_exclude_nobody(private: str) -> None:
    assert not any(conflict.excluded(kind, "ejemplo", {private}) for kind in KINDS)
