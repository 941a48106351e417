"""P05, P11: what a peer hides in a disclosure is not kept, and nobody learns from an answer or its time who was referred."""

from __future__ import annotations

import random
import secrets
import statistics
import time
import unicodedata
from functools import partial
from typing import Any

from hub.actions.show_value import held_values
from hub.cases.codes import REFERRAL, new_code
from hub.cases.records import HeldValue
from hub.exchange import wire
from policies.generalise import MAX_VALUE
from tests.actions.road import PACK, raw
from tests.attacks.canaries import hits, marker
from tests.attacks.twins.bench import CEM, COL, Road, craft, link, send
from tests.attacks.twins.test_envelopes import disclose

ID = "dis_" + "1" * 24
TAGS = "".join(chr(0xE0000 + ord(c)) for c in "oculto")
HIDDEN = {
    "unicode tags": TAGS, "zero width": "\u200b\u200c\u200d\u2060\ufeff", "bidi": "\u202e\u2066\u2069", "controls": "\x01\x1b[31m\x07\x85",
    "private use": "\ue000\U000f0000",
}  # fmt: skip


def accepted() -> Road:
    road = Road()
    road.offer()
    road.accept()
    return road


def kept(road: Road) -> dict[str, HeldValue]:
    return road.csmc.run(lambda unit: {row.field: row for row in unit.held.all(disclosure=ID)})


def values(road: Road) -> dict[str, str]:
    ref = road.referral_id()
    mine = kept(road)
    return {name: value for name, (_, value) in road.csmc.run(lambda unit: held_values(unit, ref)).items() if name in mine}


def dropped(road: Road) -> list[str]:
    (report,) = road.csmc.run(lambda unit: [row.ref["dropped"] for row in unit.outbox.all(kind="report")])
    return list(report)


def release(value: Any) -> dict[str, Any]:
    return {"outcome": "release", "value": value}


KEYS = [
    "рhone", "ph\u200bone", "phone\u200b", "phone" + TAGS, "PHONE", "ｐｈｏｎｅ", " phone", "pho\u0301ne", "../phone", "phone.x", "notes", "",
]  # fmt: skip


def test_p05_a_key_that_only_looks_like_one_is_dropped_and_named() -> None:
    """Homoglyphs, invisible letters, other cases and widths: the allow-list compares characters, not looks."""
    road, word = accepted(), marker()
    disclose(road, {"pronouns": release("ella"), **{key: release(word) for key in KEYS}})
    assert sorted(kept(road)) == ["pronouns"]
    assert len(dropped(road)) == len(KEYS)
    assert hits(raw(road.csmc.store._database).serialize(), {"hidden": word}) == []


def test_p05_nested_and_other_json_is_no_value() -> None:
    """Nor is a value with something beside it, or one that is too long."""
    road = accepted()
    odd = [release(value) for value in ({"a": "b"}, ["a"], [["a"]], 5, True, None, "", "9" * (MAX_VALUE + 1))]
    odd += [release("x") | more for more in ({"note": "x"}, {"value ": "x"}, {"Value": "x"})] + [{"outcome": "presence", "value": "x"}, "x", []]
    names = ["phone", "social_name", "safe_contact", "appointment_limits", "mental_health_summary", "medication", "self_harm_risk"]
    for part in (odd[: len(names)], odd[len(names) :]):
        road = accepted()
        given = dict(zip(names, part, strict=False))
        disclose(road, {"pronouns": release("e" * MAX_VALUE)} | given)
        assert sorted(kept(road)) == ["pronouns"]
        assert dropped(road) == sorted(given)


def test_p05_what_nobody_sees_is_not_kept() -> None:
    road = accepted()
    names = dict(zip(HIDDEN, ("phone", "social_name", "safe_contact", "appointment_limits", "medication"), strict=True))
    disclose(road, {name: release(f"999{HIDDEN[how]} 000") for how, name in names.items()})
    said = values(road)
    assert set(said) == set(names.values())
    for text in said.values():
        assert not [c for c in text if unicodedata.category(c)[0] == "C"], text.encode("unicode_escape")
        assert text.startswith("999")
        assert text.endswith(" 000")


def test_p05_one_spelling_is_kept() -> None:
    road = accepted()
    disclose(road, {"social_name": release(unicodedata.normalize("NFD", "Íñigo Inventado"))})
    assert values(road)["social_name"] == unicodedata.normalize("NFC", "Íñigo Inventado")


CODED = [PACK.vocabulary.fields[name] for name in ("urgency", "risk_level", "languages", "accessibility", "needs")]


def test_p05_free_text_stands_only_where_the_policy_has_it() -> None:
    """A field whose values come from a list carries codes of that list and nothing else."""
    good = {}
    for field in CODED:
        codes = sorted(PACK.vocabulary.lists[field.codes])
        good[field.id] = ",".join(codes[:2]) if field.type == "list" else codes[0]
    for bad in ("su dirección es Jirón Inventado 123", "{}, y su dirección", "{}" + TAGS, "{}\u200b", "{}X"):
        road, word = accepted(), marker()
        disclose(road, {name: release(bad.format(code) + word) for name, code in good.items()} | {"pronouns": release("ella")})
        assert sorted(kept(road)) == ["pronouns"], bad
        assert dropped(road) == sorted(good)
        assert hits(raw(road.csmc.store._database).serialize(), {"hidden": word}) == []
    road = accepted()
    disclose(road, {name: release(code) for name, code in good.items()})
    assert values(road) == good, "the control"


def test_p05_fuzzed_keys_and_values_leave_only_what_was_agreed() -> None:
    """Three hundred disclosures of anything under anything; what is kept is of the allow-list, capped, visible."""
    rand, road = random.Random(11), accepted()
    letters = ["a", "е", "\u200b", TAGS[0], "_", "phone", "pronouns", "social_name", "ñ", "\u202e", "{", '"', "\\", "0", " "]
    words = [["".join(rand.choices(letters, k=rand.randint(0, most))) for most in (4, 40)] for _ in range(300)]
    fields = {key: release(value) for key, value in words}
    disclose(road, fields)
    assert set(kept(road)) <= {"phone", "pronouns", "social_name"}
    for value in values(road).values():
        assert not [c for c in value if unicodedata.category(c)[0] == "C"]


# ---- P11 -------------------------------------------------------------------------------------------------------------------


def asks(road: Road, code: str) -> tuple[str, float]:
    """Carla at the community organisation asks for a code in every way there is; all that she is told, and how long that took."""
    began, told = time.perf_counter(), ""
    for words in (f"!tk ver {code}", f"!tk quién sabe {code}", f"!tk decir {code} hola", f"!tk aceptar {code}"):
        told += road.col.type("carla", words)
    return told.replace(code, "CODE"), time.perf_counter() - began


def test_p11_a_code_of_somebody_elses_is_answered_as_one_that_never_was() -> None:
    """Equal words, and no time apart: the median of many asked by turns, against the spread of the same code asked twice."""
    road = Road()
    road.disclosed()
    unknown = next(code for code in iter(partial(new_code, REFERRAL, secrets.randbelow), "") if code != road.referral)
    words = {asks(road, code)[0] for code in (road.referral, unknown)}
    assert len(words) == 1, words
    times: dict[str, list[float]] = {road.referral: [], unknown: [], "again": []}
    for _ in range(60):
        for name in times:
            times[name].append(asks(road, unknown if name == "again" else name)[1])
    there, nowhere, again = (statistics.median(one) for one in times.values())
    noise = abs(nowhere - again) + statistics.pstdev(sorted(times["again"])[:40]) + 0.05 * nowhere
    assert abs(there - nowhere) <= 3 * noise, (there, nowhere, again)


def test_p11_a_peer_that_asks_about_a_person_not_referred_to_it_hears_what_an_invented_one_gives() -> None:
    """Straight on the wire: every kind that names a referral, about another institution's referral and about one that never was."""
    road = Road()
    road.disclosed()
    real, invented = road.referral_id(), "ref_" + "9" * 24
    answers: dict[str, list[tuple[str, int, int]]] = {real: [], invented: []}
    for kind in ("withdraw", "cancel", "say", "progress", "ask"):
        for ref in (real, invented):
            body = wire.box(ref, b"x" * 60) if wire.KINDS[kind].sealed else f'{{"referral":"{ref}"}}'.encode()
            line, before = link(road.cem, COL), road.cem.run(lambda unit: unit.outbox.count())
            send(road.col, road.cem, craft(road.col, CEM, kind, body, sequence=line.next_in, previous=line.head_in))
            sent, refused = road.cem.run(lambda unit: (unit.outbox.count(), unit.log.count(what="record.refused")))
            answers[ref].append((kind, sent - before, refused))
    answers[invented] = [(kind, sent, refused - 1) for kind, sent, refused in answers[invented]]  # they were asked by turns
    assert answers[real] == answers[invented]
    assert link(road.cem, COL).frozen is None
