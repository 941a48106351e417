"""`tinkuy policy simulate|explain|test`: protocols beside cases, invented ones, the institution's own (by the running hub), and examples."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli_base import JSON, Exit, ask, complain, config_if_any, end_with, read_file, refuse, say, setting, show_json, show_rows, words
from hub.cli_choose import choose, names_of
from hub.cli_policy_sources import PACK, Source, pack_named, resolve, words_of
from hub.web.control import ControlError, HubAway, call
from policies import engine, examples, marked, packs
from policies.as_data import of_facts
from policies.decision import FieldDecision, Outcome, Reason
from policies.diff import KINDS
from policies.engine import Compiled
from policies.errors import DocumentError
from policies.explain import describe
from policies.readable import Reader
from policies.simulate import AGREED, Simulated, invented
from policies.simulate import simulate as simulated

_SHIFTS = {
    "appears": ("se vería y ahora no", "would be seen and is not"),
    "wider": ("se vería más", "would be seen more fully"),
    "narrower": ("se vería menos", "would be seen less fully"),
    "other_form": ("se vería de otra forma", "would be seen in another form"),
    "disappears": ("ya no se vería", "would be seen no more"),
}
_ASKED = (("aún no se le preguntó", "she was not asked yet"), ("ella aceptó todo", "she agreed to everything"))
_SHOWN = 12
"""So many invented cases are shown; `--all` and `--json` show every one."""


# -- simulate


def simulate(
    proposed: Annotated[str, typer.Argument(metavar="PROPUESTO", help="El archivo o la versión propuesta. · The proposed file or version.")],
    against: Annotated[str | None, typer.Option("--against", metavar="ACTUAL", help="Si falta, el del mismo nombre. · The present one.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Sin preguntar al hub por sus casos. · Do not ask the hub about its cases.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Todos los casos inventados. · Every invented case.")] = False,
    pack: str | None = PACK,
    as_json: bool = JSON,
) -> None:
    """Qué cambiaría: en casos inventados y, con el hub, en los propios · What would change: in invented cases and the institution's own"""
    new = resolve(proposed, pack, as_json=as_json)
    now = new.protocol(as_json=as_json)
    old = resolve(against or now.id, pack, as_json=as_json)
    was = old.protocol(as_json=as_json)
    found = list(simulated(engine.compile(was), engine.compile(now), invented(was, now)))
    cases, away = (None, "") if offline else _own_cases(new.text, as_json=as_json)
    if as_json:
        return show_json({"was": old.name, "now": new.name, "invented": [_told(one) for one in found], "cases": cases, "cases_missing": away or None})
    _show_invented(old.name, new.name, found, new.reader(), every=every)
    if cases is not None:
        _show_cases(cases, new.reader())
    elif away:
        complain(f"Los casos propios no se miraron: ningún hub contesta ({away}).", f"Own cases were not looked at: no hub answers ({away}).")
    return None


def _own_cases(text: str, *, as_json: bool) -> tuple[Any, str]:
    """What the running hub says of its cases; or None and a code, where there is no hub."""
    settings = config_if_any()
    if settings is None:
        return None, "config.no_file"
    try:
        return asyncio.run(call(settings.socket, "policy.simulate", {"text": text})), ""
    except HubAway as away:
        return None, away.code
    except ControlError as refusal:
        refuse(refusal, Exit.REFUSED, as_json=as_json)


def _told(one: Simulated) -> dict[str, Any]:
    return {
        "code": one.situation.code, "recipient": one.situation.kind, "facts": of_facts(one.situation.facts),
        "fields": [{"field": shift.field, "kind": shift.kind, "was": shift.was.text, "now": shift.now.text} for shift in one.shifts],
    }  # fmt: skip


def _show_invented(was: str, now: str, found: Sequence[Simulated], reader: Reader, *, every: bool) -> None:
    changed = [one for one in found if one.shifts]
    say(
        f"{was} → {now}: cambiaría {len(changed)} de {len(found)} casos inventados (un caso ante una clase de institución).",
        f"{was} → {now}: {len(changed)} of {len(found)} invented cases would change (a case before one kind of institution).",
    )
    counts = Counter((shift.kind, shift.field) for one in changed for shift in one.shifts)
    for kind in KINDS:
        fields = [f"{reader.field(name)} ({count})" for (some, name), count in counts.most_common() if some == kind]
        if fields:
            typer.echo(f"  {words(*_SHIFTS[kind])}: {', '.join(fields)}")
    for one in changed if every else changed[:_SHOWN]:
        asked = words(*_ASKED[one.situation.code.endswith(AGREED)])
        called = words("caso inventado", "invented case") + " " + one.situation.code.partition("-")[0]
        typer.echo(f"{called} · {reader.kind(one.situation.kind)} · {reader.facts(one.situation.facts)}; {asked}")
        for shift in one.shifts:
            typer.echo(f"    {reader.field(shift.field)}: {reader.level(shift.was)} → {reader.level(shift.now)}")
    if not every and len(changed) > _SHOWN:
        say(f"… y {len(changed) - _SHOWN} más: --all", f"… and {len(changed) - _SHOWN} more: --all")


def _show_cases(cases: Mapping[str, Any], reader: Reader) -> None:
    looked, changed = _about(cases["looked_at"]), str(cases["count"]) if cases["named"] else _about(cases["count"])
    say(
        f"Casos propios abiertos que se miraron: {looked}; cambiarían: {changed}. Solo códigos y nombres de datos.",
        f"Own open cases looked at: {looked}; would change: {changed}. Codes and names of fields only.",
    )
    if not cases["named"]:
        say(
            "Los códigos se muestran cuando la versión ya está propuesta a sus partes: «tinkuy protocol propose».",
            "Codes are shown once the version is proposed to its parties: `tinkuy protocol propose`.",
        )
    rows = [
        {
            "case": row["case"], "recipient": row["recipient"], "need": reader.word("needs", row["need"]), "field": reader.field(shift["field"]),
            "kind": words(*_SHIFTS[shift["kind"]]),
        }
        for row in cases["changed"]
        for shift in row["fields"]
    ]  # fmt: skip
    if rows:
        show_rows(rows, (
            ("case", "CASO", "CASE"), ("recipient", "INSTITUCIÓN", "INSTITUTION"), ("need", "NECESIDAD", "NEED"), ("field", "DATO", "FIELD"),
            ("kind", "CAMBIO", "CHANGE"),
        ))  # fmt: skip


def _about(number: int) -> str:
    """The hub counts in steps of five where it names nobody."""
    return words(f"{number} o más", f"{number} or more") if number else words("menos de 5", "fewer than 5")


# -- explain


def explain(
    case: Annotated[str, typer.Argument(metavar="CASO", help="Su código, C-… · Its code.")],
    recipient: Annotated[str, typer.Argument(metavar="DESTINATARIA", help="La institución, por ejemplo csmc-comas. · The institution.")],
    need: Annotated[str | None, typer.Option("--need", metavar="NECESIDAD", help="Solo para esta. · Only for this one.")] = None,
    audit: Annotated[bool, typer.Option("--audit", help="Por regla, versión y consentimiento. · By rule, version and consent.")] = False,
    as_json: bool = JSON,
) -> None:
    """Por qué esa institución vería o no cada dato de un caso; queda anotado · Why it would see each field of a case or not; it is logged"""
    known = words_of(pack_named(None), as_json=as_json)
    meant = choose("--need", need, names_of(known.needs.values()), as_json=as_json) if need else None
    rulings = ask("policy.explain", {"case": case, "recipient": recipient, "need": meant}, as_json=as_json)
    if as_json:
        return show_json(rulings)
    reader = Reader(known, "en" if setting.get().english else "es")
    for ruling in rulings:
        _show_ruling(ruling, reader, audit=audit)
    return None


def _show_ruling(ruling: Mapping[str, Any], reader: Reader, *, audit: bool) -> None:
    purpose, need = reader.word("purposes", ruling["purpose"]), reader.word("needs", ruling["need"])
    case, recipient = ruling["case"], ruling["recipient"]
    say(f"{case} ante {recipient}, por {need} (para {purpose}):", f"{case} to {recipient}, for {need} ({purpose}):")
    if audit:
        typer.echo(f"  {ruling['protocol']}@{ruling['version']} · {ruling['purpose']} · {_consent(ruling)}")
    if ruling["excluded"]:
        say("  No sale nada: quien la agredió es de esa misma entidad.", "  Nothing leaves: the aggressor belongs to this institution.")
    rows = [
        {
            "field": item["field"] if audit else reader.field(item["field"]),
            "outcome": ":".join(part for part in (item["outcome"], item["generalisation"]) if part),
            "why": describe(_decision(item), reader.language, reader.vocabulary), "reason": item["reason"], "rule": item["rule"] or "–",
        }
        for item in sorted(ruling["fields"], key=lambda one: one["outcome"] == "withhold")
    ]  # fmt: skip
    if audit:
        show_rows(rows, (("field", "DATO", "FIELD"), ("outcome", "DECISIÓN", "DECISION"), ("reason", "RAZÓN", "REASON"), ("rule", "REGLA", "RULE")))
    else:
        show_rows(rows, (("field", "DATO", "FIELD"), ("why", "POR QUÉ", "WHY")))


def _consent(ruling: Mapping[str, Any]) -> str:
    if not ruling["consent"]:
        return words("sin consentimiento", "no consent")
    return f"{words('consentimiento', 'consent')} {ruling['consent']} ({ruling['consent_state']})"


def _decision(item: Mapping[str, Any]) -> FieldDecision:
    reason = Reason(code=item["reason"], rule_id=item["rule"], params=item["params"])
    return FieldDecision(field=item["field"], outcome=Outcome[item["outcome"].upper()], generalisation=item["generalisation"], reason=reason)


# -- test


def run_examples(
    protocols: Annotated[list[str] | None, typer.Argument(metavar="PROTOCOLO…", help="Si falta, todos los que vienen. · All shipped ones.")] = None,
    pack: str | None = PACK,
    as_json: bool = JSON,
) -> None:
    """Corre los ejemplos RELEASE/ y WITHHOLD/ que están junto al protocolo · Run the examples that stand beside a protocol"""
    named = protocols or [f"{pack_named(pack)}/{name}" for name in packs.load(pack_named(pack)).protocols]
    results = []
    for source in (resolve(name, pack, as_json=as_json) for name in named):
        compiled = engine.compile(source.protocol(as_json=as_json))
        ran = [_ran(compiled, packs.load(source.pack).compiled, *example) for example in _examples(source)]
        if not ran:
            end_with("policy.no_examples", as_json=as_json, name=source.name)
        results.append({"protocol": source.name, "examples": ran, "failed": sum(bool(one["misses"] or one["error"]) for one in ran)})
    if as_json:
        show_json(results)
    for result in results if not as_json else ():
        _show_test(result)
    if any(result["failed"] for result in results):
        raise typer.Exit(Exit.REFUSED)


def _examples(source: Source) -> Iterator[tuple[str, str, str]]:
    """Expectation, name and text of each example."""
    for expectation in examples.EXPECTATIONS:
        shipped = source.shipped
        texts = packs.example_texts(source.pack, shipped, expectation) if shipped else _beside(source.folder, expectation)
        yield from ((expectation, name, text) for name, text in texts.items())


def _beside(folder: Path | None, expectation: str) -> dict[str, str]:
    files = sorted((folder / expectation).glob("*.yaml")) if folder else []
    return {file.name: read_file(file, marked.MAX_BYTES).decode(errors="replace") for file in files}


def _ran(compiled: Compiled, others: Mapping[str, Compiled], expectation: str, name: str, text: str) -> dict[str, Any]:
    file = f"{expectation}/{name}"
    try:
        missed = examples.misses(examples.parse(text, compiled, source=file), compiled, expectation, others)
    except DocumentError as error:
        first = next((finding for finding in error.findings if finding.is_error), None)
        told = f"{first.line}:{first.column} {words(first.message_es, first.message_en)}" if first else words("no espera nada", "expects nothing")
        return {"example": file, "misses": [], "error": told}
    return {"example": file, "misses": [{"field": m.field, "expected": m.expected, "found": m.found} for m in missed], "error": None}


def _show_test(result: Mapping[str, Any]) -> None:
    for one in result["examples"]:
        if one["error"]:
            typer.echo(f"{result['protocol']} {one['example']}: {one['error']}")
        for miss in one["misses"]:
            expected, found = words("se esperaba", "expected"), words("salió", "found")
            typer.echo(f"{result['protocol']} {one['example']}: {miss['field']}: {expected} «{miss['expected']}», {found} «{miss['found']}»")
    count = len(result["examples"])
    failed = result["failed"]
    say(f"{result['protocol']}: {count} ejemplo{'s' * (count != 1)}, {failed} falla{'n' * (failed != 1)}.",
        f"{result['protocol']}: {count} example{'s' * (count != 1)}, {failed} fail{'s' * (failed == 1)}.")  # fmt: skip
