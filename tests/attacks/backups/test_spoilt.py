"""R13 and what accidents do: a stolen backup is noise; a wrong, cut, changed, exchanged or foreign one is refused with nothing half done."""

from __future__ import annotations

import base64
import io
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.app import backup, restore
from hub.app.parts import open_part
from hub.backup_words import sentence_of
from hub.base.errors import Stopped, TinkuyError
from keys import agefile, archive
from keys.errors import KeysError
from keys.journal import journal_key
from keys.primitives import SigningKey
from tests.attacks.backups.bench import CEM, CSMC, Filed
from tests.attacks.canaries import hits, marker
from tests.attacks.twins.bench import Road

NAME = marker()


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    made = Filed(tmp_path_factory.mktemp("spoilt"), CEM, CSMC)
    road = Road(net=made)
    road.open(NAME)
    made.settle()
    return made


@pytest.fixture
def parts(net: Filed) -> tuple[Path, Path]:
    net.clock.advance(timedelta(seconds=2))
    made = net.back_up(CEM)
    net.pulse(CEM)
    return made


def refused(work: Callable[[], object]) -> str:
    """The code of the refusal, which has a sentence of its own in both languages."""
    with pytest.raises((TinkuyError, KeysError)) as caught:
        work()
    code = caught.value.code
    es, en, fix_es, fix_en = sentence_of(code, {})
    assert es != en
    assert fix_es
    assert fix_en
    assert es != sentence_of("nothing.of.the.kind", {})[0], f"no sentence for {code}"
    return str(code)


def try_to_restore(net: Filed, parts: tuple[Path, Path], disk: Path | None = None) -> tuple[str, list[str]]:
    """The refusal's code, and what lies in the new machine's folder afterwards."""
    machine = net.machine(CEM, "emergency_centre", disk)
    code = refused(lambda: restore.restore(machine.config, net.wanted(parts), net.clock.now()))
    assert not (machine.folder / "s" / restore.UNFINISHED).exists()
    left = sorted(path.name for path in machine.folder.rglob("*") if path.is_file() and path.stat().st_size)
    return code, left


# ---- (c) what a thief has ---------------------------------------------------------------------------------------------------


def test_r13_a_stolen_backup_shows_nothing_but_its_size_and_time(net: Filed, parts: tuple[Path, Path]) -> None:
    for path in parts:
        data = path.read_bytes()
        assert hits(data, {"her": NAME, "code": CEM, "table": "case_fields", "ana": "@ana"}) == []
        assert data.startswith(b"age-encryption.org/v1\n-> X25519 ")
    other = net.disk / "other identity"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    other.chmod(0o600)
    for part, path in zip((archive.DATA, archive.KEYS), parts, strict=True):
        assert refused(partial(open_part, path, agefile.read_identities(other), part)) == "backup.wrong_identity"


def test_r13_not_even_with_the_identity_does_the_data_part_show_her(net: Filed, parts: tuple[Path, Path]) -> None:
    """Its values lie under keys that are in the other part, under a KEK that is in neither."""
    for path in parts:
        plain = io.BytesIO()
        agefile.open_sealed(path.open("rb"), plain, agefile.read_identities(net.disk / "identity"))
        assert hits(plain.getvalue(), {"her": NAME}) == []
    assert b"AGE-SECRET" not in plain.getvalue()
    assert (net.disk / f"kek-{CEM}").read_bytes().split()[1] not in plain.getvalue()


def test_an_independent_reader_opens_ours(net: Filed, parts: tuple[Path, Path]) -> None:
    """age's specification, written down once more below with other libraries, and Debian's `age` when it is here."""
    for path in parts:
        plain = age_open(path.read_bytes(), str(net.identity))
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            assert {"index", "manifest.json"} <= set(tar.getnames())
        if shutil.which("age"):
            told = subprocess.run(["age", "-d", "-i", str(net.disk / "identity"), str(path)], capture_output=True, check=True)
            assert told.stdout == plain


def test_ours_opens_what_debians_age_made(net: Filed, tmp_path: Path) -> None:
    if shutil.which("age") is None:
        assert age_open(agefile_sealed(b"x", str(net.identity.to_public())), str(net.identity)) == b"x"
        return
    made = tmp_path / "theirs.age"
    subprocess.run(["age", "-r", str(net.identity.to_public()), "-o", str(made)], input=b"hola", check=True)
    plain = io.BytesIO()
    agefile.open_sealed(made.open("rb"), plain, agefile.read_identities(net.disk / "identity"))
    assert plain.getvalue() == b"hola"


def agefile_sealed(data: bytes, recipient: str) -> bytes:
    out = io.BytesIO()
    agefile.seal(io.BytesIO(data), out, [recipient])
    return out.getvalue()


def age_open(data: bytes, identity: str) -> bytes:
    """age v1 with one X25519 stanza (C2SP age.md), on `cryptography` alone."""
    header, _, rest = data.partition(b"\n---")
    mac, _, body = rest.partition(b"\n")
    secret = X25519PrivateKey.from_private_bytes(bech32(identity))
    ours = secret.public_key().public_bytes_raw()
    lines = header.split(b"\n")
    share = unpadded(next(line for line in lines if line.startswith(b"-> X25519 ")).split()[2])
    wrapped = unpadded(lines[lines.index(next(line for line in lines if line.startswith(b"-> X25519 "))) + 1])
    shared = secret.exchange(X25519PublicKey.from_public_bytes(share))
    key = hkdf(shared, salt=share + ours, info=b"age-encryption.org/v1/X25519")
    file_key = ChaCha20Poly1305(key).decrypt(bytes(12), wrapped, None)
    check = HMAC(hkdf(file_key, salt=b"", info=b"header"), SHA256())
    check.update(header + b"\n---")
    check.verify(unpadded(mac.strip()))
    payload = ChaCha20Poly1305(hkdf(file_key, salt=body[:16], info=b"payload"))
    chunks = [body[16:][start : start + 65536 + 16] for start in range(0, len(body) - 16, 65536 + 16)]
    return b"".join(
        payload.decrypt(struct.pack(">Q", number).rjust(11, b"\0") + (b"\1" if number == len(chunks) - 1 else b"\0"), chunk, None)
        for number, chunk in enumerate(chunks)
    )


def hkdf(secret: bytes, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def unpadded(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4))


def bech32(text: str) -> bytes:
    digits = ["qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(c) for c in text.lower().partition("1")[2][:-6]]
    number = 0
    for digit in digits:
        number = number << 5 | digit
    return (number >> (5 * len(digits) % 8)).to_bytes(32, "big")


# ---- (d) what goes wrong ----------------------------------------------------------------------------------------------------


def test_cut_or_changed_anywhere_it_is_refused(net: Filed, parts: tuple[Path, Path], tmp_path: Path) -> None:
    data, keys = parts
    whole = keys.read_bytes()
    spoilt = tmp_path / "spoilt.keys.age"
    cut = (whole[:-1], whole[: len(whole) // 2], whole[:70], whole + b"\0")
    for change in (*cut, *(flipped(whole, at) for at in range(30, len(whole), len(whole) // 12))):
        spoilt.write_bytes(change)
        code, left = try_to_restore(net, (data, spoilt))
        assert code in ("backup.damaged", "backup.wrong_identity", "backup.not_age")
        assert left == []
    spoilt.write_bytes(b"not an age file at all")
    assert try_to_restore(net, (data, spoilt))[0] == "backup.not_age"
    assert try_to_restore(net, (data, tmp_path / "absent"))[0] == "backup.absent"


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_parts_do_not_take_each_others_place(net: Filed, parts: tuple[Path, Path]) -> None:
    data, keys = parts
    assert try_to_restore(net, (keys, data)) == ("backup.other_part", [])
    net.clock.advance(timedelta(hours=1))
    newer = net.back_up(CEM)
    assert try_to_restore(net, (newer[0], keys)) == ("backup.keys_before_data", [])


def test_another_institutions_backup_is_refused(net: Filed, parts: tuple[Path, Path]) -> None:
    foreign = net.back_up(CSMC)
    assert try_to_restore(net, foreign)[0] == "backup.other_institution"
    assert try_to_restore(net, (parts[0], foreign[1]))[0] == "backup.other_institution"


def forged(
    net: Filed, parts: tuple[Path, Path], folder: Path, *, schema: str | None = None, signer: SigningKey | None = None, row: bytes | None = None
) -> Path:
    """A data part made by somebody who can open and seal, with something else in it."""
    from hub.app.offline import open_identity

    opened = open_part(parts[0], agefile.read_identities(net.disk / "identity"), archive.DATA)
    identity, _ = open_identity(net.machines[CEM].config)
    out = io.BytesIO()
    tar = backup._Tar(out)
    for name in opened.index.parts[archive.DATA]:
        tar.add(name, row if row is not None and name.endswith("case_fields.jsonl") else opened.read(name))
    members = opened.index.parts[archive.DATA] if row is not None else tar.members
    index = archive.Index(
        institution=CEM, backup="tinkuy-forged", at=opened.index.at, schema=schema or opened.index.schema, ledger=opened.index.ledger,
        journal=opened.index.journal, parts=opened.index.parts | {archive.DATA: members},
    )  # fmt: skip
    tar.close(archive.sign_index(index, *([signer] if signer else [identity.hub_signing, journal_key(identity)])))
    path = folder / "forged.data.age"
    backup._seal(out, path, (str(net.identity.to_public()),))
    return path


def test_only_the_hub_itself_makes_its_backups(net: Filed, parts: tuple[Path, Path], tmp_path: Path) -> None:
    """Recipients are public: anybody can seal an archive to them. Its index must be signed by the hub, its members be those that were signed."""
    assert try_to_restore(net, (forged(net, parts, tmp_path, signer=SigningKey.generate()), parts[1])) == ("keys.bad_signature", [])
    (tmp_path / "forged.data.age").unlink()
    assert try_to_restore(net, (forged(net, parts, tmp_path, row=b'["id"]\n'), parts[1])) == ("backup.damaged", [])


def test_r13_whoever_has_a_stolen_signing_key_makes_no_backup(net: Filed, parts: tuple[Path, Path], tmp_path: Path) -> None:
    """The manifest inside lists the stolen key, and roots are public: everything in the part fits, but nobody of ours signed it."""
    from hub.app.offline import open_identity

    identity, _ = open_identity(net.machines[CEM].config)
    made = forged(net, parts, tmp_path, signer=identity.hub_signing)
    assert try_to_restore(net, (made, parts[1])) == ("backup.foreign_signer", [])
    config, people_know = net.machines[CEM].config, journal_key(identity).public
    wanted = restore.Wanted(data=made, keys=None, identity=net.disk / "identity", signer=people_know)
    assert refused(lambda: restore.verify(config, wanted, net.clock.now())) == "backup.foreign_signer"
    genuine = restore.verify(config, replace(wanted, data=parts[0]), net.clock.now())
    assert "origin" not in genuine.unseen
    assert refused(lambda: restore.verify(config, net.wanted((made, parts[1])), net.clock.now())) == "backup.foreign_signer"


def test_a_newer_schema_is_refused(net: Filed, parts: tuple[Path, Path], tmp_path: Path) -> None:
    assert try_to_restore(net, (forged(net, parts, tmp_path, schema="9999"), parts[1])) == ("database.newer", [])


def test_without_the_kek_or_with_another_nothing_is_restored(net: Filed, parts: tuple[Path, Path]) -> None:
    kek = net.disk / f"kek-{CEM}"
    kept = kek.read_bytes()
    try:
        kek.unlink()
        assert try_to_restore(net, parts)[0] == "kek.unavailable"
        shutil.copy(net.disk / f"kek-{CSMC}", kek)
        assert try_to_restore(net, parts) == ("backup.wrong_kek", [])
    finally:
        kek.write_bytes(kept)
        kek.chmod(0o600)


def test_nothing_is_overwritten(net: Filed, parts: tuple[Path, Path]) -> None:
    config = net.machines[CEM].config
    assert refused(lambda: restore.restore(config, net.wanted(parts), net.clock.now())) == "backup.not_empty"


def test_an_interrupted_restore_stops_the_hub_and_begins_again(net: Filed, parts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    machine = net.machine(CEM, "emergency_centre")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restore, "restart", dies)
        with pytest.raises(KeyboardInterrupt):
            restore.restore(machine.config, net.wanted(parts), net.clock.now())
    assert (machine.config.paths.state / restore.UNFINISHED).exists()
    from hub.app.house import open_house

    async def start() -> None:
        import asyncio

        await open_house(machine.config, asyncio.Event())

    import asyncio

    with pytest.raises(Stopped) as stopped:
        asyncio.run(start())
    assert stopped.value.code == "backup.unfinished"
    assert restore.restore(machine.config, net.wanted(parts), net.clock.now())["proven"]
    assert not (machine.config.paths.state / restore.UNFINISHED).exists()


def test_a_journal_that_was_cut_in_the_middle_or_changed_stops_the_restore(net: Filed, tmp_path: Path) -> None:
    from hub.actions.erase import shred

    for owner in ("say_a", "say_b", "say_c"):
        net[CEM].run(lambda unit, o=owner: (unit.vault.create(o), shred(unit, o, "said")))
    net.clock.advance(timedelta(seconds=2))
    data, keys = net.back_up(CEM)
    net.pulse(CEM)
    aside = tmp_path / "aside"
    (aside / "keys").mkdir(parents=True)
    moved = (Path(shutil.copy(data, aside)), Path(shutil.copy(keys, aside)))
    journal = next(path for path in data.parent.glob(f"tombstones-{CEM}-*.journal") if b"say_b" in path.read_bytes())
    shutil.copy(journal.with_suffix(".pulse"), aside)
    lines = journal.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if b"say_b" in line)
    for spoilt in (lines[:at] + lines[at + 1 :], [*lines[:at], lines[at].replace(b"say_", b"sax_"), *lines[at + 1 :]]):
        (aside / journal.name).write_bytes(b"".join(spoilt))
        assert try_to_restore(net, moved, aside) == ("backup.journal_broken", [])
    (aside / journal.name).write_bytes(b"".join(lines[:-1]))  # the end is missing: every line holds, but the pulse and the index know better
    assert try_to_restore(net, moved, aside) == ("backup.tombstones_old", [])
    (aside / journal.name).write_bytes(b"".join(lines) + b"4 17 say_")  # a line that a crash cut short
    machine = net.machine(CEM, "emergency_centre", aside)
    assert restore.restore(machine.config, net.wanted(moved), net.clock.now())["proven"]


def test_verify_says_what_it_could_prove(net: Filed, parts: tuple[Path, Path]) -> None:
    config = net.machines[CEM].config
    proof = restore.verify(config, net.wanted(parts), net.clock.now())
    assert proof.wrong == []
    assert proof.unseen == []
    assert set(proof.facts) == {"data", "keys", "ledger", "tombstones", "cells"}
    assert proof.facts["cells"]["open"] >= 2
    assert proof.facts["cells"]["broken"] == 0
    alone = restore.verify(config, restore.Wanted(data=parts[0], keys=None, identity=net.disk / "identity"), net.clock.now())
    assert alone.unseen == ["origin", "keyring", "cells", "tombstones"]
    assert restore.verify(config, net.wanted(parts), net.clock.now() + timedelta(days=8)).wrong == ["backup.keys_expired"]
