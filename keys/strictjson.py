"""The one JSON parser of the house: strict in depth, size, duplicate keys, numbers and Unicode (I08, keys.md 6).

What two parsers read differently is where an attacker stands: of two equal keys one reader keeps the first and another the
last; `1e999` is infinity here and an error there. So everything JSON allows to be ambiguous is refused, and `dumps` prints
only what `loads` would read back.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

from keys.errors import Malformed, TooLarge

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 32
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|([\[{])|([\]}])', re.DOTALL)
"""A string, or one bracket. A string without end matches too, up to the end of the text, so the scan never starts over:
with the obvious pattern a megabyte of `\\"` would cost a billion steps."""
_BAD_TEXT: Final = re.compile("[\0\ud800-\udfff]")
MAX_INTEGER: Final = 2**53 - 1
"""Beyond it a JavaScript reader sees another number (RFC 7493, Matrix canonical JSON)."""


def loads(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """The value of `data` (UTF-8 JSON), or `Malformed` (`TooLarge` when longer than `max_bytes`).

    Refused: more than `max_depth` nested containers, duplicate keys, NaN and infinities (spelled or overflowed), integers
    beyond +-(2^53 - 1), lone surrogates, the character NUL (PostgreSQL cannot store it), a byte order mark, text after the value.
    """
    if len(data) > max_bytes:
        raise TooLarge(f"the JSON is {len(data)} bytes long and at most {max_bytes} are read", code="json.size")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("the JSON is not UTF-8", code="json.utf8") from None
    # Counted before parsing: the C parser recurses, and its own limit is an error of another family.
    _check_depth(text, max_depth)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Malformed(f"this is not JSON: line {error.lineno}, column {error.colno}", code="json.syntax") from None
    _check(value, max_depth)
    return value


def dumps(value: Any) -> bytes:
    """`value` as compact UTF-8 JSON with sorted keys; `Malformed` for anything `loads` would not read back."""
    _check(value, MAX_DEPTH)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def _check_depth(text: str, limit: int) -> None:
    """Count brackets outside strings. On broken JSON the count may be off; then the parser refuses it anyway."""
    depth = 0
    for found in _TOKEN.finditer(text):
        if found[1]:
            depth += 1
            if depth > limit:
                raise Malformed(f"the JSON is nested deeper than {limit} levels", code="json.depth")
        elif found[2]:
            depth -= 1


def _check(value: Any, limit: int) -> None:
    """Walk `value` without recursion and refuse what may not appear anywhere in it."""
    todo: list[tuple[Any, int]] = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        if isinstance(item, dict | list | tuple) and depth >= limit:
            raise Malformed(f"the value is nested deeper than {limit} levels", code="json.depth")
        if isinstance(item, dict):
            todo.extend((part, depth + 1) for pair in item.items() for part in pair)
            if not all(isinstance(key, str) for key in item):
                raise Malformed("a JSON object has only text keys", code="json.type")
        elif isinstance(item, list | tuple):
            todo.extend((part, depth + 1) for part in item)
        else:
            _check_leaf(item)


def _check_leaf(item: Any) -> None:
    if item is None or isinstance(item, bool):
        return
    if isinstance(item, str):
        if _BAD_TEXT.search(item):
            raise Malformed("a text holds a lone surrogate or NUL", code="json.text")
    elif isinstance(item, int):
        if abs(item) > MAX_INTEGER:
            raise Malformed("an integer is beyond 2^53 - 1", code="json.number")
    elif isinstance(item, float):
        if not math.isfinite(item):
            raise Malformed("a number is not finite", code="json.number")
    else:
        raise Malformed(f"JSON has no `{type(item).__name__}`", code="json.type")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a JSON object has the same key twice", code="json.duplicate")
    return found


def _integer(digits: str) -> int:
    # Length first: turning a million digits into a number is itself an attack.
    if len(digits) > 17:
        raise Malformed("an integer is beyond 2^53 - 1", code="json.number")
    return int(digits)


def _constant(name: str) -> NoReturn:
    raise Malformed(f"`{name}` is not JSON", code="json.number")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_constant=_constant)
