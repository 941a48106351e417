"""The README's "Follow one referral": every file and name exists, and each station is handed what an earlier one names."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import ROOT, read, tables

TEXT = read("README.md")
FIRST = tables(TEXT, "<!-- road:")
SECOND = tables(TEXT, "At the other institution")
STATIONS = [[cell.strip("`") for cell in row[:4]] for row in (*FIRST, *SECOND)]


def test_the_road_is_numbered_and_never_goes_back() -> None:
    assert [int(row[0]) for row in STATIONS] == list(range(1, len(STATIONS) + 1))
    files = [row[1] for row in STATIONS]
    assert len(files) == len(set(files)) >= 20


@pytest.mark.parametrize("station", STATIONS, ids=[row[1] for row in STATIONS])
def test_each_station_exists_and_is_handed_something_that_an_earlier_one_names(station: list[str]) -> None:
    place, file, begin, handed = station
    tree = ast.parse(read(file))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert begin in functions, f"{file} has no `{begin}`"
    if handed == "–":
        return
    word = re.compile(rf"\b{re.escape(handed)}\b")
    assert word.search(read(file)), f"{file} does not name `{handed}`"
    earlier = [row[1] for row in STATIONS if int(row[0]) < int(place)]
    assert any(word.search(read(name)) for name in earlier), f"nothing before {file} names `{handed}`"


def test_what_follows_names_files_that_stand_on_the_same_road() -> None:
    tail = TEXT[TEXT.index("What follows uses the same road") : TEXT.index("## Licence")]
    files = re.findall(r"`(hub/[\w/]+\.py)`", tail)
    assert len(files) >= 7
    assert all((ROOT / file).is_file() for file in files)
    known = read("hub/chat/do_case.py") + read("hub/chat/do_referral.py") + read("hub/app/house.py") + read("hub/actions/withdraw.py")
    for file in files:
        assert re.search(rf"\b{file.rsplit('/', 1)[1].removesuffix('.py')}\b", known), f"{file} is on no road"
