"""The owner's signed word that a holder may pass named fields of one referral on to one third institution (R71).

It names everything that it depends on, so that it fits nowhere else: owner, holder, third, the referral under which it was held, the need and
purpose, each field with how it may be shown, and two ends: `use_by`, when it must have gone, and `until`, when it must be gone. It holds no
value and no code of hers. The holder shows it at dispatch, the third keeps it: both know whose data it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keys import strictjson
from keys.codec import check_id, time_text, time_value
from keys.errors import Malformed
from keys.primitives import SigningKey, VerifyKey
from keys.statement import Statement, sign, verify

GRANT: Final = "onward-grant"
_MAX_BYTES: Final = 16 * 1024
_TEXTS: Final = ("owner", "holder", "third", "referral", "onward", "need", "purpose", "protocol")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One permission. `fields` maps a field to how it may go on (`release`, `presence`, `generalise:<how>`)."""

    owner: str
    holder: str
    third: str
    referral: str
    onward: str
    need: str
    purpose: str
    protocol: str
    """The owner's protocol towards the third institution and its version: what decided it."""
    fields: Mapping[str, str]
    at: datetime
    use_by: datetime
    until: datetime

    def __post_init__(self) -> None:
        for name in ("owner", "holder", "third"):
            check_id(getattr(self, name), "institution id")
        if len({self.owner, self.holder, self.third}) != 3:
            raise Malformed("a grant is between three institutions")
        for value in (self.referral, self.onward, self.need, self.purpose, self.protocol, *self.fields, *self.fields.values()):
            if not isinstance(value, str) or not 0 < len(value) <= 128 or not value.isascii() or not value.isprintable():
                raise Malformed("a grant is made of ids and codes")
        if not self.fields or not self.at < self.use_by <= self.until:
            raise Malformed("a grant names fields and ends after it begins")


def sign_grant(grant: Grant, signer: SigningKey) -> bytes:
    """The signed statement, as it travels and is kept."""
    payload: dict[str, Any] = {name: getattr(grant, name) for name in _TEXTS}
    payload |= {name: time_text(getattr(grant, name)) for name in ("at", "use_by", "until")}
    return sign(GRANT, strictjson.dumps(payload | {"fields": dict(grant.fields)}), signer).to_bytes()


def verify_grant(data: bytes, owner: str, keys: Iterable[VerifyKey]) -> Grant:
    """The grant, once one of `owner`'s hub keys signed it; raises `BadSignature` or `Malformed`."""
    payload = verify(GRANT, Statement.from_bytes(data, max_bytes=_MAX_BYTES), keys)
    grant = _read(payload)
    if grant.owner != owner:
        raise Malformed("the grant speaks for another institution")
    return grant


def claimed_owner(data: bytes) -> str:
    """Whose grant this says it is, unverified: whose keys to check it with. Raises `Malformed`."""
    return _read(Statement.from_bytes(data, max_bytes=_MAX_BYTES).payload).owner


def _read(payload: bytes) -> Grant:
    found: Any = strictjson.loads(payload, max_bytes=_MAX_BYTES, max_depth=3)
    try:
        if not isinstance(found["fields"], dict):
            raise TypeError
        times = {name: time_value(found[name], "time") for name in ("at", "use_by", "until")}
        values: dict[str, Any] = {name: found[name] for name in _TEXTS} | times
        return Grant(fields=found["fields"], **values)
    except (KeyError, TypeError, ValueError):
        raise Malformed("the grant lacks a field or has one of a wrong type") from None
