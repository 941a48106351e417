"""The decision records: numbered without gaps, all of one form, all in the index."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, read

FOLDER = ROOT / "docs/adr"
RECORDS = sorted(path.name for path in FOLDER.glob("[0-9]*.md"))
HEADINGS = ["Decision", "Why", "The road not taken", "What follows"]


def test_numbers_have_no_gap_and_no_twin() -> None:
    assert [int(name[:4]) for name in RECORDS] == list(range(1, len(RECORDS) + 1))
    assert len(RECORDS) >= 12


@pytest.mark.parametrize("name", RECORDS)
def test_each_record_has_the_form(name: str) -> None:
    text = read(f"docs/adr/{name}")
    assert text.startswith(f"# {name[:4]} ")
    assert re.search(r"^Status: (accepted|proposed|superseded by \d{4})", text, re.M)
    assert re.findall(r"^## (.+)$", text, re.M) == HEADINGS
    assert len(text.splitlines()) < 60, "one page"


def test_the_index_names_each_record_by_its_title() -> None:
    index = read("docs/adr/README.md")
    for name in RECORDS:
        title = read(f"docs/adr/{name}").splitlines()[0].removeprefix(f"# {name[:4]} ")
        assert f"| [{name[:4]}]({name}) | {title} |" in index
    assert len(re.findall(r"^\| \[\d{4}\]", index, re.M)) == len(RECORDS)
