"""The README's table of commands equals the help of the chat, and what it tells visitors to type works on whole hubs."""

from __future__ import annotations

import re

import pytest

from hub.chat import verbs
from hub.testing import TwinNetwork
from tests.docs import verb_table
from tests.docs.pages import read, tables

AGAIN = "the help of the chat has changed: run `.venv/bin/python -m tests.docs.verb_table`"
ROWS = {row[1].strip("`"): row for row in tables(read("README.md"), verb_table.MARK)}
OFFERED = verb_table.rows()


def test_the_table_holds_exactly_the_verbs_that_help_offers() -> None:
    assert set(ROWS) == {row.verb.en for row in OFFERED}, AGAIN
    assert len(OFFERED) > 12


@pytest.mark.parametrize("row", OFFERED, ids=[row.verb.key for row in OFFERED])
def test_each_row_says_what_help_says(row: verb_table.Row) -> None:
    assert ROWS.get(row.verb.en) == row.cells(verb_table.english_of(row)), AGAIN


def test_every_verb_that_acts_is_offered_somewhere() -> None:
    """A command that no help mentions is a command that nobody finds."""
    silent = {"help", "undo", "cancel", "skip", "back"}  # named in the foot of each help, or by the dialogue itself
    assert {verb.key for verb in verbs.VERBS} - silent <= {row.verb.key for row in OFFERED}


# --- what visitors are told to type ----------------------------------------------------------------------------------------


def typed(section: str) -> list[str]:
    """The `!tk` lines of a language's walk with Element."""
    text = read("README.md")
    part = text[text.index(f"\n## {section}\n") :]
    block = re.search(r"```text\n(.*?)```", part, re.S)
    assert block
    return [line.strip() for line in block[1].splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("section", "who_knows", "withdraw"), [("Español", "!tk quién sabe", "!tk retirar"), ("English", "!tk who knows", "!tk withdraw")]
)
def test_what_the_readme_tells_visitors_to_type_works(section: str, who_knows: str, withdraw: str) -> None:
    lines = typed(section)
    assert len(lines) == 5
    assert all(f"`{command} C-XXXXX`" in read("README.md") for command in (who_knows, withdraw))
    network = TwinNetwork(("cem-lima", "emergency_centre"), ("csmc-comas", "mental_health_centre"))
    here, there = network["cem-lima"], network["csmc-comas"]
    for hub in (here, there):
        hub.enrol("visita")
    code, answer = "", ""
    for line in lines:
        answer = here.type("visita", line.replace("C-XXXXX", code))
        found = re.search(r"Listo: (C-\w{5})", answer)
        code = found[1] if found else code
    assert "Vista previa" in answer
    here.type("visita", number(answer, "enviar la oferta"))
    network.settle()
    card = there.find("derivación de")
    assert "Rosa" not in card.body
    there.type("visita", number(card.body, "aceptar"), thread=card.event)
    network.settle()
    assert "insom" in there.type("visita", "ver", thread=card.event)
    assert "lo tiene" in here.type("visita", f"{who_knows} {code}")
    here.type("visita", number(here.type("visita", f"{withdraw} {code}"), "retirar"))
    network.settle()
    assert "destruido, confirmado con firma" in here.type("visita", f"{who_knows} {code}")


def number(text: str, label: str) -> str:
    """The number beside a choice."""
    found = re.search(rf"(\d+)\. {label}", text)
    assert found, text
    return found[1]
