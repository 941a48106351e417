"""The control of R13, R16, T2 and T10: a scanner that finds nothing must be one that would have found it."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.attacks.canaries import Scanner, disguises, found_in, hits, marker

WORD = marker()

WAYS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "upper": lambda text: text.upper().encode(),
    "lower": lambda text: text.lower().encode(),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "utf-16 with a mark": lambda text: text.encode("utf-16"),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "url": lambda text: quote(text).encode(),
    "url, each byte": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()).encode(),
    "URL, each byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "json": lambda text: json.dumps({"a": text}).encode(),
    "json, each letter": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text).encode(),
    "JSON, each letter": lambda text: "".join(f"\\u{ord(letter):04X}" for letter in text).encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()),
    "base64 without its end": lambda text: base64.b64encode(text.encode()).rstrip(b"="),
    "gzip": lambda text: gzip.compress(text.encode()),
    "zlib": lambda text: zlib.compress(text.encode()),
}


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("way", WAYS)
def test_every_encoding_is_found(way: str, before: int) -> None:
    """Made here with the standard encoders, not with the scanner's own; with other words before it, so that each offset comes up."""
    data = WAYS[way]("z" * before + WORD + "y" * (3 - before))
    assert hits(data, {"x": WORD}) == ["x"]


@pytest.mark.parametrize("offset", range(9))
def test_base64_is_found_amid_other_bytes_at_every_offset(offset: int) -> None:
    for _ in range(200):
        whole = secrets.token_bytes(30 + offset) + WORD.encode() + secrets.token_bytes(31)
        for encoded in (base64.b64encode(whole), base64.urlsafe_b64encode(whole), base64.b64encode(whole).rstrip(b"=")):
            assert hits(b"\0" + encoded + b"\xff", {"x": WORD}) == ["x"]


@pytest.mark.parametrize("name", disguises(WORD))
def test_each_disguise_alone_is_enough(name: str) -> None:
    """Each of them is searched for, in a megabyte of something else."""
    form = disguises(WORD)[name]
    data = secrets.token_bytes(500_000) + form + secrets.token_bytes(500_000)
    assert form in {disguises(WORD)[found] for _, found in Scanner({"x": WORD}).found(data)}


def test_it_names_the_right_ones_and_only_those() -> None:
    words = {str(number): marker() for number in range(64)}
    data = b"|".join(base64.b64encode(b"?" * number + words[str(number)].encode()) for number in range(0, 64, 2))
    assert sorted(hits(data, words), key=int) == [str(number) for number in range(0, 64, 2)]
    assert hits(secrets.token_bytes(1_000_000), words) == []
    assert hits(b"", words) == []
    assert hits(data, {}) == []


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    """Logs, hidden files, files in folders; a database's write-ahead log that was never played in; a value longer than a page."""
    words = {name: marker() for name in ("log", "hidden", "wal", "long", "none")}
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "out.log").write_text(f"2026 {words['log']} x")
    (tmp_path / ".hidden").write_bytes(words["hidden"].encode("utf-16-le"))
    database = sqlite3.connect(tmp_path / "rows.db")
    database.execute("PRAGMA journal_mode = wal")
    database.execute("PRAGMA wal_autocheckpoint = 0")
    database.execute("CREATE TABLE t (a TEXT, b BLOB)")
    database.execute("INSERT INTO t VALUES (?, ?)", (words["wal"], b""))
    for shift in range(4096):  # somewhere it lies across the end of a page
        database.execute("INSERT INTO t VALUES ('', ?)", (b"-" * (4096 + shift) + words["long"].encode(),))
    database.commit()
    found = found_in(tmp_path, words)
    assert {name for names in found.values() for name in names} == set(words) - {"none"}
    assert found["rows.db-wal"] == ["long", "wal"]
    assert found["rows.db (rows)"] == ["long", "wal"]
    assert "wal" not in found.get("rows.db", []), "it stands only in the log of the database"
    database.close()
