"""What institutions sign about a sharing protocol: the proposal of a version, and each party's words on it (ADR 0022).

A proposal is one signed payload: which document (by its SHA-256), read with which vocabulary, between which institutions, which of them holds
the community seat, and from when it counts. Its name is the SHA-256 of the payload. Every word (signature, refusal, comment, answer) names
that digest, so a word about other bytes, other parties or another date is a word about something else; and its kind is part of the signed
bytes (`keys.statement`), so that no comment can be shown as a signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

from keys import strictjson
from keys.codec import check_id, time_text, time_value
from keys.errors import Malformed
from keys.primitives import SigningKey, VerifyKey, sha256
from keys.statement import Statement, sign, verify

PROPOSAL: Final = "protocol-proposal"
SIGNATURE, REFUSAL, COMMENT, ANSWER = "signature", "refusal", "comment", "answer"
KINDS: Final = (SIGNATURE, REFUSAL, COMMENT, ANSWER)
MAX_DOCUMENT: Final = 20_000
MAX_TEXT: Final = 2_000
MAX_PARTIES: Final = 60
MAX_HEARD: Final = 150
_MAX_BYTES: Final = 96 * 1024
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_VOICE: Final = re.compile(r"(?:V-[0-9A-Z]{6})?")
T = TypeVar("T", "Proposal", "Word")
PROTOCOL_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """One version of one protocol, put before its parties."""

    proposer: str
    protocol: str
    version: int
    document: str
    """SHA-256 of the document's bytes, in hex; `vocabulary`: of the vocabulary it is read with."""
    vocabulary: str
    parties: tuple[str, ...]
    """Who must sign, sorted, the proposer among them; `seat`: which of them speaks for the community."""
    seat: str
    starts: date
    consulted: date
    """The last day of the consultation; `closes`: the last day on which a party may sign."""
    closes: date
    why: str
    at: datetime

    def __post_init__(self) -> None:
        for value in (self.proposer, self.seat, *self.parties):
            check_id(value, "institution id")
        if tuple(sorted(set(self.parties))) != self.parties or not 2 <= len(self.parties) <= MAX_PARTIES:
            raise Malformed("a proposal lists its parties sorted, each once, at least two")
        if self.proposer not in self.parties or self.seat not in self.parties:
            raise Malformed("proposer and community seat are among the parties")
        if not PROTOCOL_ID.fullmatch(self.protocol) or not 1 <= self.version <= 999_999:
            raise Malformed("the protocol's id or version has a form that is not allowed")
        _digest(self.document)
        _digest(self.vocabulary)
        if not self.consulted <= self.closes or not self.starts <= self.closes:
            raise Malformed("a proposal closes before it is consulted or counts")
        _text(self.why, least=1)

    def to_payload(self) -> bytes:
        """The bytes that are signed."""
        return strictjson.dumps(
            {
                "proposer": self.proposer, "protocol": self.protocol, "version": self.version, "document": self.document,
                "vocabulary": self.vocabulary, "parties": list(self.parties), "seat": self.seat, "starts": self.starts.isoformat(),
                "consulted": self.consulted.isoformat(), "closes": self.closes.isoformat(), "why": self.why, "at": time_text(self.at),
            }
        )  # fmt: skip

    @property
    def id(self) -> str:
        """SHA-256 of the payload, in hex."""
        return sha256(self.to_payload()).hex()


@dataclass(frozen=True, kw_only=True)
class Word:
    """One party's word on one proposal."""

    institution: str
    kind: str
    proposal: str
    at: datetime
    text: str = ""
    """Of a comment, an answer or a refusal."""
    to: str = ""
    """Of an answer: the id of the comment."""
    voice: str = ""
    """Of a comment that came by a contribution code: what its author is called; empty: the institution speaks."""
    heard: tuple[str, ...] = ()
    """Of a signature: the comments that its author knew, each of them answered. It counts where these are known and answered too."""

    def __post_init__(self) -> None:
        check_id(self.institution, "institution id")
        _digest(self.proposal)
        if self.kind not in KINDS:
            raise Malformed("a word is a signature, a refusal, a comment or an answer")
        _text(self.text, least=0 if self.kind == SIGNATURE else 1)
        if (self.kind == ANSWER) != bool(self.to) or not _VOICE.fullmatch(self.voice) or (self.voice and self.kind != COMMENT):
            raise Malformed("an answer names its comment, and only a comment has a voice")
        for each in (*self.heard, *([self.to] if self.to else [])):
            _digest(each)
        if tuple(sorted(set(self.heard))) != self.heard or len(self.heard) > MAX_HEARD or (self.heard and self.kind != SIGNATURE):
            raise Malformed("only a signature names comments, sorted, each once")
        if self.kind == SIGNATURE and self.text:
            raise Malformed("a signature says nothing else")

    def to_payload(self) -> bytes:
        """The bytes that are signed, under the word's kind."""
        return strictjson.dumps(
            {
                "institution": self.institution, "proposal": self.proposal, "at": time_text(self.at), "text": self.text, "to": self.to,
                "voice": self.voice, "heard": list(self.heard),
            }
        )  # fmt: skip

    @property
    def id(self) -> str:
        """SHA-256 of kind and payload, in hex: the same word, signed twice, has one id."""
        return sha256(self.kind.encode("ascii"), b"|", self.to_payload()).hex()


def sign_proposal(proposal: Proposal, signer: SigningKey) -> bytes:
    """The proposal as it travels."""
    return sign(PROPOSAL, proposal.to_payload(), signer).to_bytes()


def claimed_proposal(data: bytes) -> Proposal:
    """What a statement says, whoever signed it: to learn whose keys it must be held against. Raises `Malformed`."""
    return _proposal(Statement.from_bytes(data, max_bytes=_MAX_BYTES).payload)


def verify_proposal(data: bytes, keys: Iterable[VerifyKey]) -> Proposal:
    """The proposal, once a key of its proposer signed it. Raises `BadSignature`, `Malformed`."""
    return _proposal(verify(PROPOSAL, Statement.from_bytes(data, max_bytes=_MAX_BYTES), keys))


def sign_word(word: Word, signer: SigningKey) -> bytes:
    """The word as it travels; its kind travels beside it, and is signed."""
    return sign(f"protocol-{word.kind}", word.to_payload(), signer).to_bytes()


def claimed_word(kind: str, data: bytes) -> Word:
    """What a statement says, whoever signed it. Raises `Malformed`."""
    return _word(kind, Statement.from_bytes(data, max_bytes=_MAX_BYTES).payload)


def verify_word(kind: str, data: bytes, keys: Iterable[VerifyKey]) -> Word:
    """The word, once a key of its author signed it as this kind. Raises `BadSignature`, `Malformed`."""
    if kind not in KINDS:
        raise Malformed("a word is a signature, a refusal, a comment or an answer")
    return _word(kind, verify(f"protocol-{kind}", Statement.from_bytes(data, max_bytes=_MAX_BYTES), keys))


def _proposal(payload: bytes) -> Proposal:
    found = _table(payload)
    try:
        proposal = Proposal(
            proposer=found["proposer"], protocol=found["protocol"], version=_number(found["version"]), document=found["document"],
            vocabulary=found["vocabulary"], parties=_texts(found["parties"]), seat=found["seat"], starts=_day(found["starts"]),
            consulted=_day(found["consulted"]), closes=_day(found["closes"]), why=found["why"], at=time_value(found["at"], "time"),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Malformed("the proposal lacks a field or has one of a wrong type") from None
    return _same(proposal, payload)


def _word(kind: str, payload: bytes) -> Word:
    found = _table(payload)
    try:
        word = Word(
            institution=found["institution"], kind=kind, proposal=found["proposal"], at=time_value(found["at"], "time"), text=found["text"],
            to=found["to"], voice=found["voice"], heard=_texts(found["heard"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Malformed("the word lacks a field or has one of a wrong type") from None
    return _same(word, payload)


def _same(made: T, payload: bytes) -> T:
    """One spelling for each content: else one promise would have two names."""
    if made.to_payload() != payload:
        raise Malformed("the statement is not spelt as it is signed")
    return made


def _table(payload: bytes) -> dict[str, Any]:
    found = strictjson.loads(payload, max_bytes=_MAX_BYTES, max_depth=3)
    if not isinstance(found, dict):
        raise Malformed("a signed word is an object")
    return found


def _digest(value: Any) -> None:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise Malformed("a digest is 64 hexadecimal digits")


def _text(value: Any, least: int) -> None:
    if not isinstance(value, str) or not least <= len(value.strip()) <= len(value) <= MAX_TEXT:
        raise Malformed(f"a text is {least} to {MAX_TEXT} characters")


def _texts(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise Malformed("names come as a list of texts")
    return tuple(found)


def _number(found: Any) -> int:
    if type(found) is not int:
        raise Malformed("a version is a number")
    return found


def _day(found: Any) -> date:
    day = date.fromisoformat(found)
    if day.isoformat() != found:
        raise ValueError
    return day
