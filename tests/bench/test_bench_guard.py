"""The guard's figures: what was measured is what the page says, the sets are what they claim, and a bad engine scores badly."""

from __future__ import annotations

import json

import pytest

from bench.guard import PRESIDIO, Span, Text, chat, false_alarms, homes, meddocan, ours, presidio, run, score, table
from bench.rows import RESULTS
from policies.guard.verdict import IDENTIFIERS, WORDS
from tests.docs.pages import read

MARK = "<!-- figures: python -m bench.guard -->\n"


def test_the_page_says_what_was_measured() -> None:
    assert read("docs/governance/guard.md").partition(MARK)[2].strip() == table(json.loads(RESULTS.joinpath("guard.json").read_text())).strip()


def test_the_chat_set_is_large_hard_and_covers_every_class() -> None:
    texts = chat()
    assert len(texts) >= 300
    assert sum(not one.spans for one in texts) >= 0.4 * len(texts)
    for half in ("written", "spent", "held"):
        here = [one for one in texts if one.half == half]
        assert {span.of for one in here for span in one.spans} == {*IDENTIFIERS, *WORDS}
    assert len({one.text for one in texts}) == len(texts)
    probe = [one for one in texts if one.half == "probe"]
    assert {span.of for one in probe for span in one.spans} == {"name", "blame", "conciliation"}
    assert sum(not one.spans for one in probe) >= 0.4 * len(probe)
    assert all(0 <= span.start < span.end <= len(one.text) for one in texts for span in one.spans)


@pytest.mark.parametrize("half", ["written", "spent", "held"])
def test_the_classes_that_must_not_be_missed_are_seen(half: str) -> None:
    """The aim: 0.95 of DNI, CE, telephones, e-mail, cards and Matrix accounts, and as rarely wrong."""
    texts = [one for one in chat() if one.half == half]
    rows = score(texts, ours(texts, rounds=1)[0], ("dni", "ce", "phone", "email", "card", "mxid"))
    assert len(rows) == 6
    for of, row in rows.items():
        assert (row["recall"] or 0) >= 0.95, of
        assert (row["precision"] or 0) >= 0.95, of


@pytest.mark.parametrize("half", ["written", "spent", "probe"])
def test_nobody_is_cried_at_without_need(half: str) -> None:
    """Of the messages that say nothing of anybody; the one of `probe` names a heroine of the independence."""
    texts = [one for one in chat() if one.half == half]
    assert false_alarms(texts, ours(texts, rounds=1)[0])["alarms"] <= (half == "probe")


def test_a_bare_name_and_words_that_hurt_are_seen_as_often_as_they_are_right() -> None:
    texts = [one for one in chat() if one.half == "probe"]
    for of, row in score(texts, ours(texts, rounds=1)[0], ("name", "blame", "conciliation")).items():
        assert (row["recall"] or 0) >= 0.9, of
        assert (row["precision"] or 0) >= 0.9, of


def test_her_own_address_is_told_from_a_hospital() -> None:
    text = "Domicilio: Calle Inventada 3.\nHospital Inventado. Calle Otra 4."
    spans = tuple(Span(of="address", start=text.index(one), end=text.index(one) + len(one)) for one in ("Calle Inventada 3", "Calle Otra 4"))
    assert homes([Text(half="x", text=text, spans=spans)], [spans[:1]]) == {"there": 1, "recall": 1.0}
    assert homes([Text(half="x", text=text, spans=spans)], [spans[1:]]) == {"there": 1, "recall": 0.0}


def test_scores_are_of_spans_not_of_texts() -> None:
    texts = [Text(half="x", text="900111222 y 900111333", spans=(Span(of="phone", start=0, end=9), Span(of="phone", start=12, end=21)))]
    half = score(texts, [(Span(of="phone", start=0, end=9), Span(of="phone", start=9, end=12))], ("phone", "dni"))
    assert half == {"phone": {"there": 2, "claimed": 2, "recall": 0.5, "precision": 0.5}}
    assert score(texts, [(Span(of="phone", start=0, end=4),)], ("phone",))["phone"]["recall"] == 0.0, "less than half of it is not it"


def test_what_is_not_here_is_skipped_with_a_plain_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.guard.PRESIDIO", PRESIDIO.parent / "nowhere")
    assert presidio(chat()[:1]) is None
    assert "Presidio skipped" in capsys.readouterr().out
    assert meddocan(RESULTS / "nowhere.jsonl") == []
    assert run.__defaults__ == (presidio,)
