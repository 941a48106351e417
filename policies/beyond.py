"""What a protocol opens beside its rules for each field, in words: the emergency (R76), the offer (design §5) and passing on (R71).

The rules say what leaves with her consent or by law; these three open something else, and whoever compares, signs or reads a matrix must read
them as plainly. The one place where they become sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from policies.decision import Outcome
from policies.diff import Difference
from policies.leaves import KeyChange
from policies.protocol import OFFER_FIELDS, BreakGlass, OfferRule, Protocol
from policies.readable import Reader
from policies.verdicts import Level

_GLASS = frozenset({"fields", "roles", "risks", "needs", "lasts", "second_person", "review_within"})
_RULE = frozenset({"outcome", "generalisation"})
_TOLD = (
    frozenset({"break_glass", "offer", "onward", "onward_to"})
    | {f"break_glass.{name}" for name in _GLASS}
    | {f"offer.{field}" for field in OFFER_FIELDS}
    | {f"offer.{field}.{name}" for field in OFFER_FIELDS for name in _RULE}
)
"""Keys that `changed` says in words. One that is added to the document tomorrow is not among them, and is shown raw until it has some."""
_OFFERED = {
    "need": ("necesidad", "need"), "territory": ("distrito", "district"), "urgency": ("urgencia", "urgency"),
    "languages": ("idiomas", "languages"), "accessibility": ("accesibilidad", "accessibility"),
}  # fmt: skip
_HOME = OfferRule(outcome=Outcome.WITHHOLD)


# -- one protocol


def opens(protocol: Protocol, reader: Reader, fields: Iterable[str] | None = None) -> Iterator[str]:
    """A line for each of the three that applies; of the emergency only these fields, where some are named."""
    shown = _glass(protocol) if fields is None else _glass(protocol) & set(fields)
    if protocol.break_glass and shown:
        said = reader.pick(("En una emergencia ({how}) puede abrirse: {fields}.", "In an emergency ({how}) may be opened: {fields}."))
        yield said.format(how=_how(protocol.break_glass, reader), fields=_fields(shown, protocol, reader))
    if told := [_offered(name, rule, reader) for name, rule in _offer(protocol).items() if rule.outcome is not Outcome.WITHHOLD]:
        yield reader.pick(("La oferta muestra antes de aceptar: ", "The offer shows before anybody accepts: ")) + ", ".join(told) + "."
    if protocol.onward:
        said = reader.pick(("Puede pasarse a otra institución, si la dueña lo concede cada vez: {kinds}.",
                            "May be passed on to another institution, if the owner grants it each time: {kinds}."))  # fmt: skip
        yield said.format(kinds=_kinds(protocol, reader))


def never(protocol: Protocol, field: str, reader: Reader) -> str:
    """A field that no rule lets out, as it is named among them."""
    but = reader.pick((" (salvo emergencia)", " (but in an emergency)")) if field in _glass(protocol) else ""
    return reader.field(field) + but


def consent_line(protocol: Protocol, reader: Reader, fields: Iterable[str]) -> str:
    """What her consent is needed for; where an emergency may open one of these fields, it says so."""
    if _glass(protocol) & set(fields):
        return reader.pick(("Salvo en una emergencia y donde dice «sin su permiso», solo con su permiso.",
                            "Only with her consent, but in an emergency and where it says otherwise."))  # fmt: skip
    return reader.pick(("Salvo donde dice «sin su permiso», solo con su permiso.", "Only with her consent, but where it says otherwise."))


# -- two of them


def unseen(found: Difference, reader: Reader) -> str:
    """What to say when no rule shows anybody more or less: never that nothing opens, when one of the three changed."""
    if changed(found, reader):
        return reader.pick(("Con su permiso o por ley nadie ve nada distinto, pero cambia lo que sigue:",
                            "With her consent or by law nobody sees anything different, but what follows changes:"))  # fmt: skip
    return reader.pick(("Nadie ve nada distinto.", "Nobody sees anything different."))


def raw(found: Difference, reader: Reader) -> tuple[KeyChange, ...]:
    """The keys of the document that differ and have no words; all of them where nothing was said, as of an offer that only spells out its no."""
    told = _TOLD if changed(found, reader) else frozenset[str]()
    return tuple(change for change in found.document if change.key not in told)


def changed(found: Difference, reader: Reader) -> list[str]:
    """What the second version opens otherwise in an emergency, in the offer and by passing on; empty when all three are the same."""
    return [*_emergency(found.was, found.now, reader), *_offers(found.was, found.now, reader), *_onward(found.was, found.now, reader)]


def _emergency(was: Protocol, now: Protocol, reader: Reader) -> Iterator[str]:
    came, went = _glass(now) - _glass(was), _glass(was) - _glass(now)
    if came and now.break_glass:
        said = reader.pick(("En una emergencia ({how}) podrá abrirse además: {fields}.", "In an emergency ({how}) may also be opened: {fields}."))
        yield said.format(how=_how(now.break_glass, reader), fields=_fields(came, now, reader))
    if went:
        said = reader.pick(("En una emergencia ya no podrá abrirse: {fields}.", "In an emergency may no longer be opened: {fields}."))
        yield said.format(fields=_fields(went, was, reader))
    if now.break_glass:
        before = {names: said for names, _, said in _terms(was.break_glass, reader)} if was.break_glass else {}
        for names, title, said in _terms(now.break_glass, reader):
            if any(getattr(was.break_glass, name, None) != getattr(now.break_glass, name) for name in names) or names not in before:
                yield f"{title}: {said}{_before(before.get(names), reader)}."


def _terms(glass: BreakGlass, reader: Reader) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """How an emergency is opened: the names of each condition in `BreakGlass`, its title, its words."""
    needs = _words("needs", glass.needs, reader) or reader.pick(("todas las del protocolo", "all of the protocol's"))
    yield ("roles",), reader.pick(("La emergencia la abre", "The emergency is opened by")), _words("roles", glass.roles, reader)
    yield ("risks",), reader.pick(("La emergencia pide riesgo", "The emergency asks for risk")), _words("risks", glass.risks, reader)
    yield ("needs",), reader.pick(("La emergencia vale para las necesidades", "The emergency counts for the needs")), needs
    yield ("lasts",), reader.pick(("Lo abierto en una emergencia dura", "What an emergency opened lasts")), _time(glass.lasts)
    yield ("second_person", "review_within"), reader.pick(("La emergencia se cuida así", "The emergency is looked after by")), _how(glass, reader)


def _offers(was: Protocol, now: Protocol, reader: Reader) -> Iterator[str]:
    old, new = _offer(was), _offer(now)
    for name in OFFER_FIELDS:
        before, after = old.get(name, _HOME), new.get(name, _HOME)
        if before == after:
            continue
        hides = after.outcome is Outcome.WITHHOLD
        head = ("La oferta, antes de aceptar, ya no mostrará", "The offer, before anybody accepts, will no longer show") if hides else (
            "La oferta, antes de aceptar, mostrará", "The offer, before anybody accepts, will show")  # fmt: skip
        told = reader.pick(_OFFERED[name]) + ("" if hides else f"{' ' if after.outcome is Outcome.RELEASE else ', '}{_level(after, reader)}")
        yield f"{reader.pick(head)}: {told}{_before(_level(before, reader), reader)}."


def _onward(was: Protocol, now: Protocol, reader: Reader) -> Iterator[str]:
    if (was.onward, was.onward_to) == (now.onward, now.onward_to):
        return
    if not now.onward:
        yield reader.pick(("Quien recibe ya no podrá pasarlo a otra institución.",
                           "Whoever receives may no longer pass it on to another institution."))  # fmt: skip
        return
    said = reader.pick(("Quien recibe podrá pasarlo a otra institución si la dueña lo concede cada vez: {kinds}{before}.",
                        "Whoever receives may pass it on to another institution if the owner grants it each time: {kinds}{before}."))  # fmt: skip
    before = _kinds(was, reader) if was.onward else reader.pick(("a ninguna", "to none"))
    yield said.format(kinds=_kinds(now, reader), before=_before(before, reader))


# -- words


def _glass(protocol: Protocol) -> frozenset[str]:
    return protocol.break_glass.fields if protocol.break_glass else frozenset()


def _offer(protocol: Protocol) -> dict[str, OfferRule]:
    return {name: protocol.offer[name] for name in OFFER_FIELDS if name in protocol.offer}


def _fields(some: frozenset[str], protocol: Protocol, reader: Reader) -> str:
    return ", ".join(reader.field(name) for name in dict.fromkeys((*protocol.universe, *sorted(some))) if name in some)


def _words(listed: str, codes: frozenset[str], reader: Reader) -> str:
    known = [code for code in reader.vocabulary.lists[listed] if code in codes]
    return reader.any_of([*(reader.word(listed, code) for code in known), *sorted(codes.difference(known))])


def _kinds(protocol: Protocol, reader: Reader) -> str:
    everywhere = reader.pick(("a cualquiera a la que ella misma podría derivar", "to any that the owner could refer to itself"))
    return ", ".join(reader.kind(kind) for kind in sorted(protocol.onward_to)) or everywhere


def _how(glass: BreakGlass, reader: Reader) -> str:
    if glass.second_person:
        return reader.pick(("dos personas, con aviso", "two people, with notice"))
    said = reader.pick(("una persona, con aviso y revisión en {time}", "one person, with notice and a review within {time}"))
    return said.format(time=_time(glass.review_within or timedelta()))


def _time(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return " ".join(f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min")) if number) or "0 h"


def _offered(name: str, rule: OfferRule, reader: Reader) -> str:
    return reader.pick(_OFFERED[name]) + ("" if rule.outcome is Outcome.RELEASE else f" ({_level(rule, reader)})")


def _level(rule: OfferRule, reader: Reader) -> str:
    if rule.outcome is Outcome.RELEASE:
        return reader.pick(("tal cual", "as it is"))
    return reader.level(Level(outcome=rule.outcome, generalisation=rule.generalisation))


def _before(said: str | None, reader: Reader) -> str:
    return f" ({reader.pick(('antes', 'before'))}: {said})" if said else ""
