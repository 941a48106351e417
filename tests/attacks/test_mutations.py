"""The list of defences stays true: what it disables stands in the code once, and the test that must go red exists."""

from __future__ import annotations

import ast
import re

import pytest

from tests.attacks.catalogue import CATALOGUE, NOTHING_TO_TAKE_AWAY, PLAYED_ELSEWHERE
from tests.attacks.mutate import ROOT
from tests.attacks.mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: f"{m.id} {m.file}:{m.before.strip()[:30]}")
def test_each_names_what_is_there(mutation: Mutation) -> None:
    code = (ROOT / mutation.file).read_text()
    assert code.count(mutation.before) == 1, "it must stand there exactly once"
    ast.parse(code.replace(mutation.before, mutation.after))
    file, _, name = mutation.test.partition("::")
    assert not name or f"def {name}(" in (ROOT / file).read_text()


def _carriers(id_: str) -> list[str]:
    """Test functions whose name has the id as a word of its own."""
    pattern = re.compile(rf"def (test_(?:\w+_)?{id_.lower()}(?:_\w+)?)\(")
    return [name for path in (ROOT / "tests").rglob("test_*.py") for name in pattern.findall(path.read_text())]


@pytest.mark.parametrize("id_", CATALOGUE)
def test_each_row_of_the_catalogue_has_a_test_and_a_defence_that_can_be_taken_away(id_: str) -> None:
    assert _carriers(id_) or id_ in PLAYED_ELSEWHERE, "no test carries this id"
    mutated = {mutation.id for mutation in MUTATIONS}
    assert id_ in mutated or id_ in NOTHING_TO_TAKE_AWAY, "neither a mutation nor a reason why there is none"


def test_the_tables_name_rows_that_are() -> None:
    assert set(NOTHING_TO_TAKE_AWAY) | PLAYED_ELSEWHERE <= set(CATALOGUE)
    assert len(set(CATALOGUE)) == len(CATALOGUE) == 34 + 15 + 11 + 16 + 2
    assert all(len(reason) > 40 for reason in NOTHING_TO_TAKE_AWAY.values())
