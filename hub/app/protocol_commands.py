"""What `tinkuy protocol` may ask of the running hub: the versions that count, those under way, and what administrators say about them."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from hub.actions import protocol_changes, protocols
from hub.actions.ports import Unit
from hub.actions.protocol_guard import HOLD
from hub.actions.protocol_state import find_proposal, said_of, shipped_of, waits_for_us
from hub.app.protocol_export import bundle
from hub.base.errors import Refused
from hub.cases.protocol_life import one_name
from hub.chat.protocol_views import document_of, known, missing
from hub.exchange.records import ProtocolProposal
from keys import protocolword as pw
from policies import packs
from policies.findings import Finding

if TYPE_CHECKING:
    from hub.app.house import House

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
ADMINISTRATOR = "administrator"
ENDS_SOON = 30
"""Days."""


def protocol_handlers(house: House) -> dict[str, Handler]:
    """Every command by name."""

    def reads(fn: Callable[[Unit, Mapping[str, Any]], Any]) -> Handler:
        async def handler(args: Mapping[str, Any]) -> Any:
            return await house.store.look(lambda unit: fn(unit, args))

        return handler

    def acts(fn: Callable[[Unit, Mapping[str, Any]], Any]) -> Handler:
        async def handler(args: Mapping[str, Any]) -> Any:
            return await house.store.run(fn, args)

        return handler

    return {
        "protocol.list": reads(_list), "protocol.show": reads(_show), "protocol.text": reads(_text), "protocol.check": reads(_check),
        "protocol.changes": reads(_changes), "protocol.history": reads(_history), "protocol.export": reads(_export),
        "protocol.propose": acts(_propose), "protocol.comment": acts(_comment), "protocol.answer": acts(_answer),
        "protocol.sign": acts(_sign), "protocol.refuse": acts(_refuse), "protocol.codes": acts(_codes),
    }  # fmt: skip


def protocol_findings(unit: Unit) -> list[dict[str, str]]:
    """For `tinkuy doctor`: what waits for us, who blocks, what ends soon."""
    found = []
    for row in unit.proposals.all(stage__in=("proposed", "contested", "active"), order="at"):
        brief, name = _brief(unit, row), f"{row.protocol}@{row.version}"
        if row.stage == "contested":
            found.append({"protocol": name, "code": "contested", "who": ""})
        elif brief["waits_for_us"]:
            found.append({"protocol": name, "code": f"waits_{brief['waits_for_us']}", "who": ""})
        elif row.stage == "proposed":
            found.append({"protocol": name, "code": "blocked", "who": ", ".join(brief["missing"])})
        elif (date.fromisoformat(row.expires) - unit.now.date()).days <= ENDS_SOON:
            found.append({"protocol": name, "code": "ends", "who": row.expires})
    return found


def protocol_counts(unit: Unit) -> dict[str, float]:
    """For metrics: how many wait for us, how many for others, and when the first one ends."""
    codes = [finding["code"] for finding in protocol_findings(unit)]
    today = unit.now.date()
    ends = [(p.expires - today).days for p in unit.pack.protocols.values()]
    waiting = sum(code in ("contested", "waits_sign", "waits_answer") for code in codes)
    return {"waiting": waiting, "blocked": codes.count("blocked"), "protocol_days": min(ends, default=math.inf)}


def _list(unit: Unit, _: Mapping[str, Any]) -> Any:
    """What counts here today, and what is under way."""
    signed = {id(each.protocol): sorted(each.parties) for each in unit.pack.signed}
    counts = [
        {
            "protocol": p.id, "version": p.version, "title": {"es": p.title.es, "en": p.title.en},
            "state": "active" if id(p) in signed else "shipped", "parties": signed.get(id(p), []),
            "expires": p.expires.isoformat(), "in_force": p.in_force(unit.now.date()),
        }
        for p in sorted(unit.pack.protocols.values(), key=lambda p: p.id)
    ]  # fmt: skip
    return {"in_force": counts, "proposals": [_brief(unit, row) for row in unit.proposals.all(order="-at")], "only_signed": unit.rules.only_signed}


def _brief(unit: Unit, row: ProtocolProposal) -> dict[str, Any]:
    said = said_of(unit, row.id)
    return {
        "protocol": row.protocol, "version": row.version, "id": row.id, "state": row.stage, "proposer": row.proposer, "seat": row.seat,
        "starts": row.starts, "consulted": row.consulted, "closes": row.closes, "expires": row.expires, "parties": list(row.parties),
        "signed": sorted(said.signed), "missing": list(missing(row, said)), "waits_for_us": waits_for_us(unit, row, said),
        "comments": len(said.comments), "unanswered": len(said.unanswered), "days": (unit.now.date() - row.at.date()).days,
        "unknown": [name for name in row.parties if not known(unit, name)],
        "stopped": [name for name in row.parties if (link := unit.links.one(peer=name)) and link.frozen],
    }  # fmt: skip


def _show(unit: Unit, args: Mapping[str, Any]) -> Any:
    if found := shipped_of(unit, str(args["protocol"])):
        counts = unit.pack.protocols.get(found.id) is found
        return {"protocol": found.id, "version": found.version, "state": "shipped" if counts else "superseded", "shipped": True,
                "title": {"es": found.title.es, "en": found.title.en}, "starts": found.effective.isoformat(),
                "expires": found.expires.isoformat(), "comments_said": []}  # fmt: skip
    row = _find(unit, args)
    said, paper = said_of(unit, row.id), unit.papers.get(row.id)
    answers = {each.to: each.text for each in said.answers}
    return {
        **_brief(unit, row), "why": pw.claimed_proposal(paper.statement).why if paper else "",
        "signatures": [{"institution": s.institution, "at": s.at.isoformat(), "counts": s.institution in said.signed} for s in said.signatures],
        "refusals": [{"institution": each.institution, "why": each.text} for each in said.refusals],
        "comments_said": [
            {"number": n, "institution": c.institution, "voice": c.voice, "at": c.at.isoformat(), "text": c.text, "answer": answers.get(c.id, ""),
             "late": c in said.late}
            for n, c in enumerate(said.comments, start=1)
        ],
    }  # fmt: skip


def _text(unit: Unit, args: Mapping[str, Any]) -> Any:
    """The document as it was written. Without a version: the one that counts, else the one that is under way."""
    name = one_name(str(args["protocol"])) + (f"@{args['version']}" if args.get("version") else "")
    protocol, _, version = name.lower().partition("@")
    current, shipped = unit.pack.protocols.get(protocol), unit.shipped.protocols.get(protocol)
    name = name if version or current is None else f"{protocol}@{current.version}"
    known = shipped is not None and name.lower() in (f"{protocol}@{shipped.version}", f"{protocol}@v{shipped.version}")
    if shipped is not None and (known or (name == protocol and not unit.proposals.count(protocol=protocol))):
        return {"protocol": protocol, "version": shipped.version, "state": "shipped" if current is shipped else "superseded",
                "text": packs.protocol_text(unit.shipped.id, protocol)}  # fmt: skip
    row = find_proposal(unit, name)
    paper = unit.papers.get(row.id)
    text = paper.document.decode("utf-8", "replace") if paper else ""
    return {"protocol": row.protocol, "version": row.version, "state": row.stage, "text": text}


def _check(unit: Unit, args: Mapping[str, Any]) -> Any:
    """Every finding; and what a proposal would be refused for, as far as the document alone shows it."""
    protocol, findings = protocols.checked(unit, _bytes(args, "document"))
    newest = protocols.newest_known(unit, protocol.id, [unit.me.id]) if protocol else 0
    return {
        "protocol": protocol.id if protocol else "", "version": protocol.version if protocol else 0, "known": newest,
        "newer": bool(protocol and protocol.version > newest), "ok": protocol is not None,
        "seat": protocol.community_seat if protocol else "", "kinds": sorted(protocol.parties) if protocol else [],
        "findings": [_finding(each) for each in findings],
    }  # fmt: skip


def _finding(each: Finding) -> dict[str, Any]:
    return {"line": each.line, "column": each.column, "code": each.code, "severity": each.severity.value, "es": each.message_es,
            "en": each.message_en, "suggestion": each.suggestion or "", "about": each.about}  # fmt: skip


def _changes(unit: Unit, args: Mapping[str, Any]) -> Any:
    row = _find(unit, args)
    return {**_brief(unit, row), "readable": document_of(unit, row) is not None,
            "changes": [{"es": each.es, "en": each.en} for each in protocol_changes.changes(unit, row)]}  # fmt: skip


def _history(unit: Unit, args: Mapping[str, Any]) -> Any:
    """Every version of one protocol that this hub knows of, with who signed when."""
    name = one_name(str(args["protocol"])).partition("@")[0]
    rows = [_show(unit, {"protocol": row.id}) for row in unit.proposals.all(protocol=name, order="version")]
    shipped = unit.shipped.protocols.get(name)
    if not rows and shipped is None:
        raise Refused("protocol.unknown", protocol=name[:60])
    counts = shipped is not None and unit.pack.protocols.get(name) is shipped
    first = [{"protocol": name, "version": shipped.version, "state": "shipped" if counts else "superseded", "signatures": []}] if shipped else []
    return [*first, *rows]


def _propose(unit: Unit, args: Mapping[str, Any]) -> Any:
    data = _bytes(args, "document")
    protocol, _ = protocols.checked(unit, data)
    today = unit.now.date()
    first = max(today, protocol.effective) if protocol else today
    starts = _day(args.get("starts")) or first
    consulted = _day(args.get("consulted")) or max(today, starts - timedelta(days=1))
    terms = protocols.Terms(
        parties=tuple(str(name) for name in args.get("parties", ())), seat=str(args.get("seat", "")), starts=starts, consulted=consulted,
        why=str(args.get("why", "")),
    )  # fmt: skip
    return _brief(unit, protocols.propose(unit, ADMINISTRATOR, data, terms, guard=_guard(args)))


def _comment(unit: Unit, args: Mapping[str, Any]) -> Any:
    row = protocols.comment(unit, ADMINISTRATOR, _find(unit, args).id, str(args["text"]), str(args.get("code", "")), guard=_guard(args))
    return _brief(unit, row)


def _answer(unit: Unit, args: Mapping[str, Any]) -> Any:
    row = protocols.answer(unit, ADMINISTRATOR, _find(unit, args).id, int(args["number"]), str(args["text"]), guard=_guard(args))
    return _brief(unit, row)


def _sign(unit: Unit, args: Mapping[str, Any]) -> Any:
    """With `ask`, only whether it may be signed now."""
    row = _find(unit, args)
    if args.get("ask"):
        return _brief(unit, protocols.may_sign(unit, row))
    return _brief(unit, protocols.sign(unit, ADMINISTRATOR, row.id))


def _refuse(unit: Unit, args: Mapping[str, Any]) -> Any:
    return _brief(unit, protocols.refuse(unit, ADMINISTRATOR, _find(unit, args).id, str(args["reason"]), guard=_guard(args)))


def _codes(unit: Unit, args: Mapping[str, Any]) -> Any:
    return {"codes": protocols.hand_out(unit, ADMINISTRATOR, _find(unit, args).id, int(args["count"]))}


def _export(unit: Unit, args: Mapping[str, Any]) -> Any:
    row = _find(unit, args)
    return {**_brief(unit, row), "files": {name: base64.b64encode(data).decode() for name, data in bundle(unit, row).items()}}


def _find(unit: Unit, args: Mapping[str, Any]) -> ProtocolProposal:
    return find_proposal(unit, str(args["protocol"]))


def _guard(args: Mapping[str, Any]) -> str:
    """What becomes of words in which the language guard sees something; whatever is not known holds them."""
    return str(args.get("guard", HOLD))


def _bytes(args: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(str(args[name]), validate=True)
    except (binascii.Error, KeyError):
        raise Refused("protocol.not_text") from None


def _day(word: Any) -> date | None:
    try:
        return date.fromisoformat(str(word)) if word else None
    except ValueError:
        raise Refused("bad_date") from None


__all__ = ["protocol_handlers"]
