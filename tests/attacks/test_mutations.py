"""The list of defences stays true: what it disables stands in the code once, and the test that must go red exists."""

from __future__ import annotations

import ast

import pytest

from tests.attacks.mutate import ROOT
from tests.attacks.mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: f"{m.id} {m.file}:{m.before.strip()[:30]}")
def test_each_names_what_is_there(mutation: Mutation) -> None:
    code = (ROOT / mutation.file).read_text()
    assert code.count(mutation.before) == 1, "it must stand there exactly once"
    ast.parse(code.replace(mutation.before, mutation.after))
    file, _, name = mutation.test.partition("::")
    assert not name or f"def {name}(" in (ROOT / file).read_text()
