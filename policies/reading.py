"""A reader that walks a marked tree, collects findings and never stops at the first one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from policies.findings import Finding, Severity, finding, nearest, some_of
from policies.marked import Items, Node, Scalar, Table


class Reader:
    """Takes values out of a marked tree; whatever does not fit becomes a finding and a harmless default."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self.findings: list[Finding] = list(findings)

    @property
    def failed(self) -> bool:
        """Whether any error was found so far."""
        return any(item.is_error for item in self.findings)

    def report(
        self, code: str, at: Node, *, severity: Severity = Severity.ERROR, suggestion: str | None = None, **words: object
    ) -> None:
        """Note a finding at the place of `at`."""
        self.findings.append(finding(code, at.line, at.column, severity=severity, suggestion=suggestion, **words))

    def table(self, node: Node | None, key: str, known: Collection[str] | None = None) -> Table:
        """`node` as a mapping; with `known`, every other key is an error with a suggestion."""
        if not isinstance(node, Table):
            if node is not None:
                self.report("expected", node, key=key, es="un grupo de claves", en="a mapping")
                return Table(line=node.line, column=node.column)
            return Table(line=1, column=1)
        if known is not None:
            for name, place in node.keys.items():
                if name not in known:
                    self.report("unknown_key", place, word=name, suggestion=nearest(name, known))
        return node

    def need(self, table: Table, key: str) -> Node | None:
        """The value of a key that must be there."""
        node = table.entries.get(key)
        if node is None:
            self.report("missing_key", table, key=key)
        return node

    def text(self, node: Node | None, key: str) -> str:
        """`node` as text; empty is not text."""
        if node is None:
            return ""
        if not isinstance(node, Scalar) or not node.text.strip():
            self.report("expected", node, key=key, es="un texto", en="a text")
            return ""
        return node.text.strip()

    def scalars(self, node: Node | None, key: str) -> tuple[Scalar, ...]:
        """`node` as a list of texts; a single text counts as a list of one."""
        if node is None:
            return ()
        if isinstance(node, Scalar):
            return (node,) if self.text(node, key) else ()
        if not isinstance(node, Items):
            self.report("expected", node, key=key, es="una lista", en="a list")
            return ()
        for item in node.items:
            if not isinstance(item, Scalar):
                self.report("expected", item, key=key, es="un texto", en="a text")
        return tuple(item for item in node.items if isinstance(item, Scalar))

    def words(self, node: Node | None, key: str, known: Collection[str], listed: str) -> tuple[str, ...]:
        """`node` as a list of codes that all stand in `known`, the list named `listed`."""
        return tuple(item.text for item in self.scalars(node, key) if self.is_known(item, known, listed))

    def is_known(self, item: Scalar, known: Collection[str], listed: str) -> bool:
        """Whether a code is known; an unknown one is reported with the nearest known code."""
        if item.text in known:
            return True
        self.report("unknown_word", item, word=item.text, list=listed, known=some_of(known), suggestion=nearest(item.text, known))
        return False

    def flag(self, node: Node | None, key: str, default: bool = False) -> bool:
        """`true` or `false`, nothing else."""
        if node is None:
            return default
        if isinstance(node, Scalar) and node.text in ("true", "false"):
            return node.text == "true"
        self.report("expected", node, key=key, es="true o false", en="true or false")
        return default
