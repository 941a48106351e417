"""Conflict of interest over generated worlds (R61–R63): whatever a pack, its routes, its protocols and the facts say, nobody reaches an excluded one.

Each world is written as YAML and read by the real readers, so it is a pack that could be shipped: random kinds, bodies, overseers, needs,
routing rules that favour whom they like, and a protocol that lets everything out to everybody, under every legal basis there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import conflict, document, engine, meaning, preview, routes, vocabulary
from policies.decision import CONSENT_STATES, Facts, Request
from policies.errors import DocumentError
from policies.packs import Pack
from policies.routing import RouteFacts

KINDS = ("alfa", "beta", "gama", "delta", "mesa")
BODIES = ("cuerpo_uno", "cuerpo_dos", "cuerpo_tres")
PRIVATE = ("particular", "unknown")
NEEDS = ("ayuda", "denuncia")
BASES = ("base_uno", "base_dos")
ONE = ("risks", "urgencies")
TODAY = date(2026, 6, 1)
VALUES = {"uno": "valor inventado", "dos": "otro valor"}


@dataclass(frozen=True, kw_only=True)
class World:
    """A pack somebody could write, and one question about it."""

    pack: Pack
    facts: Facts
    recipient: str
    consent: str
    level: str | None


def _row(code: str, **more: object) -> str:
    extra = "".join(f", {key}: {value}" for key, value in more.items() if value not in ([], None))
    return f"  - {{id: {code}, es: {code}, en: {code}{extra}}}".replace("'", "")


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str, str]:
    """The vocabulary, the routes and the protocol of a world."""
    some = st.lists(st.sampled_from(KINDS), unique=True, max_size=4)
    owned = {body: draw(st.lists(st.sampled_from(KINDS[:-1]), unique=True, min_size=1, max_size=3)) for body in BODIES}
    owned[BODIES[0]] = sorted({*owned[BODIES[0]], *(set(KINDS[:-1]) - {kind for kinds in owned.values() for kind in kinds})})
    lines = ["vocabulary: mundo", "fields:"]
    more = "sensitivity: high, type: text, why_es: a, why_en: a"
    lines += [f"  - {{id: {name}, class: identity, es: {name}, en: {name}, {more}}}" for name in VALUES]
    lists = {name: [_row("algo")] for name in vocabulary.LISTS}
    lists["kinds"] = [_row(k, overseen_by=draw(some), levels="[local]", meeting="true" if k == "mesa" else None) for k in KINDS]
    lists["affiliations"] = [_row(b, owns=kinds) for b, kinds in owned.items()] + [_row(p, private="true") for p in PRIVATE]
    lists["needs"] = [_row(need, purpose="algo", served_by=draw(some)) for need in NEEDS]
    lists["levels"], lists["laws"] = [_row("local")], [_row("ley")]
    lists["legal_bases"] = [_row(base) for base in BASES]
    lists |= {name: [_row("alto"), _row("bajo")] for name in ONE}
    for name, rows in lists.items():
        lines += [f"{name}:", *rows]
    rules = [
        f"  - {{id: r{n}, when: {draw(st.sampled_from(['{}', '{need: [ayuda]}', '{affiliation: [cuerpo_uno]}', '{risk: [alto]}']))}, "
        f"first: {draw(some)}, also: {draw(some)}, only: {draw(some)}, never: {draw(some)}, rights: [d], es: a, en: a}}".replace("'", "")
        for n in range(draw(st.integers(0, 4)))
    ]
    ways = ["routes: mundo", "rights: [{id: d, es: a, en: a, cite: [ley]}]", "emergency:"]
    ways += [f'  - {{id: "{n}", kind: {kind}, es: a, en: a}}' for n, kind in enumerate(KINDS)]
    ways += ["rules:", *rules] if rules else ["rules: []"]
    asked = draw(st.lists(st.sampled_from([*BODIES, PRIVATE[0]]), unique=True, min_size=1))
    listed = f"[{', '.join(KINDS)}]"
    paper = f"""protocol: todo
version: 1
title: {{es: a, en: a}}
purposes: {{algo: {{retention: P1Y}}}}
needs: [{', '.join(NEEDS)}]
from_kinds: {listed}
to_kinds: {listed}
parties: {listed}
community_seat: alfa
effective: 2026-01-01
expires: 2029-01-01
respond_within: {{alto: PT1H, bajo: PT1H}}
offer: {{need: release}}
legal_basis: [{', '.join(BASES)}]
rules:
  uno: {{share: release, legal_basis: [{', '.join(BASES)}]}}
  dos: {{share: release, when: {{aggressor_affiliation: [{', '.join(asked)}]}}}}
"""
    return "\n".join(lines), "\n".join(ways), paper


@st.composite
def worlds(draw: st.DrawFn) -> World:
    words_text, ways_text, paper = draw(texts())
    words = vocabulary.parse(words_text)
    protocol = document.parse(paper, words)
    compiled = MappingProxyType({protocol.id: engine.compile(protocol)})
    ways = routes.parse(ways_text, words)
    pack = Pack(id="mundo", vocabulary=words, protocols=MappingProxyType({protocol.id: protocol}), compiled=compiled, routes=ways)
    facts = Facts(
        need=draw(st.sampled_from(NEEDS)),
        risk=draw(st.sampled_from(["alto", "bajo"])),
        aggressor_affiliation=draw(st.frozensets(st.sampled_from([*BODIES, *PRIVATE, "institution:casa-uno", "¿?"]), max_size=3)),
        legal_basis=draw(st.frozensets(st.sampled_from(BASES))),
    )
    recipient, consent = draw(st.sampled_from(["casa-uno", "casa-dos"])), draw(st.sampled_from(["active", "active", *CONSENT_STATES]))
    return World(pack=pack, facts=facts, recipient=recipient, consent=consent, level=draw(st.sampled_from([None, "local"])))


@given(world=worlds())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_r61_r62_nothing_in_any_world_reaches_an_excluded_kind_or_institution(world: World) -> None:
    pack, facts = world.pack, world.facts
    words = pack.vocabulary
    named = facts.aggressor_affiliation
    for kind in KINDS:
        # Said again in the test's own words: owned by a body that is named, or doubt, or this very institution.
        bodies = [term for code, term in words.lists["affiliations"].items() if code in named]
        owned = any(kind in term.owns or (words.kinds[kind].meeting and term.owns) for term in bodies)
        out = owned or "¿?" in named or (world.recipient == "casa-uno" and "institution:casa-uno" in named)
        request = Request(
            purpose="algo", recipient_kind=kind, recipient_id=world.recipient, facts=facts, consented=frozenset(VALUES), consent_state=world.consent
        )  # fmt: skip
        protocol, compiled = pack.protocols["todo"], pack.compiled["todo"]
        for decision in (compiled.decide(request), compiled.decide_afresh(request), meaning.decide(protocol, request)):
            travelling = preview.view(decision, VALUES, TODAY)
            if out:
                assert not travelling
                assert not decision.discloses
            elif world.consent == "active" and "unknown" not in named and named and "¿?" not in named:
                assert "uno" in travelling, "the world really lets things out, or the test would prove nothing"
    route = pack.route(RouteFacts(need=facts.need, affiliations=named, risk=facts.risk, level=world.level))
    barred = {kind for kind in KINDS if conflict.excluded(kind, "", named - {"institution:casa-uno"}, words.bodies)}
    assert not barred & set(route.kinds)
    assert not barred & {item.kind for item in route.emergency}
    assert not barred & set(pack.alternatives(facts.need, named))


@given(written=texts(), body=st.sampled_from(BODIES))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_world_with_a_hole_is_not_read(written: tuple[str, str, str], body: str) -> None:
    """An affiliation that loses what it owns, and is not declared private, is an error wherever it stands."""
    lines = written[0].splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(f"  - {{id: {body},"))
    lines[at] = _row(body)
    with pytest.raises(DocumentError) as caught:
        vocabulary.parse("\n".join(lines))
    assert any((item.code, item.line) == ("affiliation_owns_nothing", at + 1) for item in caught.value.findings)
