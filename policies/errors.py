"""One family of errors for this room. Decisions are values, never errors; these say that a *document* cannot be used."""

from __future__ import annotations

from collections.abc import Iterable

from policies.findings import Finding


class PolicyError(Exception):
    """Something that was to become policy cannot be used."""


class DocumentError(PolicyError):
    """The document has findings of severity `error`; `findings` holds all of them, with line and column."""

    def __init__(self, source: str, findings: Iterable[Finding]) -> None:
        self.source = source
        self.findings = tuple(findings)
        errors = [finding for finding in self.findings if finding.is_error]
        lines = "; ".join(f"{source}:{f.line}:{f.column} {f.message_en}" for f in errors[:5])
        more = f" (and {len(errors) - 5} more)" if len(errors) > 5 else ""
        super().__init__(f"the document `{source}` cannot be used: {lines}{more}")


class PackError(PolicyError):
    """No such pack is shipped, or the pack is incomplete."""
