"""The canary scanner: 64-bit random markers, every disguise in which one can stand in a file, and every place to look (`attacks.md` B.0).

    words = {"phone": marker(), …}      plant each in the field of its name
    assert found_in(folder, words) == {}

It looks for UTF-8, UTF-16 (both byte orders), hex, URL, JSON escapes and base64 (standard and url-safe, all three offsets), in both
cases of letters where that is a matter of taste. `test_canary_scanner.py` proves that each is found.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import itertools
import re
import secrets
import sqlite3
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

from deploy.demo.network import HubProcess, Network


def marker() -> str:
    """64 random bits that look like a word: letters and figures alone, so that no search, no code and no escape changes it."""
    return f"Kx{secrets.token_hex(8)}"


def disguises(word: str) -> dict[str, bytes]:
    """The ways in which a word can stand in a file, by name. `word` is ASCII of at least eight letters."""
    plain = word.encode("ascii")
    found = {
        "utf-8": plain,
        "upper": plain.upper(),
        "lower": plain.lower(),
        "utf-16-le": word.encode("utf-16-le"),
        "utf-16-be": word.encode("utf-16-be"),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "url": quote(word).encode(),
        "url, each byte": "".join(f"%{byte:02x}" for byte in plain).encode(),
        "URL, each byte": "".join(f"%{byte:02X}" for byte in plain).encode(),
        "json": "".join(f"\\u{ord(letter):04x}" for letter in word).encode(),
        "JSON": "".join(f"\\u{ord(letter):04X}" for letter in word).encode(),
    }
    for offset in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            found[f"{name} at {offset}"] = _middle(encode(b"\0" * offset + plain), offset, len(plain))
    return found


def _middle(encoded: bytes, offset: int, length: int) -> bytes:
    """The letters of a base64 text that depend on the word alone, and not on what stands before or after it."""
    return encoded[-(-offset * 8 // 6) : (offset + length) * 8 // 6]


class Scanner:
    """Looks for all disguises of all words at once. `hits` is as quick for sixty words as for one."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._names: dict[bytes, tuple[str, str]] = {}
        for name, word in words.items():
            for disguise, form in disguises(word).items():
                self._names.setdefault(form, (name, disguise))
        self._pattern = re.compile(_either(sorted(self._names)) or b"(?!)")

    def found(self, data: bytes) -> set[tuple[str, str]]:
        """(name, disguise) of each that stands in these bytes."""
        return {self._names[match[0]] for match in self._pattern.finditer(data)}

    def hits(self, data: bytes) -> list[str]:
        """The names of the markers that stand in `data` in any disguise; also in a compressed copy of it."""
        names = {name for name, _ in self.found(data)}
        unpacked = _unpacked(data)
        if unpacked is not None:
            names |= {name for name, _ in self.found(unpacked)}
        return sorted(names)


def _either(forms: list[bytes]) -> bytes:
    """A pattern for any of these sorted forms, the longest first, that tries what they have in common once: a thousand side by side would each be
    tried at every byte.
    """
    branches = []
    for first, group in itertools.groupby((form for form in forms if form), key=lambda form: form[:1]):
        rests = [form[1:] for form in group]
        tail = _either(rests)
        branches.append(re.escape(first) + (b"(?:" + tail + b")?" if b"" in rests and tail else tail))
    return b"(?:" + b"|".join(branches) + b")" if len(branches) > 1 else b"".join(branches)


def _unpacked(data: bytes) -> bytes | None:
    with contextlib.suppress(OSError, EOFError, zlib.error):
        if data[:2] == b"\x1f\x8b":
            return gzip.decompress(data)
        if data[:2] in (b"x\x01", b"x\x9c", b"x\xda"):
            return zlib.decompress(data)
    return None


@functools.lru_cache(maxsize=8)
def _scanner(words: tuple[tuple[str, str], ...]) -> Scanner:
    return Scanner(dict(words))


def hits(data: bytes, words: Mapping[str, str]) -> list[str]:
    """The names of the markers that stand in `data` in any disguise."""
    return _scanner(tuple(words.items())).hits(data)


def found_in(places: Path | Iterable[tuple[str, bytes]], words: Mapping[str, str]) -> dict[str, list[str]]:
    """Place → names of the markers found there; empty when there are none. A folder stands for all files in it."""
    read = files(places) if isinstance(places, Path) else places
    return {place: names for place, data in read if (names := hits(data, words))}


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, read whole; of each SQLite database also what its tables say once its write-ahead log is played in.

    A value longer than a page is cut into pieces in the file, and a marker across the cut would be missed; in the rows it is whole.
    """
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        try:
            data = _read(path)
        except FileNotFoundError:  # a journal that its database took away meanwhile
            continue
        yield str(path.relative_to(folder)), data
        if data.startswith(b"SQLite format 3\0"):
            yield f"{path.relative_to(folder)} (rows)", _rows(path)


def _read(path: Path) -> bytes:
    """A database's files are read by another process: whoever closes one loses every lock that SQLite holds on it in the same process."""
    if not path.name.endswith((".db", "-wal", "-shm")):
        return path.read_bytes()
    done = subprocess.run(["cat", "--", str(path)], capture_output=True, check=False)
    if done.returncode:
        raise FileNotFoundError(path)
    return done.stdout


def _rows(path: Path) -> bytes:
    """Every value of every table, one after another; blobs as they are."""
    found: list[bytes] = []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
        database.text_factory = bytes
        tables = [row[0].decode() for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            with contextlib.suppress(sqlite3.OperationalError):  # a virtual table whose module is not here keeps its rows in plain tables
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    found += [value if isinstance(value, bytes) else str(value).encode() for value in row if value is not None]
    return b"\n".join(found)


def everything(network: Network) -> Iterator[tuple[str, bytes]]:
    """Every byte that anybody wrote: both homeservers, all hubs, logs, outputs, state, memory of the kernel about them, and what the web says."""
    yield from files(network.folder)
    for name, hub in network.hubs.items():
        yield from pages(name, hub)
        yield from seen_by_the_system(name, hub)


def pages(name: str, hub: HubProcess) -> Iterator[tuple[str, bytes]]:
    """What a running hub says over HTTP to whoever may look."""
    address = (hub.folder / "s" / "web.address").read_text().strip()
    for page in ("metrics", "health/ready", "health/live"):
        with urlopen(f"{address}/{page}", timeout=10) as answer:
            yield f"{name}/{page}", answer.read() + str(answer.headers).encode()


def seen_by_the_system(name: str, hub: HubProcess) -> Iterator[tuple[str, bytes]]:
    """What any process list shows: its command line and environment."""
    if hub.process is not None and hub.process.returncode is None:
        for part in ("cmdline", "environ"):
            yield f"{name}/{part}", Path(f"/proc/{hub.process.pid}/{part}").read_bytes()
