"""Every benchmark runs once, small: its rows have the agreed shape, its comparisons are made, and a wrong answer stops it."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from bench import durable, federated, load, memory, policy, sending, talking, year
from bench.rows import Row, compare, keep, percentile, show
from deploy.demo.synapse import Synapses
from policies import packs
from policies.engine import Compiled

SHAPE = ["name", "value", "unit", "peer", "limit", "ratio", "rounds", "spread"]


def well_shaped(found: list[Row], folder: Path) -> None:
    """As written to disk: a list of rows with exactly the agreed keys, and numbers that mean something."""
    read = json.loads(keep("sample", found, folder).read_text())
    assert read, "no row"
    for row in read:
        assert list(row) == SHAPE
        assert (type(row["name"]), type(row["unit"])) == (str, str)
        assert min(row["value"], row["limit"], row["ratio"]) > 0
        assert (row["rounds"] >= 1, row["spread"] >= 0) == (True, True)
        assert row["peer"] is None or row["peer"] > 0
    assert len({row["name"] for row in read}) == len(read), "two rows of one name"


def test_the_ratio_is_the_median_of_the_rounds_not_the_ratio_of_the_medians() -> None:
    row = compare("x", "ms", [10, 40, 90], [10, 20, 30])
    assert (row.value, row.limit, row.ratio, row.rounds) == (40, 20, 2, 3)
    assert row.spread == 0.5  # ratios 1, 2, 3
    with pytest.raises(ValueError):
        compare("x", "ms", [1, 2], [1])


def test_percentiles_are_times_that_were_measured() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(range(100), 0.95) == 95
    assert percentile([7], 0.95) == 7


def test_the_table_shows_every_row(tmp_path: Path) -> None:
    out = io.StringIO()
    show([compare("uno", "ms", [1], [1]), compare("dos", "ms", [1], [2], peers=[3])], Console(file=out, width=150))
    assert all(name in out.getvalue() for name in ("uno", "dos"))


def test_policy(tmp_path: Path) -> None:
    well_shaped(policy.run(1), tmp_path)


def test_policy_stops_at_an_engine_that_answers_something_else() -> None:
    protocol = packs.load("pe").protocols[policy.PROTOCOL]
    asked = policy.questions(protocol, 3)
    with pytest.raises(AssertionError, match="differ"):
        policy.check_equal(asked, Compiled(protocol), [lambda _: ()])


def test_durable(tmp_path: Path) -> None:
    well_shaped(durable.run(rounds=2, referrals=2), tmp_path)


def test_durable_stops_at_a_replay_that_leaves_other_rows(tmp_path: Path) -> None:
    for name, value in (("one", 1), ("other", 2)):
        with closing(sqlite3.connect(tmp_path / name)) as connection, connection:
            connection.execute("CREATE TABLE t (x)")
            connection.execute("INSERT INTO t VALUES (?)", (value,))
    durable.same_rows(tmp_path / "one", tmp_path / "one")
    with pytest.raises(AssertionError, match="`t`"):
        durable.same_rows(tmp_path / "one", tmp_path / "other")


def test_hear(tmp_path: Path) -> None:
    well_shaped(talking.in_memory(rounds=1, each=1), tmp_path)


async def test_send(synapses: Synapses, tmp_path: Path) -> None:
    well_shaped(await sending.run(synapses[0], tmp_path, rounds=1, messages={1: 2, 16: 4}), tmp_path)


@pytest.mark.parametrize(
    ("sealed", "clear"), [(["k", "a"], ["a", "b"]), (["k", "a", "b"], ["a"]), (["k", "b", "a"], ["a", "b"]), (["k", "a", "b", "b"], ["a", "b"])]
)
def test_send_stops_at_what_is_lost_doubled_or_out_of_order(sealed: list[str], clear: list[str]) -> None:
    sending.check(["k", "a", "b"], ["b", "a"], ["k", "a", "b"], alone=2)
    with pytest.raises(AssertionError):
        sending.check(sealed, clear, ["k", "a", "b"], alone=2)


async def test_federated_and_chat(synapses: Synapses, tmp_path: Path) -> None:
    async with federated.stage(synapses, tmp_path) as on:
        well_shaped(await talking.run(on, rounds=1, each=len(talking.COMMANDS)), tmp_path)
        well_shaped(await federated.run(on, rounds=1, each=1), tmp_path)
        with pytest.raises(AssertionError, match="arrived"):
            await federated.check(on, ["R-AAAAA"])


async def test_load(synapses: Synapses, tmp_path: Path) -> None:
    well_shaped(await load.run(synapses, tmp_path / "hubs", referrals=3, rate=3.0, records=40), tmp_path)


def test_load_stops_at_a_referral_that_did_not_come_whole() -> None:
    load.check([[0.1, 0.2, 0.3]], 1)
    for trips, held in (([[0.1, 0.2, float("inf")]], 1), ([[0.1, 0.2, 0.3]], 0)):
        with pytest.raises(AssertionError, match="whole"):
            load.check(trips, held)


async def test_memory(synapses: Synapses, tmp_path: Path) -> None:
    well_shaped(await memory.run(synapses, tmp_path / "hubs", events=200), tmp_path)


async def test_year(synapses: Synapses, tmp_path: Path) -> None:
    found = await year.run(synapses[0], tmp_path / "hubs", year=year.Year().scaled(0.001), sessions=20, rounds=1)
    well_shaped(found, tmp_path)
