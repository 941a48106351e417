"""Values become words on one path (idea 15): nobody goes around `hub/chat/seen.py`, and no output but the direct chat shows what names her."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import packs
from policies.decision import Outcome
from policies.surfaces import NEVER_BUT_DIRECT, Surface, may_show
from tests.actions import road
from tests.actions.road import Net, everything
from tests.fields.road import fresh, pick, thread, typed

HUB = Path(__file__).parents[2] / "hub"
OPENERS = frozenset({"values_of", "value_of", "held_values", "show_values", "value_label"})
"""What opens a value of hers."""
MAY_OPEN = {
    "hub/chat/seen.py": {"value_of", "held_values"},
    "hub/chat/do_case.py": {"show_values"},
}
"""Outside the actions: the path itself, and the command that asks for the direct chat."""
MAY_UNSEAL = {
    "hub/chat/talk.py", "hub/chat/suggested.py", "hub/chat/glass.py", "hub/chat/guarding.py", "hub/chat/admin_protocol.py", "hub/app/posts.py",
    "hub/app/restore.py", "hub/app/rewrap.py", "hub/chat/protocol_guarding.py",
}  # fmt: skip
"""Who opens a sealed cell that is no value of hers: dialogues, waiting words, posts on their way, copies."""
WORDS = packs.load("pe").vocabulary


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("chat", "app", "web", "matrix", "schedule"):
        for path in sorted((HUB / folder).rglob("*.py")):
            yield f"hub/{path.relative_to(HUB).as_posix()}", ast.parse(path.read_text())
    for path in sorted(HUB.glob("*.py")):
        yield f"hub/{path.name}", ast.parse(path.read_text())


def named(tree: ast.Module) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return names | {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_only_one_module_turns_a_value_into_words() -> None:
    found = {file: opened for file, tree in sources() if (opened := named(tree) & OPENERS)}
    assert found == MAY_OPEN


def test_nobody_else_unseals() -> None:
    def unseals(tree: ast.Module) -> bool:
        return any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "open"
            and isinstance(node.func.value, ast.Attribute | ast.Name)
            and (node.func.value.attr if isinstance(node.func.value, ast.Attribute) else node.func.value.id) == "vault"
            for node in ast.walk(tree)
        )  # fmt: skip

    assert {file for file, tree in sources() if unseals(tree)} <= MAY_UNSEAL
    assert "hub/chat/talk.py" in {file for file, tree in sources() if unseals(tree)}, "the search finds what is there"


@pytest.mark.parametrize("surface", [s for s in Surface if s is not Surface.DIRECT])
def test_what_names_her_stands_on_no_surface_but_the_direct_chat(surface: Surface) -> None:
    assert not [field for field in NEVER_BUT_DIRECT if may_show(surface, field, WORDS)]
    assert all(may_show(Surface.DIRECT, field, WORDS) for field in NEVER_BUT_DIRECT)
    assert not any(may_show(surface, field, WORDS, Outcome.PRESENCE) for field in WORDS.fields)


NAMING = ("legal_name", "document_number", "phone", "email", "address", "occupation", "account", "notes", "aggressor_name", "medication")
CODED = {
    "risk_level": st.sampled_from(sorted(WORDS.lists["risks"])),
    "needs": st.lists(st.sampled_from(sorted(WORDS.lists["needs"])), min_size=1, max_size=3, unique=True).map(",".join),
    "languages": st.sampled_from(sorted(WORDS.lists["languages"])),
    "urgency": st.sampled_from(sorted(WORDS.lists["urgencies"])),
}
LETTERS = st.text(alphabet="abcdefghijklmnñopqrstuvwxyz", min_size=6, max_size=12)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, str]:
    """An invented case: every naming field holds a mark of its own; the codes are any."""
    values = {name: f"Zz{name.replace('_', '')}{draw(LETTERS)}" for name in draw(st.sets(st.sampled_from(NAMING), min_size=4))}
    values |= {name: draw(way) for name, way in CODED.items() if draw(st.booleans())}
    return {"social_name": "Marisol Ejemplo", "safe_contact": "de 9 a 12"} | values


@given(values=cases())
@settings(max_examples=3, deadline=None, derandomize=True)
def test_no_output_of_a_whole_road_shows_them(values: dict[str, str]) -> None:
    """Cards, previews, offers, prompts, lists, refusals, alarms, the other hubs' rooms, logs: everywhere but in the direct chat."""
    heard: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage() + str(record.__dict__))  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        net = fresh()
        code, shown = walked(net, values)
    finally:
        logging.getLogger().removeHandler(handler)
    marks = [value for name, value in values.items() if name in NAMING]
    for twin in net.twins.values():
        rooms = [s.body for s in twin.said if ".direct:" not in s.room] + heard
        assert not [mark for mark in marks for body in rooms if mark.lower() in body.lower()]
    assert all(value in shown for name, value in values.items() if name in NAMING), "the search looks for what is there"
    assert code in "".join(s.body for s in net.cem.said)
    assert not [mark for mark in marks for twin in net.twins.values() if mark.encode() in everything(twin)]


def walked(net: Net, values: dict[str, str]) -> tuple[str, str]:
    """What people do with a case: refer, ask, pass on, an emergency, look, take back. Its code, and what the direct chat showed meanwhile."""
    case = road.opened(net.cem, values)
    road.consented(net.cem, case)
    road.consented(net.cem, case, recipients=(road.HOGAR,), purposes=("shelter_protection",))
    net.cem.post()
    card = thread(net.cem, f"{case.code} · ")
    for words in ("casos", "quién sabe", "derivar", "relato", "volver a preguntar", "pedir dirección para algo"):
        typed(net.cem, words, card)
    shown = net.cem.type("ana", f"ver {case.code}", room="direct")
    typed(net.cem, pick(typed(net.cem, "derivar a csmc-comas por salud mental", card), "enviar"), card)
    net.settle()
    offer = net.csmc.find("derivación de")
    typed(net.csmc, "aceptar", offer.event)
    net.settle()
    for words in ("ver", "relato", "pedir teléfono para su cita", "emergencia dirección porque no contesta",
                  "compartir a hogar-luz por refugio: nombre, teléfono, contacto seguro porque urge", "avance en curso"):  # fmt: skip
        typed(net.csmc, words, offer.event)
        net.settle(3)
    net.wait(days=3)
    typed(net.cem, pick(typed(net.cem, "retirar", card), "retirar"), card)
    net.settle(8)
    return case.code, shown
