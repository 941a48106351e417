"""YAML with places: text -> a small tree in which every value knows its line and column.

Why not the usual loaders: they turn `no` into False and lose positions. Here every scalar stays text and the reader of the
document decides what it means. Anchors are refused: they hide what a party signs, and they are how small files become enormous.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from policies.findings import Finding, finding

MAX_BYTES = 256 * 1024
MAX_NESTED = 30
"""Brackets and marks of a list on one line that may be open: the scanner takes the square of their number, and a peer sends what it likes."""


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """One value as written, before anything interprets it."""

    line: int
    column: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Items:
    """A list."""

    line: int
    column: int
    items: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A mapping; `keys` remembers where each key stands, for findings about the key itself."""

    line: int
    column: int
    entries: Mapping[str, Node] = field(default_factory=dict)
    keys: Mapping[str, Scalar] = field(default_factory=dict)


Node = Scalar | Items | Table


def read(text: str) -> tuple[Node | None, list[Finding]]:
    """Read one YAML document. Never raises: a text that cannot be read gives None and a finding."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return None, [finding("too_large", 1, 1, limit=MAX_BYTES)]
    if _nested(text) > MAX_NESTED:
        return None, [finding("not_yaml", 1, 1, detail="too deep")]
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return None, [finding("not_yaml", line, column, detail=error.problem or "?")]
    except (YAMLError, ValueError, RecursionError):
        return None, [finding("not_yaml", 1, 1, detail="?")]
    if root is None:
        return None, [finding("not_yaml", 1, 1, detail="empty")]
    findings: list[Finding] = []
    try:
        return _convert(root, findings), findings
    except RecursionError:
        return None, [finding("not_yaml", 1, 1, detail="too deep")]


def _nested(text: str) -> int:
    depth = most = 0
    for sign in text:
        if sign in "[{":
            depth += 1
            most = max(most, depth)
        elif sign in "]}":
            depth = max(depth - 1, 0)
    inline = max((len(line) - len(line.lstrip("-? ")) for line in text.splitlines() if line.lstrip(" ")[:1] in ("-", "?")), default=0)
    return max(most, inline // 8)  # four levels of list with their spaces are more than any protocol has


def _convert(node: Any, findings: list[Finding]) -> Node:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if node.anchor:
        findings.append(finding("alias", line, column))
        return Scalar(line=line, column=column, text="")
    if isinstance(node, MappingNode):
        return _table(node, line, column, findings)
    if isinstance(node, SequenceNode):
        return Items(line=line, column=column, items=tuple(_convert(item, findings) for item in node.value))
    return Scalar(line=line, column=column, text=str(node.value) if isinstance(node, ScalarNode) else "")


def _table(node: Any, line: int, column: int, findings: list[Finding]) -> Table:
    entries: dict[str, Node] = {}
    keys: dict[str, Scalar] = {}
    for key_node, value_node in node.value:
        key = _convert(key_node, findings)
        if not isinstance(key, Scalar):
            findings.append(finding("expected", key.line, key.column, key="?", es="una clave de texto", en="a text key"))
            continue
        if key.text in entries:
            findings.append(finding("duplicate_key", key.line, key.column, word=key.text))
            continue
        keys[key.text] = key
        entries[key.text] = _convert(value_node, findings)
    return Table(line=line, column=column, entries=entries, keys=keys)
