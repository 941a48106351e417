"""Simulation, sheets and words: what the tools hand over beside the matrix and the diff."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import as_data, diff, document, engine, matrix, meaning, packs, sheets, validator
from policies.conditions import Atom
from policies.cover import Among, Asked
from policies.decision import Facts
from policies.leaves import changes, plain
from policies.readable import Reader
from policies.simulate import Situation, invented, simulate
from tests.policies.test_policy_diff import edited, versions
from tests.policies.worlds import FIELDS, PACK, protocols

SHELTER = PACK.protocols["shelter"]
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large])


@few
@given(versions())
def test_invented_cases_change_if_and_only_if_what_can_be_seen_changes(pair: tuple[object, object]) -> None:
    """Purposes follow from needs here, so only what a need really reaches is looked at: nothing is invented that the diff does not know."""
    was, now = pair
    shown = {(change.field, kind) for change in diff.diff(was, now).visible for _, kind in change.cells}
    found = list(simulate(engine.compile(was), engine.compile(now), invented(was, now)))
    assert {(shift.field, one.situation.kind) for one in found for shift in one.shifts} <= shown | moved(was, now)
    for one in found:
        assert all(shift.was != shift.now for shift in one.shifts)


def moved(was: object, now: object) -> set[tuple[str, str]]:
    """Where a need serves another purpose in the second version, anything may change."""
    other = any(was.purpose_of(need) != now.purpose_of(need) for need in was.needs | now.needs)
    return {(field, kind) for field in FIELDS for kind in was.to_kinds | now.to_kinds} if other else set()


def test_every_state_that_two_versions_tell_apart_is_an_invented_case() -> None:
    now = edited(("  pregnancy: release", "  pregnancy: {share: release, when: {risk: [critical], age_band: ['12-17']}}"))
    cases = invented(SHELTER, now)
    assert len({case.facts for case in cases}) == len(cases) / 2
    risks, bands = {case.facts.risk for case in cases}, {case.facts.age_band for case in cases}
    assert len(risks) == 3  # not known or low, high, critical
    assert "12-17" in bands
    found = [one for one in simulate(engine.compile(SHELTER), engine.compile(now), cases) if one.shifts]
    assert found
    for one in found:
        assert [shift.field for shift in one.shifts] == ["pregnancy"]
        assert one.shifts[0].kind == "disappears"
        assert (one.situation.facts.risk, one.situation.facts.age_band) != ("critical", "12-17")
        assert one.situation.code.endswith("agreed")


def test_too_many_states_leave_no_change_without_a_case() -> None:
    now = edited(("  pregnancy: release", "  pregnancy: {share: release, when: {risk: [critical], age_band: ['12-17'], urgency: [urgent]}}"))
    cases = invented(SHELTER, now, most=3)
    found = [one for one in simulate(engine.compile(SHELTER), engine.compile(now), cases) if one.shifts]
    assert found
    assert len(cases) < 40


def test_a_handed_case_tells_only_of_fields_it_holds_and_of_a_protocol_that_is_not_there() -> None:
    facts = Facts(need="shelter", risk="high", aggressor_affiliation=frozenset({"partner"}))
    consents = {"shelter_protection": ("active", frozenset(SHELTER.universe))}
    case = Situation(code="C-1", recipient="hogar", kind="shelter", facts=facts, consents=consents, held=frozenset({"phone", "notes"}))
    (one,) = simulate(None, engine.compile(SHELTER), [case])
    assert [(shift.field, shift.kind, shift.now.text) for shift in one.shifts] == [("phone", "appears", "release")]
    (gone,) = simulate(engine.compile(SHELTER), None, [case])
    assert [(shift.field, shift.kind) for shift in gone.shifts] == [("phone", "disappears")]
    own = Facts(need="shelter", aggressor_affiliation=frozenset({"institution:hogar"}))
    cut = Situation(code="C-2", recipient="hogar", kind="shelter", facts=own, consents=consents)
    (none,) = simulate(None, engine.compile(SHELTER), [cut])
    assert not none.shifts


class _Reads(HTMLParser):
    """What a screen reader gets: headings with a scope, cells, and anything that would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.scopes: list[str | None] = []
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.scopes += [given.get("scope")] if tag == "th" else []
        self.loads += [name for name in ("src", "href") if name in given]


WHOLE = matrix.matrix(PACK.protocols["emergency-centre"])


def test_the_page_stands_alone_and_each_heading_says_what_it_heads() -> None:
    page = sheets.html(WHOLE, Reader(PACK.vocabulary)).decode()
    reads = _Reads()
    reads.feed(page)
    assert not reads.loads
    assert not {"script", "link", "img", "iframe"} & set(reads.tags)
    assert "default-src 'none'" in page
    assert reads.scopes.count("col") == len(WHOLE.columns()) + 1
    assert reads.scopes.count("row") == len(WHOLE.rows())
    assert None not in reads.scopes
    assert "<caption>" in page
    assert '<html lang="es">' in page


def test_the_drawing_is_one_svg_with_a_title_and_every_word_of_the_matrix() -> None:
    reader = Reader(PACK.vocabulary, "en")
    root = ET.fromstring(sheets.svg(WHOLE, reader))
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert set(names) <= {"svg", "title", "rect", "text"}
    words = " ".join(element.text or "" for element in root.iter() if element.tag.endswith("text"))
    assert "only the age band" in words
    assert "emergency-centre@1" in (root[0].text or "")
    found, width, height = sheets.boxes(sheets.sheet(WHOLE, reader))
    assert all(box.x + box.width <= width and box.y + box.height <= height for box in found)


def test_the_spreadsheet_has_one_row_a_cell() -> None:
    rows = list(csv.DictReader(io.StringIO(sheets.csv(WHOLE, Reader(PACK.vocabulary)).decode("utf-8-sig"))))
    assert len(rows) == len(WHOLE.fields) * len(WHOLE.places)
    (row,) = [row for row in rows if row["field"] == "custody_matters" and row["purpose"] == "legal_aid"]
    assert (row["level"], row["qué sale"], row["cut_when_the_aggressor_is"]) == ("release", "sí", "emergency_centre women_ministry")
    assert (row["dato"], row["para"]) == ("tenencia y alimentos", "defensa legal")
    english = next(csv.DictReader(io.StringIO(sheets.csv(WHOLE, Reader(PACK.vocabulary, "en")).decode("utf-8-sig"))))
    assert english["field"] in PACK.vocabulary.fields
    assert english["field_words"] == Reader(PACK.vocabulary, "en").field(english["field"])


def test_a_label_that_looks_like_markup_stays_words() -> None:
    words = PACK.vocabulary
    evil = dataclasses.replace(words.fields["phone"], label=dataclasses.replace(words.fields["phone"].label, es="<script>x</script>&"))
    reader = Reader(dataclasses.replace(words, fields={**words.fields, "phone": evil}))
    for made in (sheets.html(WHOLE, reader), sheets.svg(WHOLE, reader)):
        assert b"<script" not in made


RISK = frozenset({None, "low", "medium", "high", "critical"})


@pytest.mark.parametrize(
    ("literal", "es", "en"),
    [
        (Among(dimension="risk", values=frozenset({"high", "critical"}), out_of=RISK), "riesgo alto o crítico", "risk high or critical"),
        (Among(dimension="risk", values=frozenset({None}), out_of=RISK), "no se sabe: riesgo", "not known: risk"),
        (Among(dimension="risk", values=RISK - {None}, out_of=RISK), "se sabe: riesgo", "known: risk"),
        (Among(dimension="risk", values=RISK - {"low"}, out_of=RISK), "riesgo que no sea bajo (o no se sabe)", "risk other than low (or not known)"),
        (Asked(atom=Atom(dimension="aggressor_affiliation", values=frozenset({"partner"}), forbids=True), answer=False),
         "se sabe que quien agrede no es: pareja o expareja", "the aggressor is known not to be: partner or former partner"),
    ],
)  # fmt: skip
def test_a_condition_in_words(literal: Among | Asked, es: str, en: str) -> None:
    assert Reader(PACK.vocabulary).condition(((literal,),)) == es
    assert Reader(PACK.vocabulary, "en").condition(((literal,),)) == en


def test_spans_and_dates_are_written_as_documents_write_them() -> None:
    told = plain(SHELTER)
    assert told["respond_within"] == {"routine": "P1D", "priority": "PT4H", "urgent": "PT30M"}
    assert told["purposes"] == {"shelter_protection": {"id": "shelter_protection", "retention": "P2Y"}}
    assert told["effective"] == "2026-01-01"
    assert not changes(told, plain(document.parse(packs.protocol_text("pe", "shelter"), PACK.vocabulary)))


def test_the_json_of_a_diff_can_be_asked_again() -> None:
    """Its witness is a whole request: whoever reads the JSON can put it to both versions."""
    now = edited(("  pregnancy: release", "  pregnancy: presence"))
    told = as_data.of_difference(diff.diff(SHELTER, now), Reader(PACK.vocabulary))
    (change,) = told["visible"]
    assert change["witness"]["facts"] == {"need": "shelter"}
    assert (change["kind"], change["was"], change["now"], change["consent"]) == ("narrower", "release", "presence", "yes")
    assert change["cells"] == [{"purpose": "shelter_protection", "recipient": "shelter"}]
    assert re.search("antes sí; ahora solo que existe", change["text"])


@few
@given(protocols(), st.data())
def test_a_rule_that_the_validator_calls_silent_can_go_and_nothing_changes(protocol: object, data: st.DataObject) -> None:
    shows = validator._Shown(protocol)
    silent = [rule for rule in protocol.rules if rule.id not in shows.deciding]
    for rule in silent:
        rest = dataclasses.replace(protocol, rules=tuple(other for other in protocol.rules if other is not rule))
        assert not diff.diff(protocol, rest).visible, rule.id
    for change in diff.diff(dataclasses.replace(protocol, rules=()), protocol).visible:
        rule_id = meaning.decide(protocol, change.witness).field(change.field).reason.rule_id
        assert rule_id in shows.deciding
