"""A version of a protocol as files that a third person can hold against each other without any hub: `tinkuy protocol export` and `verify`.

    protocol.yaml     the document, byte for byte          proposal.json   the proposal as its proposer signed it
    words/NN-KIND.json  every signed word, in their order    manifests/INSTITUTION.N.json   whose keys they are held against

What the files prove is who signed which bytes; that a manifest is the institution's own, its fingerprint proves, compared over another channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from keys import protocolword as pw
from keys.errors import KeysError
from keys.manifest import Manifest, accept_one
from keys.primitives import VerifyKey, sha256
from keys.statement import Statement

DOCUMENT, PROPOSAL, WORDS, MANIFESTS = "protocol.yaml", "proposal.json", "words/", "manifests/"


@dataclass(kw_only=True)
class Proof:
    """What the files show: `wrong` are codes with the file or institution; nothing is proven unless it is empty."""

    proposal: pw.Proposal | None = None
    signed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    comments: list[tuple[pw.Word, pw.Word | None]] = field(default_factory=list)
    refused: list[pw.Word] = field(default_factory=list)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    lacking: dict[str, bool] = field(default_factory=dict)
    """Institutions whose signature nothing here speaks for or against: no manifest of theirs is here (False), or none that names the key (True)."""

    @property
    def whole(self) -> bool:
        """Whether every party signed these very bytes, and every comment that they name is here with its answer."""
        return self.proposal is not None and not self.wrong and not self.missing and not self.lacking


def verify(files: Mapping[str, bytes]) -> Proof:
    """Hold them against each other. Never raises for what is in them."""
    proof = Proof()
    keys = _keys(files, proof)
    try:
        claimed = pw.claimed_proposal(files[PROPOSAL])
        said_to_sign = _claims(files)
        proof.lacking = {name: False for name in claimed.parties if name not in keys and name in said_to_sign}
        if not _speaks(files[PROPOSAL], claimed.proposer, keys, proof):
            return proof
        proof.proposal = pw.verify_proposal(files[PROPOSAL], keys[claimed.proposer])
    except (KeysError, KeyError):
        proof.wrong.append(("proposal", PROPOSAL))
        return proof
    if sha256(files.get(DOCUMENT, b"")).hex() != proof.proposal.document:
        proof.wrong.append(("document", DOCUMENT))
    words = _words(files, keys, proof)
    answers = {word.to: word for word in words if word.kind == pw.ANSWER and word.institution == proof.proposal.proposer}
    proof.comments = [(word, answers.get(word.id)) for word in words if word.kind == pw.COMMENT]
    proof.refused = [word for word in words if word.kind == pw.REFUSAL]
    settled = {comment.id for comment, answer in proof.comments if answer}
    signed = {word.institution for word in words if word.kind == pw.SIGNATURE and settled.issuperset(word.heard)}
    proof.signed = sorted(signed & set(proof.proposal.parties))
    proof.missing = sorted(set(proof.proposal.parties) - signed - (said_to_sign & set(proof.lacking)))
    return proof


def _claims(files: Mapping[str, bytes]) -> set[str]:
    """Whose signature is said to be here. Whoever has none here has not signed, whether her manifest is here or not."""
    found = set()
    for name in files:
        if name.startswith(WORDS) and name.endswith(f"-{pw.SIGNATURE}.json"):
            with suppress(KeysError):
                found.add(pw.claimed_word(pw.SIGNATURE, files[name]).institution)
    return found


def _keys(files: Mapping[str, bytes], proof: Proof) -> dict[str, tuple[VerifyKey, ...]]:
    """Per institution the keys of its manifests, newest last; each is signed by its own roots, and by those before it."""
    read: list[tuple[Manifest, str]] = []
    for name in sorted(name for name in files if name.startswith(MANIFESTS)):
        try:
            read.append((Manifest.from_bytes(files[name]), name))
        except KeysError:
            proof.wrong.append(("no_manifest", name))
    found: dict[str, tuple[VerifyKey, ...]] = {}
    for manifest, name in sorted(read, key=lambda pair: (pair[0].institution, pair[0].version)):
        try:  # its moment is long past: only that each follows the one before it is asked
            accept_one(proof.manifests.get(manifest.institution), manifest.raw, manifest.profile.issued)
        except KeysError:
            proof.wrong.append(("manifest", name))
            continue
        proof.manifests[manifest.institution] = manifest
        found[manifest.institution] = (*found.get(manifest.institution, ()), *manifest.profile.hub_signing)
    return found


def _words(files: Mapping[str, bytes], keys: Mapping[str, tuple[VerifyKey, ...]], proof: Proof) -> list[pw.Word]:
    assert proof.proposal is not None
    found = []
    for name in sorted(name for name in files if name.startswith(WORDS)):
        kind = name.removeprefix(WORDS).partition("-")[2].removesuffix(".json")
        try:
            claimed = pw.claimed_word(kind, files[name])
            if not _speaks(files[name], claimed.institution, keys, proof):
                continue
            word = pw.verify_word(kind, files[name], keys[claimed.institution])
        except KeysError:
            proof.wrong.append(("word", name))
            continue
        if word.proposal != proof.proposal.id or word.institution not in proof.proposal.parties:
            proof.wrong.append(("other", name))
            continue
        found.append(word)
    return found


def _speaks(data: bytes, author: str, keys: Mapping[str, tuple[VerifyKey, ...]], proof: Proof) -> bool:
    """Whether a manifest here names the key of this signature: only then can it be right or wrong, otherwise nothing is known of it."""
    known = {key.keyid for key in keys.get(author, ())}
    if known.intersection(each.keyid for each in Statement.from_bytes(data).signatures):
        return True
    proof.lacking[author] = bool(known)
    return False
