"""Sign, pad, seal and back; what a changed byte, another road or another key does."""

import random
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import envelope
from keys.envelope import Inner, chunk_body, join_chunks
from keys.errors import BadSignature, CannotOpen, KeysError, Malformed, TooLarge
from keys.primitives import OpeningKey, SigningKey
from keys.vectors.generate import sample_inner
from tests.keys.test_frame import INNERS

HUB, OTHER_HUB = SigningKey(b"h" * 32), SigningKey(b"o" * 32)
KEY, OTHER_KEY = OpeningKey(b"k" * 32), OpeningKey(b"q" * 32)
INFO = envelope.info_bytes("cem-lima", "csmc-comas", "L3aY")


@settings(deadline=None, max_examples=50)
@given(INNERS)
def test_round_trip(inner: Inner) -> None:
    signed = envelope.sign_inner(inner, HUB)
    sealed = envelope.seal(signed.data, KEY.public, INFO)
    assert envelope.hint_of(sealed) == KEY.public.hint
    assert envelope.read_signed(envelope.unseal(sealed, KEY, INFO), [OTHER_HUB.public, HUB.public]) == signed


def test_resealing_keeps_the_digest_and_changes_the_outside() -> None:
    first, again = envelope.sign_inner(sample_inner(), HUB), envelope.sign_inner(sample_inner(), HUB)
    assert first == again
    assert envelope.seal(first.data, KEY.public, INFO) != envelope.seal(first.data, KEY.public, INFO)
    assert envelope.sign_inner(sample_inner(sequence=8), HUB).digest != first.digest


def test_every_changed_byte_of_a_sealed_envelope_is_refused() -> None:
    sealed = envelope.seal(envelope.sign_inner(sample_inner(), HUB).data, KEY.public, INFO)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1 << secrets.randbelow(8)
        with pytest.raises(KeysError):
            envelope.unseal(bytes(changed), KEY, INFO)


def test_the_unused_top_bit_of_the_curve_share_is_bound_too() -> None:
    sealed = bytearray(envelope.seal(b"x", KEY.public, INFO))
    sealed[9 + 1088 + 31] ^= 0x80
    with pytest.raises(CannotOpen):
        envelope.unseal(bytes(sealed), KEY, INFO)


@pytest.mark.parametrize("cut", [0, 1, 8, 9, 1144, 1145, 5000])
def test_cut_or_lengthened_envelopes_are_refused(cut: int) -> None:
    sealed = envelope.seal(b"x", KEY.public, INFO)
    for data in (sealed[:cut], sealed + bytes(1), bytes(envelope.MAX_SEALED + 1)):
        with pytest.raises(KeysError):
            envelope.unseal(data, KEY, INFO)


@pytest.mark.parametrize("road", [("csmc-comas", "cem-lima", "L3aY"), ("cem-lima", "csmc-comas", "L3aZ"), ("cem", "x", "y")])
def test_x22_an_envelope_opens_only_on_its_own_road(road: tuple[str, str, str]) -> None:
    sealed = envelope.seal(b"x", KEY.public, INFO)
    with pytest.raises(CannotOpen):
        envelope.unseal(sealed, KEY, envelope.info_bytes(*road))


def test_another_key_does_not_open_even_under_the_right_hint() -> None:
    sealed = envelope.seal(b"x", KEY.public, INFO)
    with pytest.raises(CannotOpen):
        envelope.unseal(sealed, OTHER_KEY, INFO)
    with pytest.raises(CannotOpen):
        envelope.unseal(sealed[:1] + OTHER_KEY.public.hint + sealed[9:], OTHER_KEY, INFO)


def test_x21_both_identities_stand_under_the_signature() -> None:
    signed = envelope.sign_inner(sample_inner(), HUB)
    for name in (b"cem-lima", b"csmc-comas", b"L3aY"):
        with pytest.raises(BadSignature):
            envelope.read_signed(signed.data.replace(name, b"x" * len(name)), [HUB.public])


def test_every_changed_byte_of_the_signed_message_is_refused() -> None:
    data = envelope.sign_inner(sample_inner(), HUB).data
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(KeysError):
            envelope.read_signed(changed, [HUB.public])


def test_a_stranger_cannot_replace_the_signature() -> None:
    signed = envelope.sign_inner(sample_inner(), OTHER_HUB)
    with pytest.raises(BadSignature) as caught:
        envelope.read_signed(signed.data, [HUB.public])
    assert caught.value.code == "keys.unknown_signer"


def test_the_signature_is_checked_before_anything_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(data: bytes) -> Inner:
        raise AssertionError("parsed before the signature held")

    monkeypatch.setattr(envelope, "parse_frame", parse)
    data = bytearray(envelope.sign_inner(sample_inner(), HUB).data)
    data[40] ^= 1
    with pytest.raises(BadSignature):
        envelope.read_signed(bytes(data), [HUB.public])


@given(st.binary(max_size=9000))
def test_x30_padding_shows_only_steps(data: bytes) -> None:
    padded = envelope.pad(data)
    assert len(padded) % envelope.STEP == 0
    assert len(padded) - len(data) <= envelope.STEP
    assert envelope.unpad(padded) == data


@pytest.mark.parametrize(
    "padded", [b"", bytes(4096), b"x\x80", b"x\x80" + bytes(8190), bytes(4095) + b"\x81", b"\x80" + bytes(65535)]
)
def test_foreign_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(KeysError):
        envelope.unpad(padded)


def test_x30_sizes_on_the_wire() -> None:
    sizes = {len(envelope.seal(bytes(size), KEY.public, INFO)) for size in (0, 1, 4000, 4095)}
    assert sizes == {4096 + 1145}
    assert len(envelope.seal(bytes(32767), KEY.public, INFO)) == envelope.MAX_SEALED
    with pytest.raises(TooLarge):
        envelope.seal(bytes(32768), KEY.public, INFO)


def test_a_message_that_does_not_fit_is_refused_before_sealing() -> None:
    with pytest.raises(TooLarge):
        envelope.sign_inner(sample_inner(body=bytes(32_550)), HUB)


def test_reprs_show_no_content() -> None:
    assert "mental" not in repr(envelope.sign_inner(sample_inner(), HUB))


PARTS = ("referral-1", "cem-lima", "disclosure", b"\x01")


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=500))
def test_referral_bodies_round_trip_and_bind_their_parts(body: bytes) -> None:
    sealed = envelope.seal_body(KEY.public, PARTS, body)
    assert envelope.open_body(KEY, PARTS, sealed) == body
    for parts in (("referral-2", *PARTS[1:]), PARTS[:-1], ("referral-1cem-lima", *PARTS[2:]), ()):
        with pytest.raises(CannotOpen):
            envelope.open_body(KEY, parts, sealed)
    with pytest.raises(KeysError):
        envelope.open_body(OTHER_KEY, PARTS, sealed)


def test_a_body_never_opens_as_an_envelope() -> None:
    with pytest.raises(CannotOpen):
        envelope.unseal(envelope.seal_body(KEY.public, (INFO,), envelope.pad(b"x")), KEY, INFO)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 200_000), st.randoms(use_true_random=False))
def test_chunks_round_trip_in_any_order_and_each_fits(size: int, order: random.Random) -> None:
    body = secrets.token_bytes(size)
    chunks = list(chunk_body("disclosure", body))
    for chunk in chunks:
        envelope.sign_inner(
            sample_inner(kind="chunk", body=chunk, checkpoint=bytes(220), extensions=(("hek", bytes(1400)),)), HUB
        )
    order.shuffle(chunks)
    assert join_chunks(chunks) == ("disclosure", body)


def test_bad_groups_of_chunks_are_refused() -> None:
    one, two = list(chunk_body("a", bytes(60_000))), list(chunk_body("a", bytes(60_000)))
    altered = one[1][:-1] + b"\x01"
    for group in ([], one[:-1], one[1:], [*one, one[0]], [one[0], *two[1:]], [one[0], altered, *one[2:]], [b"", *one]):
        with pytest.raises(Malformed):
            join_chunks(group)


def test_what_is_never_cut() -> None:
    for kind, body in (("chunk", b"x"), ("a", b""), ("a", bytes(64 * 28 * 1024 + 1))):
        with pytest.raises(KeysError):
            chunk_body(kind, body)
