"""`tinkuy route`: the route simulator. Given facts, the competent institutions with times, laws and rights; works without a hub.

`--sheet` prints what a person may carry away: where to go, by when they answer, her rights, a number to call now. It names nobody, no
case and no law: those are for the institutions (R13, R81). What the pack marks `spoken_only` is told to her and not on the paper, because
the aggressor may find it (R19, R30).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from hub.base.sections import Institution
from hub.cli_base import JSON, complain, config_if_any, setting, show_json
from hub.cli_choose import choose, names_of
from policies import packs
from policies.conditions import INSTITUTION_PREFIX
from policies.errors import PackError
from policies.generalise import AGE_BANDS
from policies.packs import Pack
from policies.routes import FACTS
from policies.routing import Route, RouteFacts, Step

_OPTIONS = {"need": "--need", "level": "--territory", "affiliation": "--affiliation", "risk": "--risk", "urgency": "--urgency",
            "situation": "--situation", "age_band": "--age"}  # fmt: skip


def route(
    need: Annotated[
        str, typer.Option("--need", help="Qué necesita, con sus palabras o con el código. · What she needs, in words or by its code.")
    ],
    affiliation: Annotated[
        list[str] | None,
        typer.Option("--affiliation", help="De dónde es la persona agresora; se puede repetir. · Where the aggressor belongs; may be repeated."),
    ] = None,
    risk: Annotated[str | None, typer.Option("--risk", help="Nivel de riesgo. · Risk level.")] = None,
    urgency: Annotated[str | None, typer.Option("--urgency", help="Urgencia. · Urgency.")] = None,
    territory: Annotated[str | None, typer.Option("--territory", help="local, regional o national. · Level of government.")] = None,
    situation: Annotated[
        str | None,
        typer.Option("--situation", help="Clase de situación, si consta con razón escrita. · Situation class, if recorded with a reason."),
    ] = None,
    age: Annotated[str | None, typer.Option("--age", help="Grupo de edad, como 18-29. · Age band, such as 18-29.")] = None,
    pack: Annotated[
        str | None, typer.Option("--pack", help="Paquete; si no, el de la configuración. · Pack; otherwise that of the configuration.")
    ] = None,
    sheet: Annotated[
        bool, typer.Option("--sheet", help="La hoja que ella puede llevar, sin datos suyos. · The sheet she may carry, without data of hers.")
    ] = False,
    as_json: bool = JSON,
) -> None:
    """Muestra la ruta: quién es competente, en qué plazo y con qué derechos · Show the route: who is competent, by when, with which rights"""
    held = _pack(pack)
    given = {"need": need, "level": territory, "risk": risk, "urgency": urgency, "situation": situation, "age_band": age}
    single = {fact: _code(held, fact, said) for fact, said in given.items() if said is not None}
    named = frozenset(item if item.startswith(INSTITUTION_PREFIX) else _code(held, "affiliation", item) for item in affiliation or ())
    facts = RouteFacts(affiliations=named, **single)
    found = held.route(facts)
    if as_json:
        return show_json(_as_json(held, found))
    if sheet:
        typer.echo("\n".join(sheet_lines(held, found, _language())))
        return complain(
            "\n".join(("Antes de dársela, pregúntele si es seguro llevarla. Escriba usted el teléfono y el horario.", *_aloud(held, found, "es"))),
            "\n".join(("Before giving it to her, ask whether it is safe to carry. Write the phone and the hours.", *_aloud(held, found, "en"))),
        )
    return typer.echo("\n".join(_lines(held, found, _language())))


def _aloud(pack: Pack, found: Route, language: str) -> list[str]:
    """What is told to her and not written down."""
    kinds = pack.vocabulary.kinds
    also = [kinds[step.kind].label.get(language) for step in found.steps if kinds[step.kind].spoken_only]
    told = [("También puede ir a: " if language == "es" else "You can also go to: ") + ", ".join(also) + "."] if also else []
    told += [right.text.get(language) for right in found.rights if right.spoken_only]
    return [("Dígale" if language == "es" else "Tell her") + f": {line}" for line in told]


def sheet_lines(pack: Pack, found: Route, language: str) -> list[str]:
    """The sheet: plain words, one thing a line, nothing of a case in it."""
    es = language != "en"
    label = pack.vocabulary.label
    lines = ["HOJA DE ORIENTACIÓN" if es else "GUIDANCE SHEET", ""]
    need = pack.vocabulary.needs.get(found.facts.need)
    if need and not need.spoken_only:
        lines += [f"{'Usted pidió' if es else 'You asked for'}: {need.label.get(language)}.", ""]
    if found.steps:
        lines.append("Puede ir aquí:" if es else "You can go here:")
    else:
        ask = "Hable con la persona que la atiende. Ella buscará a dónde ir.", "Talk to the person who attends you. She will look for a place."
        lines.append(ask[0 if es else 1])
    for number, step in enumerate((step for step in found.steps if not pack.vocabulary.kinds[step.kind].spoken_only), 1):
        lines.append(f"{number}. {label('kinds', step.kind, language)}. {_answer(step.within, es)}".rstrip())
        lines.append("   Teléfono y horario: ____________________" if es else "   Phone and hours: ____________________")
    lines += ["", "Sus derechos:" if es else "Your rights:"]
    lines += [f"- {right.text.get(language)}" for right in found.rights if not right.spoken_only]
    if found.emergency:
        lines += ["", "Si hay peligro ahora, llame:" if es else "If there is danger now, call:"]
        lines += [f"- {item.number}. {item.text.get(language)}." for item in found.emergency]
    return [*lines, "", "Esta hoja no lleva su nombre." if es else "Your name is not on this sheet."]


def _answer(within: timedelta | None, es: bool) -> str:
    return "" if within is None else (f"Responden en {_span(within, es)}." if es else f"They answer within {_span(within, es)}.")


def _span(span: timedelta, es: bool) -> str:
    number, one, many = (
        (span.days, ("día", "day"), ("días", "days")) if span >= timedelta(days=1)
        else (int(span.total_seconds() // 3600), ("hora", "hour"), ("horas", "hours")) if span >= timedelta(hours=1)
        else (int(span.total_seconds() // 60), ("minuto", "minute"), ("minutos", "minutes"))
    )  # fmt: skip
    return f"{number} {(one if number == 1 else many)[0 if es else 1]}"


def _lines(pack: Pack, found: Route, language: str) -> list[str]:
    """What the people of an institution read: order, time, laws, and why."""
    es = language != "en"
    label = pack.vocabulary.label
    lines = [f"{'Ruta para' if es else 'Route for'}: {label('needs', found.facts.need, language)}"]
    for number, step in enumerate(found.steps, 1):
        within = f" · {_span(step.within, es)}" if step.within is not None else ""
        lines.append(f"{number}. {label('kinds', step.kind, language)} ({step.kind}){within}")
        lines += [f"     {_law(pack, code, language)}" for code in step.cite]
    if not found.steps:
        lines.append("No queda nadie competente: consulte con supervisión." if es else "Nobody competent is left: ask your supervisor.")
    if found.excluded:
        names = ", ".join(label("kinds", kind, language) for kind in sorted(found.excluded))
        lines.append(f"{'Nunca, por conflicto de interés' if es else 'Never, for a conflict of interest'}: {names}")
    lines += [f"{'Por qué' if es else 'Why'}: {rule.because.get(language)} ({rule.id})" for rule in found.rules]
    lines += [f"{'Derecho' if es else 'Right'}: {right.text.get(language)}" for right in found.rights]
    return lines + [f"{'Ahora' if es else 'Now'}: {item.number}, {item.text.get(language)}" for item in found.emergency]


def _law(pack: Pack, code: str, language: str) -> str:
    term = pack.vocabulary.lists["laws"][code]
    doubt = (" (por verificar)" if language != "en" else " (to verify)") if term.to_verify else ""
    return f"{term.label.get(language)}{doubt}"


def _as_json(pack: Pack, found: Route) -> dict[str, Any]:
    def step(item: Step) -> dict[str, Any]:
        within = item.within.total_seconds() if item.within is not None else None
        return {"kind": item.kind, "within_seconds": within, "citations": list(item.cite), "rules": list(item.rules)}

    cited = dict.fromkeys((*(c for item in found.steps for c in item.cite), *(c for item in found.rights for c in item.cite)))
    laws = pack.vocabulary.lists["laws"]
    return {
        "pack": pack.id,
        "facts": {name: sorted(values) for name, values in found.facts.values().items()},
        "steps": [step(item) for item in found.steps],
        "excluded": sorted(found.excluded),
        "rules": [{"id": rule.id, "es": rule.because.es, "en": rule.because.en} for rule in found.rules],
        "rights": [{"id": right.id, "es": right.text.es, "en": right.text.en, "citations": list(right.cite)} for right in found.rights],
        "emergency": [{"number": item.number, "kind": item.kind, "es": item.text.es, "en": item.text.en} for item in found.emergency],
        "citations": [{"id": code, "es": laws[code].label.es, "en": laws[code].label.en, "to_verify": laws[code].to_verify} for code in cited],
    }


def _language() -> str:
    return "en" if setting.get().english else "es"


def _pack(name: str | None) -> Pack:
    settings = config_if_any() if name is None else None
    wanted = name or (settings.institution.pack if settings else Institution.model_fields["pack"].default)
    try:
        return packs.load(wanted)
    except PackError:
        return packs.load(choose("--pack", str(wanted), dict.fromkeys(packs.shipped(), ())))


def _code(pack: Pack, fact: str, said: str) -> str:
    """The code a person meant; a word that nobody knows ends the command, for a route to a guess would send her astray."""
    listed = FACTS[fact]
    return choose(_OPTIONS[fact], said, names_of(pack.vocabulary.lists[listed].values()) if listed else dict.fromkeys(AGE_BANDS, ()))
