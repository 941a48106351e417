"""The tombstone journal: which keys were destroyed, told outside every database, so that no restored copy brings one back (keys.md 3).

One line a tombstone, appended and made durable *before* the key is deleted; ids only, no person in it:

    n | seconds since 1970 | owner | signature (base64)

The signature covers institution, stream, n, time, owner and the digest of the line before, so a line can be neither changed nor left out in
the middle. What no signature can show is that lines at the *end* are missing; for that the running hub signs a *pulse* every few minutes:
"at this time there were n lines, the last with this digest". A journal that reaches to a pulse is whole up to the pulse's time.

A *stream* is the journal of one machine. A restored machine begins a new one; all that can be found are read together. Of two servers only the one
that leads pulses, and it takes up before that what the other wrote: so its pulse speaks of every death, not of its own lines alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keys import strictjson
from keys.codec import aware, b64, check_id, moment, time_text, time_value, unb64
from keys.errors import BadSignature, KeysError, Malformed
from keys.identity import Identity
from keys.primitives import SIGNATURE_SIZE, SigningKey, VerifyKey, hkdf, join, sha256
from keys.statement import Statement, check_bytes, sign, sign_bytes, verify

LINE: Final = "tombstone"
PULSE: Final = "tombstone-pulse"
STREAM: Final = re.compile(r"[0-9a-f]{16}")
_LINE: Final = re.compile(rb"([0-9]{1,15}) ([0-9]{1,11}) ([!-~]{1,200}) ([A-Za-z0-9+/=]{88})")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far a stream goes: the number of lines, and the digest of the last."""

    stream: str
    size: int
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class Buried:
    """One tombstone as the journal tells it."""

    owner: str
    at: datetime


def journal_key(identity: Identity) -> SigningKey:
    """The key that signs journals. Not the hub's signing key: that one turns every 90 days, and a restore knows only the one of its backup."""
    return SigningKey(hkdf(identity.cross_master.reveal(), info=b"TINKUY-v1 tombstone journal"))


def genesis(institution: str, stream: str) -> Mark:
    """Where a stream begins."""
    digest = sha256(b"TINKUY-v1 journal", institution.encode(), stream.encode())
    return Mark(stream=check_id(stream, "journal stream", STREAM), size=0, digest=digest)


def append(institution: str, before: Mark, owner: str, at: datetime, signer: SigningKey) -> tuple[bytes, Mark]:
    """The next line, with its line break, and how far the stream goes with it."""
    seconds = int(aware(at).timestamp())
    covered, after = _covered(institution, before, owner, seconds)
    line = f"{after.size} {seconds} {owner} {b64(sign_bytes(LINE, covered, signer))}\n".encode("ascii")
    if not _LINE.fullmatch(line[:-1]):
        raise Malformed("the owner of a destroyed key is a short printable id")
    return line, after


def read(data: bytes, institution: str, stream: str, key: VerifyKey) -> list[tuple[Buried, Mark]]:
    """Every line with how far the stream goes with it. What a crash left behind the last line break is no line.

    The last signature covers the digest of all that is before it, so it alone is checked while it holds. Raises `Malformed` or
    `BadSignature`, both `backup.journal_broken`, naming the first line that does not hold.
    """
    mark = genesis(institution, stream)
    found: list[tuple[Buried, Mark]] = []
    covered: list[tuple[bytes, bytes]] = []
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        parts = _LINE.fullmatch(line)
        if parts is None or int(parts[1]) != number:
            raise Malformed(f"line {number} of the tombstone journal is no line of one", code="backup.journal_broken")
        owner, seconds = parts[3].decode("ascii"), int(parts[2])
        signed, mark = _covered(institution, mark, owner, seconds)
        covered.append((signed, parts[4]))
        found.append((Buried(owner=owner, at=moment(seconds)), mark))
    if covered and not _holds(*covered[-1], key):
        number = next(n for n, each in enumerate(covered, 1) if not _holds(*each, key))
        raise BadSignature(f"line {number} of the tombstone journal was changed, or lines before it are missing", code="backup.journal_broken")
    return found


def end(found: list[tuple[Buried, Mark]], institution: str, stream: str) -> Mark:
    """How far a stream goes that `read` has read."""
    return found[-1][1] if found else genesis(institution, stream)


def _holds(covered: bytes, signature: bytes, key: VerifyKey) -> bool:
    try:
        check_bytes(LINE, covered, unb64(signature.decode("ascii"), "signature", size=SIGNATURE_SIZE), key)
    except KeysError:
        return False
    return True


def sign_pulse(institution: str, mark: Mark, at: datetime, signer: SigningKey) -> bytes:
    """The signed word that at this time the stream went exactly so far."""
    told = {"institution": institution, "stream": mark.stream, "size": mark.size, "digest": mark.digest.hex(), "at": time_text(at)}
    return sign(PULSE, strictjson.dumps(told), signer).to_bytes()


def read_pulse(data: bytes, institution: str, key: VerifyKey) -> tuple[Mark, datetime]:
    """The mark and its time. Raises `BadSignature` or `Malformed`."""
    found: Any = strictjson.loads(verify(PULSE, Statement.from_bytes(data, max_bytes=4096), [key]), max_bytes=4096, max_depth=2)
    try:
        if found["institution"] != institution:
            raise Malformed("the pulse speaks of another institution", code="backup.other_institution")
        return mark_from(found), time_value(found["at"], "time")
    except (KeyError, TypeError, ValueError):
        raise Malformed("the pulse lacks a field") from None


def mark_to(mark: Mark) -> dict[str, Any]:
    """As JSON."""
    return {"stream": mark.stream, "size": mark.size, "digest": mark.digest.hex()}


def mark_from(found: Any) -> Mark:
    """The inverse of `mark_to`. Raises `Malformed`, KeyError, TypeError, ValueError."""
    size = found["size"]
    if type(size) is not int or size < 0:
        raise Malformed("a journal's size is a number")
    return Mark(stream=check_id(found["stream"], "journal stream", STREAM), size=size, digest=bytes.fromhex(found["digest"]))


def _covered(institution: str, before: Mark, owner: str, seconds: int) -> tuple[bytes, Mark]:
    size = before.size + 1
    covered = join(
        institution.encode(), before.stream.encode(), size.to_bytes(8, "big"), seconds.to_bytes(8, "big"), owner.encode(), before.digest
    )
    return covered, Mark(stream=before.stream, size=size, digest=sha256(b"TINKUY-v1 journal", covered))
