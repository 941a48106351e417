"""`política revisar|matriz|comparar|simular|explicar|probar` in the administration room: the answers of `tinkuy policy`, short.

What is long is cut to what fits a screen, and says where the whole is. Codes of cases and names of fields only, never a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hub.actions.explain_ruling import explain_ruling
from hub.actions.ports import Unit
from hub.actions.protocols import checked
from hub.actions.simulate_protocol import FEW, simulate_protocol
from hub.base.errors import Refused
from hub.base.i18n import mark, plural, text
from hub.cases.protocol_life import one_name
from hub.chat import wording as w
from hub.chat.fold import fold
from hub.chat.here import Here, answer
from hub.chat.names import Names, find
from hub.chat.plain import Block, Line, code, listing, message, paragraph, strong
from policies import beyond, engine, examples, packs, validator
from policies import diff as differences
from policies import matrix as matrices
from policies.diff import KINDS
from policies.explain import describe
from policies.matrix import Matrix
from policies.protocol import Protocol
from policies.readable import Reader
from policies.sheets import closed_words, place_words
from policies.summary import HEADINGS, key_line

HELP = mark("protocolos: revisar, matriz, comparar, simular, explicar, probar; por ejemplo «política matriz refugio teléfono»")
EXAMPLE = "política matriz refugio teléfono"
_MOST = 18
"""So many lines at most: more does not fit a screen."""


def do(unit: Unit, here: Here, said: str) -> None:
    """One of the verbs. Raises Refused `unknown_policy_verb`, and what each refuses."""
    verb, _, rest = said.strip().partition(" ")
    known = next((name for name, words in _WORDS.items() if fold(verb) in words), None)
    if known is None:
        raise Refused("unknown_policy_verb", verbs=", ".join(_WORDS))
    answer(unit, here, message(*_VERBS[known](unit, here, rest.strip())))


# -- which protocol


def _names(unit: Unit) -> Names:
    """Protocols by id, title and the one need that they alone are about."""
    needs = unit.pack.vocabulary.needs
    return {
        one.id: (one.title.es, one.title.en, *(name for need in one.needs if len(one.needs) == 1 for name in w.names_of(needs[need])))
        for one in unit.pack.protocols.values()
    }


def _protocol(unit: Unit, named: str) -> Protocol:
    """`refugio`, `shelter`, `shelter@2`, `shelter 2`. Raises Refused `unknown_protocol`, `unknown_version`."""
    name, _, number = one_name(named).partition("@")
    found = find(name, _names(unit), forgive=True)
    if (found.id is None and not number) or " " in number:
        raise Refused("unknown_protocol", given=named[:40], known=_known(unit))
    if not number:
        return unit.pack.protocols[found.id or ""]
    version = _version(unit, found.id or name, number)
    if version is None:
        versions = _versions(unit, found.id or name)
        raise Refused("unknown_version", given=name[:40], version=number[:6], known=", ".join(versions)) if versions else Refused(
            "unknown_protocol", given=name[:40], known=_known(unit)
        )  # fmt: skip
    return version


def _known(unit: Unit) -> str:
    """Every protocol by the name that people use, and the one that stands in its file."""
    return ", ".join(f"{one.title.get(unit.me.language)} ({one.id})" for one in unit.pack.protocols.values())


def _versions(unit: Unit, name: str) -> list[str]:
    """Every version of a protocol that `_version` finds, as it is typed."""
    active, shipped = unit.pack.protocols.get(name), unit.shipped.protocols.get(name)
    numbers = {row.version for row in unit.proposals.all(protocol=name)} | {one.version for one in (active, shipped) if one}
    return [f"{name}@{number}" for number in sorted(numbers) if _version(unit, name, str(number))]


def _version(unit: Unit, name: str, number: str) -> Protocol | None:
    """A version that this hub knows: the one in force, or one from the protocols' own history."""
    active = unit.pack.protocols.get(name)
    if active is not None and number == str(active.version):
        return active
    history = getattr(unit.pack, "version", None)
    found = history(name, int(number)) if history is not None and number.isdecimal() and len(number) < 7 else None
    return found if isinstance(found, Protocol) else _proposed(unit, name, int(number)) if number.isdecimal() and len(number) < 7 else None


def _proposed(unit: Unit, name: str, number: int) -> Protocol | None:
    """A version that is still before its parties: whoever signs compares it first. Of two that claim the number neither."""
    rows = unit.proposals.all(protocol=name, version=number)
    paper = unit.papers.get(rows[0].id) if len(rows) == 1 else None
    return checked(unit, paper.document)[0] if paper else None


def _reader(unit: Unit, here: Here) -> Reader:
    return Reader(unit.pack.vocabulary, here.lang)


def _some(unit: Unit, rest: str) -> list[Protocol]:
    return [_protocol(unit, rest)] if rest else list(unit.pack.protocols.values())


def _cut(here: Here, lines: Sequence[Line], whole: str) -> list[Line]:
    """As many lines as fit, and where the rest stands."""
    if len(lines) <= _MOST:
        return list(lines)
    return [*lines[:_MOST], text(here.lang, "… y {n} más: «{command}» en el servidor.", n=len(lines) - _MOST, command=whole)]


# -- the verbs


def _check(unit: Unit, here: Here, rest: str) -> list[Block]:
    lines: list[Line] = []
    for one in _some(unit, rest):
        found = validator.check(packs.protocol_text(unit.pack.id, one.id), unit.pack.vocabulary, unit.now.date())
        errors, silent = sum(item.is_error for item in found), sum(item.code == "field_unmentioned" for item in found)
        counted = (
            plural(here.lang, "{n} error", "{n} errores", errors), plural(here.lang, "{n} aviso", "{n} avisos", len(found) - errors - silent),
            plural(here.lang, "{n} dato sin regla, que no se comparte", "{n} datos sin regla, que no se comparten", silent),
        )  # fmt: skip
        lines.append(f"{_id(one)}: {'; '.join(counted)}.")
        lines += [f"{item.line}:{item.column} {_reader(unit, here).finding(item)}" for item in found if item.code != "field_unmentioned"]
    return [listing(_cut(here, lines, "tinkuy policy check"))]


def _matrix(unit: Unit, here: Here, rest: str) -> list[Block]:
    if not rest:
        raise Refused("policy_names_missing", example=EXAMPLE)
    protocol, part = _first(unit, rest)
    shown, reader = _part(unit, here, protocol, part), _reader(unit, here)
    lines: list[Line] = []
    for places in shown.columns():
        told: dict[str, list[str]] = {}
        for field in shown.fields:
            told.setdefault(reader.cell(shown.cells[field, places[0]]), []).append(reader.field(field))
        told = {cell: fields for cell, fields in told.items() if part or cell != "no"}
        lines.append([strong(place_words(places, reader))])
        lines += [[f"{', '.join(fields)}: ", strong(cell)] for cell, fields in told.items()]
    also = beyond.opens(protocol, reader, shown.fields)
    cut = text(here.lang, "Nada sale si quien agrede es de la misma entidad. {who}", who="; ".join(closed_words(shown, reader)))
    title = f"{protocol.title.get(reader.language)} ({_id(protocol)})"
    return [paragraph(strong(title)), listing(_cut(here, lines, f"tinkuy policy matrix {protocol.id}")), paragraph(*also, cut)]


def _first(unit: Unit, rest: str) -> tuple[Protocol, str]:
    """The protocol that the first words name, as many of them as do, and the words after it. Raises Refused `unknown_protocol`, `unknown_version`."""
    words = rest.split()
    for size in range(len(words), 0, -1):
        try:
            return _protocol(unit, " ".join(words[:size])), " ".join(words[size:])
        except Refused as refused:
            if refused.code == "unknown_version":  # the protocol is known: no word after it is to blame
                raise
    raise Refused("unknown_protocol", given=rest[:40], known=_known(unit))


def _part(unit: Unit, here: Here, protocol: Protocol, part: str) -> Matrix:
    """Cut to one field, recipient kind or purpose. Raises Refused `unknown_part`."""
    if not part:
        return matrices.matrix(protocol)
    lists = unit.pack.vocabulary.lists
    field = find(part, w.field_names(unit, here.lang), forgive=True).id
    kind = find(part, {code: w.names_of(lists["kinds"][code]) for code in protocol.to_kinds}, forgive=True).id
    purpose = find(part, {code: w.names_of(lists["purposes"][code]) for code in protocol.purposes}, forgive=True).id
    if field is None and kind is None and purpose is None:
        raise Refused("unknown_part", given=part[:40], known=protocol.id)
    return matrices.matrix(protocol, [field] if field else [], [kind] if kind else [], [purpose] if purpose else [])


def _diff(unit: Unit, here: Here, rest: str) -> list[Block]:
    named = one_name(rest.replace(" con ", " ")).split()
    if len(named) != 2:
        raise Refused("policy_names_missing", example="política comparar shelter@1 shelter@2")
    was, now = (_protocol(unit, one) for one in named)
    return _told(unit, here, was, now)


def _told(unit: Unit, here: Here, was: Protocol, now: Protocol) -> list[Block]:
    found, reader = differences.diff(was, now), _reader(unit, here)
    title = paragraph(strong(f"{_id(was)} → {_id(now)}"))
    if found.empty:
        return [title, paragraph(text(here.lang, "Dicen lo mismo."))]
    lines: list[Line] = [] if found.visible else [beyond.unseen(found, reader)]
    lines += beyond.changed(found, reader)
    for kind in KINDS:
        some = [change for change in found.visible if change.kind == kind]
        if some:
            lines.append([strong(reader.pick(HEADINGS[kind]))])
            lines += [[strong(fields), f" · {place_words(cells, reader)}: {line}"] for fields, cells, line in reader.changes(some)]
    lines += [key_line(change, reader) for change in beyond.raw(found, reader)]
    return [title, listing(_cut(here, lines, "tinkuy policy diff"))]


def _simulate(unit: Unit, here: Here, rest: str) -> list[Block]:
    if not rest:
        raise Refused("policy_names_missing", example="política simular shelter@2")
    proposed, reader = _protocol(unit, rest), _reader(unit, here)
    found = simulate_protocol(unit, here.person.id, proposed)
    counts = {"looked": _about(here, found.looked_at), "changed": str(found.count) if found.named else _about(here, found.count)}
    head = text(here.lang, "{protocol}: casos abiertos que se miraron: {looked}; cambiarían: {changed}.", protocol=_id(proposed), **counts)
    lines: list[Line] = [
        [code(one.code), f" · {w.institution(unit, one.recipient)} · {reader.word('needs', one.need)}: "
         + "; ".join(f"{reader.field(s.field)} ({reader.level(s.was)} → {reader.level(s.now)})" for s in one.shifts)]
        for one in found.changed
    ]  # fmt: skip
    return [paragraph(head), *([listing(_cut(here, lines, "tinkuy policy simulate"))] if lines else [])]


def _about(here: Here, number: int) -> str:
    return text(here.lang, "{number} o más", number=number) if number else text(here.lang, "menos de {few}", few=FEW)


def _explain(unit: Unit, here: Here, rest: str) -> list[Block]:
    case, _, named = rest.partition(" ")
    if not named.strip():
        raise Refused("policy_names_missing", example="política explicar C-7QK4M csmc-comas")
    found = find(named, here.context.institutions, forgive=True)
    if found.id is None:
        raise Refused("unknown_institution", institution=named[:60])
    reader, blocks = _reader(unit, here), list[Block]()
    for ruling in explain_ruling(unit, here.person.id, case, found.id):
        head = f"{ruling.case.code} · {w.institution(unit, ruling.recipient)} · {reader.word('purposes', ruling.purpose)}"
        decided = [ruling.decision.field(name) for name in ruling.values]
        lines: list[Line] = [f"{reader.field(item.field)}: {describe(item, here.lang, unit.pack.vocabulary)}" for item in decided]
        blocks += [paragraph(strong(head)), listing(_cut(here, lines, f"tinkuy policy explain {ruling.case.code} {ruling.recipient}"))]
    return blocks


def _test(unit: Unit, here: Here, rest: str) -> list[Block]:
    lines: list[Line] = []
    for one in _some(unit, rest):
        compiled, failed, ran = engine.compile(one), list[Line](), 0
        for expectation in examples.EXPECTATIONS:
            for name, example in packs.example_texts(unit.pack.id, one.id, expectation).items():
                ran += 1
                missed = examples.misses(examples.parse(example, compiled, source=name), compiled, expectation, unit.pack.compiled)
                failed += [f"{expectation}/{name}: {miss.field}: «{miss.expected}» ≠ «{miss.found}»" for miss in missed]
        lines.append(plural(here.lang, "{protocol}: {ran} ejemplos, {n} falla.", "{protocol}: {ran} ejemplos, {n} fallan.", len(failed),
                            protocol=_id(one), ran=ran))  # fmt: skip
        lines += failed
    return [listing(_cut(here, lines, "tinkuy policy test"))]


def _id(protocol: Protocol) -> str:
    return f"{protocol.id}@{protocol.version}"


_WORDS: dict[str, Iterable[str]] = {
    "revisar": ("revisar", "revise", "check"),
    "matriz": ("matriz", "matrix", "tabla"),
    "comparar": ("comparar", "compare", "diff"),
    "simular": ("simular", "simule", "simulate"),
    "explicar": ("explicar", "explique", "explain"),
    "probar": ("probar", "pruebe", "test"),
}
THEN = frozenset(word for words in _WORDS.values() for word in words)
_VERBS: dict[str, Callable[[Unit, Here, str], list[Block]]] = {
    "revisar": _check, "matriz": _matrix, "comparar": _diff, "simular": _simulate, "explicar": _explain, "probar": _test,
}  # fmt: skip
