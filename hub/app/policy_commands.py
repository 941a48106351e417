"""Control commands about protocols and cases: what `tinkuy policy simulate` and `explain` ask of the running hub. No value is ever answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.actions.decide import Ruling
from hub.actions.explain_ruling import explain_ruling
from hub.actions.ports import Unit
from hub.actions.simulate_protocol import simulate_protocol
from hub.base.errors import Refused
from policies import document
from policies.errors import DocumentError
from policies.protocol import Protocol

if TYPE_CHECKING:
    from hub.app.house import House

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
ADMINISTRATOR = "administrator"


def handlers(house: House) -> dict[str, Handler]:
    """Every command by name."""

    async def simulate(args: Mapping[str, Any]) -> Any:
        """The text of a proposed version over the open cases."""
        text = str(args["text"])
        return await house.store.run(lambda unit: simulated(unit, text))

    async def explain(args: Mapping[str, Any]) -> Any:
        """The decisions about one case and one institution."""
        case, recipient, need = str(args["case"]), str(args["recipient"]), args.get("need")
        return await house.store.run(lambda unit: explained(unit, case, recipient, str(need) if need else None))

    return {"policy.simulate": simulate, "policy.explain": explain}


def simulated(unit: Unit, text: str) -> dict[str, Any]:
    """About how many cases would change; of a version that its parties know, their codes and the names of fields."""
    found = simulate_protocol(unit, ADMINISTRATOR, parsed(unit, text))
    return {
        "looked_at": found.looked_at,
        "count": found.count,
        "named": found.named,
        "changed": [
            {
                "case": one.code, "recipient": one.recipient, "need": one.need,
                "fields": [{"field": s.field, "kind": s.kind, "was": s.was.text, "now": s.now.text} for s in one.shifts],
            }
            for one in found.changed
        ],
    }  # fmt: skip


def parsed(unit: Unit, text: str) -> Protocol:
    """A protocol in this institution's words. Raises Refused `policy.errors` with the first error."""
    try:
        return document.parse(text, unit.pack.vocabulary)
    except DocumentError as error:
        first = next(finding for finding in error.findings if finding.is_error)
        place = f"{first.line}:{first.column}"
        raise Refused("policy.errors", file="-", place=place, why_es=first.message_es, why_en=first.message_en) from None


def explained(unit: Unit, case: str, recipient: str, need: str | None) -> list[dict[str, Any]]:
    """Each ruling with the decisions about the fields that have a value."""
    return [_ruling(ruling) for ruling in explain_ruling(unit, ADMINISTRATOR, case, recipient, need)]


def _ruling(ruling: Ruling) -> dict[str, Any]:
    decided = [ruling.decision.field(name) for name in ruling.values]
    return {
        "case": ruling.case.code, "recipient": ruling.recipient, "recipient_kind": ruling.recipient_kind, "need": ruling.need,
        "purpose": ruling.purpose, "protocol": ruling.protocol.id, "version": ruling.protocol.version, "excluded": ruling.decision.excluded,
        "consent": ruling.consent.id if ruling.consent else None, "consent_state": ruling.consent_state,
        "fields": [
            {
                "field": item.field, "outcome": item.outcome.word, "generalisation": item.generalisation, "reason": item.reason.code,
                "rule": item.reason.rule_id, "params": dict(item.reason.params),
            }
            for item in decided
        ],
    }  # fmt: skip
