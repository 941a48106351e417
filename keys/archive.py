"""What a backup says of itself: one signed index in both of its parts (keys.md 3 and 5).

The *data part* holds the data database, the *key part* the key store and the wrapped keyring; they live apart, and the key part at most
seven days. Each part ends with the same index, signed by the hub twice (`check_origin`): which institution, when, the digest of every member,
how far the ledger and the tombstone journal went, and which schema it is. So parts cannot be exchanged, cut, or made by anybody else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from keys import strictjson
from keys.codec import check_id, time_text, time_value
from keys.errors import Malformed
from keys.journal import Mark, mark_from, mark_to
from keys.ledger import Head
from keys.manifest import Manifest
from keys.primitives import SigningKey, VerifyKey
from keys.statement import Statement, sign, verify

KIND: Final = "backup"
FORMAT: Final = 1
DATA, KEYS = "data", "keys"
KEY_LIFE: Final = timedelta(days=7)
"""How long a key part may exist: what was destroyed must be gone from every backup by then."""
MAX_BYTES: Final = 256 * 1024
_NAME: Final = re.compile(r"[a-z][a-z0-9_./-]{0,79}")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file inside a part. `rows` is 0 where it is no table."""

    size: int
    sha256: str
    rows: int = 0


@dataclass(frozen=True, kw_only=True)
class Index:
    """Everything that is stated about one backup. `parts` holds part → name → member; times count in whole seconds."""

    institution: str
    backup: str
    at: datetime
    schema: str
    ledger: Head
    journal: Mark
    parts: dict[str, dict[str, Member]]

    def keys_expired(self, now: datetime) -> bool:
        """Whether the key part should not exist any more."""
        return now - self.at > KEY_LIFE


def sign_index(index: Index, *signers: SigningKey) -> bytes:
    """The signed statement: by the hub's signing key, and by the key of its journal (`keys.journal.journal_key`)."""
    parts = {
        part: {name: {"size": m.size, "sha256": m.sha256, "rows": m.rows} for name, m in members.items()} for part, members in index.parts.items()
    }
    told = {
        "format": FORMAT,
        "institution": index.institution,
        "backup": index.backup,
        "at": time_text(index.at),
        "schema": index.schema,
        "ledger": {"size": index.ledger.size, "hash": index.ledger.hash.hex()},
        "journal": mark_to(index.journal),
        "parts": parts,
    }
    return sign(KIND, strictjson.dumps(told), *signers).to_bytes()


def read_index(data: bytes, manifest: Manifest, *known: VerifyKey) -> Index:
    """The index, once signed by a hub key of `manifest` or one of the `known`, and about its institution. Raises `BadSignature`, `Malformed`.

    `known` is the journal's key that lies in the part: a hub that came back from a copy may lack every key of the manifest it was given back.
    It proves as little as the manifest beside it; `check_origin` does.
    """
    keys = (*manifest.profile.hub_signing, *known)
    found: Any = strictjson.loads(verify(KIND, Statement.from_bytes(data, max_bytes=MAX_BYTES), keys), max_bytes=MAX_BYTES)
    if not isinstance(found, dict) or found.get("institution") != manifest.institution:
        raise Malformed("the backup's index speaks of another institution", code="backup.other_institution")
    if found.get("format") != FORMAT:
        raise Malformed("the backup has a form of a later release", code="backup.newer")
    try:
        return Index(
            institution=found["institution"],
            backup=str(found["backup"]),
            at=time_value(found["at"], "time"),
            schema=str(found["schema"]),
            ledger=Head(size=int(found["ledger"]["size"]), hash=bytes.fromhex(found["ledger"]["hash"])),
            journal=mark_from(found["journal"]),
            parts={part: {check_id(n, "member", _NAME): _member(m) for n, m in found["parts"][part].items()} for part in (DATA, KEYS)},
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Malformed("the backup's index lacks a field or has one of a wrong type", code="backup.damaged") from None


def check_origin(data: bytes, key: VerifyKey) -> None:
    """Raises `BadSignature` unless the index is signed by this very key.

    `read_index` believes the manifest that lies in the same part, and so whoever has a signing key that any manifest ever listed: one that
    was stolen and withdrawn too. The journal's key stands in no file that travels; who checks has it from the keyring, under the KEK, or from people.
    """
    verify(KIND, Statement.from_bytes(data, max_bytes=MAX_BYTES), [key])


def _member(found: Any) -> Member:
    return Member(size=int(found["size"]), sha256=str(found["sha256"]), rows=int(found["rows"]))
