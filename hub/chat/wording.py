"""Labels: what codes, fields, institutions, people and times are called, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from hub.actions.account import HOW, WHO
from hub.actions.decide import peer_kind
from hub.actions.ports import Unit
from hub.base.i18n import date, long_day, mark, text
from hub.cases.commands import AS_ASKED
from hub.cases.records import Referral
from hub.chat.context import Context
from hub.chat.fold import fold
from hub.chat.names import Names
from hub.chat.plain import Line, strong
from hub.chat.plain import value as clean
from policies.conditions import INSTITUTION_PREFIX
from policies.holding import ceiling
from policies.vocabulary import FIELD_CLASSES, Field, Term

STATES = {
    "draft": mark("borrador"),
    "requested": mark("ofrecida"),
    "received": mark("por responder"),
    "accepted": mark("aceptada"),
    "in-progress": mark("en curso"),
    "on-hold": mark("en espera"),
    "completed": mark("terminada"),
    "failed": mark("devuelta"),
    "rejected": mark("no aceptada"),
    "cancelled": mark("cancelada"),
}
ROLES = {"caseworker": mark("atención"), "supervisor": mark("supervisión"), "administrator": mark("administración")}
AGAIN = {
    "she_asked": mark("ella quiere agregar algo"),
    "authority_asks": mark("lo pide un juzgado o una fiscalía"),
    "new_facts": mark("pasó algo nuevo"),
    "no_interpreter": mark("la primera vez no hubo intérprete"),
    "safety": mark("hace falta para protegerla ahora"),
}
EMERGENCY = {
    "life_in_danger": mark("su vida está en peligro"),
    "missing": mark("no se sabe dónde está"),
    "medical": mark("una emergencia médica"),
    "child_in_danger": mark("una niña o un niño en peligro"),
}
PASSED = {
    "granted": mark("aún no lo tiene"),
    "passed": mark("lo tiene"),
    "called_back": mark("retirado, falta que confirme"),
    "ended": mark("destruido, confirmado con firma"),
}
HOLDING = {
    "active": mark("lo tiene"),
    "recalled": mark("retirado, falta que confirme"),
    "overdue": mark("retirado, NO ha confirmado a tiempo"),
    "destroyed": mark("destruido, confirmado con firma"),
    "retained": mark("lo conserva por ley"),
}


def field_label(unit: Unit, field: str, lang: str) -> str:
    """What a field is called."""
    known = unit.pack.vocabulary.fields.get(field)
    return known.label.get(lang) if known else field


def in_order(unit: Unit, fields: Iterable[str]) -> list[str]:
    """Fields in the order of the vocabulary."""
    order = {field: place for place, field in enumerate(unit.pack.vocabulary.fields)}
    return sorted(fields, key=lambda f: order.get(f, len(order)))


def field_list(unit: Unit, fields: Iterable[str], lang: str) -> str:
    """Several fields, in the order of the vocabulary."""
    return ", ".join(field_label(unit, f, lang) for f in in_order(unit, fields))


def by_class(unit: Unit, fields: Iterable[str], lang: str) -> list[Line]:
    """A long list of fields in one line for each class: `Contacto: Teléfono, Distrito`."""
    wanted = set(fields)
    lines: list[Line] = []
    for name in FIELD_CLASSES:
        found = [f.id for f in unit.pack.vocabulary.fields_in(name) if f.id in wanted]
        if found:
            lines.append([strong(f"{high(text(lang, GROUPS[name][0]))}:"), f" {field_list(unit, found, lang)}"])
    return lines


def low(label: str) -> str:
    """A label inside a sentence: `Salud mental` → `salud mental`; abbreviations such as `PNP` stay."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def high(label: str) -> str:
    """A label at the start of a line."""
    return label[:1].upper() + label[1:]


def term(unit: Unit, list_name: str, code: str, lang: str) -> str:
    """The label of a code of a list."""
    return unit.pack.vocabulary.label(list_name, code, lang)


def institution(unit: Unit, institution_id: str) -> str:
    """An institution's name: what its hub told us, else its id."""
    if institution_id == unit.me.id:
        return unit.me.name
    peer = unit.peers.get(institution_id)
    return clean(str(peer.profile.get("name") or institution_id), 80) if peer else institution_id


def named(unit: Unit, institution_id: str) -> str:
    """An institution's name, and in brackets the shorter word that may be typed for it when it is another one."""
    name = institution(unit, institution_id)
    return name if fold(name).replace("-", " ") == fold(institution_id).replace("-", " ") else f"{name} ({institution_id})"


def person(unit: Unit, user: str | None) -> str:
    """What an enrolled person is called in the desk."""
    found = unit.staff.get(user or "")
    return clean(found.display, 60) if found else ("" if not user or user == "hub" else user.split(":")[0])


def moment(unit: Unit, lang: str, at: datetime) -> str:
    """A time with its zone."""
    return date(lang, at, ZoneInfo(unit.me.zone), now=unit.now)


def day(unit: Unit, lang: str, at: datetime) -> str:
    """A day in words, without a time: for what she reads herself."""
    return long_day(lang, at, ZoneInfo(unit.me.zone))


def state(lang: str, referral: Referral) -> str:
    """A referral's state in words."""
    if referral.note == "withdrawn":
        return text(lang, "retirada")
    return text(lang, STATES[referral.state.value])


def context(unit: Unit, lang: str) -> Context:
    """Everything that reading a command needs, from the pack and the peers."""
    words = unit.pack.vocabulary
    lists = words.lists
    peers = {p.id: (str(p.profile.get("name") or p.id), p.id) for p in unit.peers.all(state="confirmed")}
    return Context(
        zone=ZoneInfo(unit.me.zone),
        now=unit.now,
        language=lang,
        institutions=peers,
        fields=field_names(unit, lang) | groups(unit, lang),
        needs={t.id: names_of(t, lang) for t in lists["needs"].values()},
        purposes=purposes(unit, lang),
        decline_reasons={t.id: names_of(t, lang) for t in lists["decline_reasons"].values()},
        giveback_reasons={t.id: names_of(t, lang) for t in lists["give_back_reasons"].values()},
        outcomes={t.id: names_of(t, lang) for t in lists["close_outcomes"].values()},
        again_reasons={code: (text(lang, label), code) for code, label in AGAIN.items()},
        tellers={code: (text(lang, label), code) for code, label in WHO.items()},
        account_modes={code: (text(lang, label), code) for code, label in HOW.items()},
        consent_modes={t.id: names_of(t, lang) for t in lists["consent_modes"].values()},
        legal_bases={t.id: names_of(t, lang) for t in lists["legal_bases"].values()},
        options=_options(unit, lang),
        several=frozenset(f.id for f in words.fields.values() if f.codes and f.type == "list") | {"aggressor_affiliation"},
        as_asked=partial(_holds, unit),
    )


def _options(unit: Unit, lang: str) -> dict[str, Names]:
    """The codes of each coded field. Where an aggressor works may be one institution by its name, ours too: then that one alone is kept out (R62)."""
    words = unit.pack.vocabulary
    found: dict[str, Names] = {f.id: {t.id: names_of(t, lang) for t in words.lists[f.codes].values()} for f in words.fields.values() if f.codes}
    if "aggressor_affiliation" in found:
        bodies = found["aggressor_affiliation"]
        taken = {fold(name) for names in bodies.values() for name in names}
        named = {unit.me.id: unit.me.name} | {peer.id: institution(unit, peer.id) for peer in unit.peers.all(order="id")}
        said = {f"{INSTITUTION_PREFIX}{each}": tuple(n for n in (name, each) if fold(n) not in taken) for each, name in named.items()}
        found["aggressor_affiliation"] = {**bodies, **said}
    return found


def field_names(unit: Unit, lang: str = "es") -> dict[str, tuple[str, ...]]:
    """Every field by the names that people say, the one of this language first."""
    return {f.id: (f.label.get(lang), *_field_names(f)) for f in unit.pack.vocabulary.fields.values()}


def purposes(unit: Unit, lang: str) -> Names:
    """Purposes by their own names and by those of the needs that serve them, so that "salud mental" means its purpose."""
    lists = unit.pack.vocabulary.lists
    useful = purposes_in_use(unit)
    found = {t.id: list(names_of(t, lang)) for t in lists["purposes"].values() if t.id in useful or not useful}
    for need in lists["needs"].values():
        if need.purpose in found:
            found[need.purpose].extend(n for n in names_of(need) if n not in found[need.purpose])
    return {k: tuple(v) for k, v in found.items()}


def purposes_in_use(unit: Unit) -> frozenset[str]:
    """The purposes that a protocol of ours towards a linked institution serves: a consent for another one would let nothing out."""
    kinds = {peer_kind(unit, peer.id) for peer in unit.peers.all(state="confirmed")}
    today = unit.now.date()
    return frozenset(
        purpose
        for protocol in unit.pack.protocols.values()
        if unit.me.kind in protocol.from_kinds and kinds & set(protocol.to_kinds) and protocol.in_force(today)
        for purpose in protocol.purposes
    )


def names_of(term: Term, lang: str = "es") -> tuple[str, ...]:
    """Every name a term goes by; the first is its label in the reader's language."""
    return tuple(dict.fromkeys((term.label.get(lang), term.id, term.label.es, term.label.en, *term.synonyms)))


GROUPS = {
    "contact": (mark("contacto"), "contacto", "datos de contacto", "contact"),
    "needs": (mark("necesidades"), "necesidades", "needs"),
    "health": (mark("salud"), "salud", "datos de salud", "health"),
    "identity": (mark("identidad"), "identidad", "identity"),
    "safety": (mark("seguridad"), "seguridad", "safety"),
    "situation": (mark("situación"), "situacion", "situation"),
    "legal": (mark("legal"), "legal", "datos legales"),
}


def groups(unit: Unit, lang: str = "es") -> dict[str, tuple[str, ...]]:
    """Field groups by name, behind `group:` so that no field is ever mistaken for one."""
    return {f"group:{name}": (text(lang, names[0]), *names) for name, names in GROUPS.items()}


def expand(unit: Unit, fields: tuple[str, ...], purposes: tuple[str, ...], recipients: tuple[str, ...]) -> tuple[str, ...]:
    """Field ids for what a person named: groups become their fields."""
    words = unit.pack.vocabulary
    result: dict[str, None] = {}
    for name in fields:
        group = name.removeprefix("group:")
        if (name,) == AS_ASKED:
            result.update(dict.fromkeys(_as_asked(unit, recipients, purposes)))
        elif name.startswith("group:"):
            result.update(dict.fromkeys(f.id for f in words.fields_in(group)))
        else:
            result[name] = None
    return tuple(result)


def _holds(unit: Unit, recipients: Sequence[str], purposes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What *lo necesario* holds, by the names that may be left out of it: every field, and every group with those of its fields that are asked."""
    asked = in_order(unit, _as_asked(unit, recipients, purposes))
    classes = ((name, {field.id for field in unit.pack.vocabulary.fields_in(name)}) for name in GROUPS)
    found = {f"group:{name}": tuple(field for field in asked if field in members) for name, members in classes}
    return {field: (field,) for field in asked} | {name: members for name, members in found.items() if members}


def _as_asked(unit: Unit, recipients: Sequence[str], purposes: Sequence[str]) -> list[str]:
    """Everything that the protocols of these purposes could ever let out to the kinds of these recipients, and no more."""
    found: dict[str, None] = {}
    for recipient in sorted(recipients):
        kind = peer_kind(unit, recipient)
        for protocol in unit.pack.between(recipient).protocols.values():
            for purpose in set(purposes) & set(protocol.purposes):
                found.update(dict.fromkeys(ceiling(protocol, kind, purpose=purpose)))
    return list(found)


def _field_names(field: Field) -> tuple[str, ...]:
    return (field.label.es, field.id, field.label.en, *_SPOKEN.get(field.id, ()))


_SPOKEN = {
    "social_name": ("nombre", "nombre social", "name"),
    "safe_contact": ("contacto seguro", "como contactarla", "contacto"),
    "risk_level": ("riesgo", "risk"),
    "phone": ("telefono", "celular", "fono", "celu", "phone"),
    "account": ("relato", "historia", "account"),
    "mental_health_summary": ("salud mental", "resumen de salud mental"),
    "health_summary": ("resumen de salud",),
    "aggressor_affiliation": ("agresor", "afiliacion del agresor", "aggressor"),
    "accessibility": ("accesibilidad",),
    "languages": ("idioma", "idiomas", "lengua"),
    "address": ("direccion", "domicilio"),
    "legal_name": ("nombre legal",),
    "document_number": ("documento", "numero de documento", "dni"),
    "birth_date": ("nacimiento", "fecha de nacimiento"),
    "dependants": ("hijos", "hijas", "dependientes"),
    "urgency": ("urgencia",),
    "needs": ("necesidad", "necesidades"),
}
