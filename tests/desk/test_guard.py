"""The language guard as people meet it: asked before words leave, advised alone, taken out where set so, never in the way of an emergency."""

from __future__ import annotations

import pytest

from hub.actions import guard
from hub.actions.guard import Room, set_mode
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.chat.desk import hear
from hub.chat.guarding import watch
from hub.chat.heard import Heard
from hub.testing.twin import Said, Twin
from tests.desk.test_words import ADDRESS, DOCUMENT, LEGAL, PHONE, Desk, open_desk, pick

SECRET = "45600089"
DIRECT = "direct:@ana:cem-lima.example"


Working = tuple[Desk, str, Said]


@pytest.fixture(scope="module")
def working() -> Working:
    """Accepted: words may go. Her telephone may be known there; her legal name, document and story may not. One for all who change nothing."""
    return _accepted()


@pytest.fixture
def own() -> Working:
    """The same, for those who do."""
    return _accepted()


def _accepted() -> Working:
    desk = open_desk()
    code, offer = desk.accepted()
    return desk, code, offer


def private(desk: Desk, user: str = "ana") -> list[str]:
    """What she read in her direct chat."""
    return [said.body for said in desk.cem.said if said.room.endswith(f"direct:@{user}:cem-lima.example")]


def heard(desk: Desk) -> str:
    """Everything the other desk was told."""
    desk.net.settle()
    return "\n".join(said.body for said in desk.csmc.said)


def kept(twin: Twin) -> str:
    """Every row of every table as text."""
    def read(unit: Unit) -> str:
        rows = (unit.posts, unit.questions, unit.advice, unit.guard_counts, unit.log, unit.timers, unit.outbox, unit.handled)
        return "\n".join(repr(row) for one in rows for row in one.all())

    return twin.run(read)


def test_what_she_may_not_give_is_asked_about_before_it_leaves(working: Working) -> None:
    desk, code, _ = working
    said = desk.ana(f"decir: llámenla, se llama {LEGAL} y su documento es {DOCUMENT}")
    assert f"{code}: todavía no salió hacia Csmc Comas" in said
    assert "nombre legal" in said
    assert "número de documento" in said
    assert LEGAL not in said
    assert DOCUMENT not in said
    assert LEGAL not in heard(desk)


@pytest.mark.parametrize(
    ("option", "there", "absent"),
    [
        ("enviarlo sin", "llámenla, se llama (dato reservado), gracias", LEGAL), ("enviarlo tal", f"se llama {LEGAL}, gracias", "(dato reservado)"),
        ("no enviarlo", "", "llámenla"),
    ],
)  # fmt: skip
def test_she_decides_by_number(working: Working, option: str, there: str, absent: str) -> None:
    desk, _, _ = working
    before = heard(desk)
    answer = desk.ana(pick(desk.ana(f"decir: llámenla, se llama {LEGAL}, gracias"), option))
    told = heard(desk).removeprefix(before)
    assert there in told
    assert absent not in told
    assert ("no salió" in answer) == (option == "no enviarlo")


def test_what_the_protocol_and_she_allow_is_not_asked_about(working: Working) -> None:
    """Her telephone was given them: saying it again is their work."""
    desk, _, _ = working
    assert "Enviado a Csmc Comas" in desk.ana(f"decir: contesta al {PHONE[:3]} {PHONE[3:6]} {PHONE[6:]}")
    assert "todavía no salió" in desk.ana("decir: contesta al 900 555 444"), "another number is nobody's that they know"


def test_withdrawn_it_is_asked_about_again(own: Working) -> None:
    """The guard asks the same ruling as every disclosure: the moment her consent ends, her number is withheld."""
    desk, _, _ = own
    said = desk.ana(f"retirar {desk.code} de csmc-comas teléfono")
    desk.ana(pick(said, "retirar"))
    desk.net.settle()
    assert "teléfono" in desk.ana(f"decir: contesta al {PHONE}")
    assert PHONE not in heard(desk)


@pytest.mark.parametrize(
    "words", ["la está golpeando, vive en {address}", "manden ambulancia a {address}", "está en peligro ahora, se llama {legal}",
    "tiene un cuchillo, {document}", "Emergencia: mujer herida en {address}", "No responde, corre peligro. Su documento: {document}",
    "Aún no está fuera de peligro, vayan a {address}", "No puede salir. PELIGRO. {document}", "La policía no llega. Urgente: {document}",
    "Socorro, él quiere matarla, {address}", "¡Ayuda! se cortó las venas, {address}"]
)
def test_an_emergency_goes_at_once_and_the_advice_comes_after(working: Working, words: str) -> None:
    desk, code, _ = working
    said = words.format(address=ADDRESS, legal=LEGAL, document=DOCUMENT)
    answer = desk.ana(f"decir: {said}")
    assert "Enviado a Csmc Comas" in answer
    assert said in heard(desk)
    assert f"{code}: salió de inmediato" in private(desk)[-1]


def test_with_a_critical_risk_nothing_is_kept_back(own: Working) -> None:
    desk, _, _ = own
    desk.ana("anotar riesgo: crítico")
    assert "Enviado a Csmc Comas" in desk.ana(f"decir: se llama {LEGAL}")


def test_p05_what_is_written_past_the_eye_is_seen_too(working: Working) -> None:
    """Zero-width signs, full-width digits, look-alike letters, spelt digits."""
    desk, _, _ = working
    zero, wide = "\u200b".join(DOCUMENT), "".join(chr(ord(digit) + 0xFEE0) for digit in DOCUMENT)
    for hidden in (zero, wide, "cero cero cero cero cero cero uno siete", LEGAL.replace("o", "о").replace("a", "а"), " ".join(LEGAL)):
        assert "todavía no salió" in desk.ana(f"decir: es {hidden}"), hidden
    assert "no salió todavía" in desk.ana("decir: propongo con\u200bciliación")


def test_unkind_words_are_asked_about_in_private(working: Working) -> None:
    desk, code, _ = working
    said = desk.ana("decir: propongo que concilie con el esposo")
    assert said.startswith(f"{code}: no salió todavía. Le escribí en su chat directo.")
    asked = private(desk)[-1]
    assert "Ley 30364" in asked
    assert "concilie" not in asked, "what she wrote is not repeated"
    assert "concilie" not in heard(desk)
    assert "Enviado a Csmc Comas" in desk.ana(pick(asked, "enviarlo tal"), room="direct")
    assert "concilie con el esposo" in heard(desk)


def test_why_a_field_is_asked_for_is_looked_at_too(working: Working) -> None:
    desk, code, offer = working
    said = desk.bea("pedir embarazo para su cita, su dni 45600089", thread=offer.event)
    assert f"{code}: todavía no salió hacia Cem Lima" in said
    assert f"{code}: pedido." in desk.bea(pick(said, "enviarlo sin"), thread=offer.event)
    desk.net.settle()
    assert "su cita, su dni (dato reservado)" in desk.cem.find("pide un dato más").body


def test_a_reply_that_may_be_meant_for_them_is_looked_at_first(working: Working) -> None:
    desk, _, offer = working
    desk.bea("decir: ¿cómo se llama?", thread=offer.event)
    desk.net.settle()
    asked = desk.cem.type("ana", f"se llama {LEGAL}", reply=desk.cem.find("¿cómo se llama?").event)
    assert "todavía no salió" in asked
    desk.ana(pick(asked, "enviarlo sin"), thread=False)
    assert "se llama (dato reservado)" in heard(desk)


def test_words_that_nobody_answers_for_are_gone_after_a_while(own: Working) -> None:
    """The same end as every reply that waits: their key dies."""
    desk, _, _ = own
    number = pick(desk.ana(f"decir: se llama {LEGAL}"), "enviarlo tal")
    owner = desk.cem.run(lambda unit: unit.questions.all(kind="guard_values")[-1].ref.split("|")[1])
    assert desk.cem.run(lambda unit: unit.vault.exists(owner))
    desk.net.clock.advance(guard.QUIET)
    desk.cem.ring()
    assert not desk.cem.run(lambda unit: unit.vault.exists(owner))
    desk.ana(number)
    assert LEGAL not in heard(desk)


# --- in rooms


def test_in_the_desk_she_is_advised_alone_once_by_class(desk: Desk) -> None:
    answer = desk.ana("oigan, el travelo ese dejó su cel 900 111 222", thread=False)
    assert "Solo para usted: en la mesa escribió una palabra que hiere o estigmatiza, un teléfono." in answer
    assert "mujer trans" in answer
    assert "travelo" not in answer
    assert "900" not in answer
    assert [said.room for said in desk.cem.said if "Solo para usted" in said.body] == [f"!cem-lima.{DIRECT}"]
    assert desk.ana("otro travelo, cel 900 333 444", thread=False) == "", "quiet about the same for a while"
    assert "una propuesta de conciliar" in desk.ana("que vengan a conciliar", thread=False), "another class is new"
    desk.net.clock.advance(guard.QUIET)
    assert "estigmatiza" in desk.ana("ese travelo", thread=False)


def test_what_her_own_institution_knows_is_no_news_at_its_desk(desk: Desk) -> None:
    assert desk.ana(f"la llamé al {PHONE} y nada, {LEGAL} no contesta") == ""
    assert "un teléfono" in desk.ana("llamé al 900 111 222 y nada")


def test_commands_and_answers_are_not_chatter(desk: Desk) -> None:
    assert "Solo para usted" not in desk.ana("anotar teléfono: 900 111 222")
    assert "estigmatiza" in desk.ana("anotar relato: dice que el travelo volvió")


def test_an_edit_is_read_too(desk: Desk) -> None:
    content = {"msgtype": "m.text", "body": "* x", "m.new_content": {"msgtype": "m.text", "body": "su dni es 45600089"}}
    edit = Heard(room="!cem-lima.desk", event="$edit", sender="@ana:cem-lima.example", content=content, edits="$old")
    desk.cem.run(lambda unit: hear(unit, edit, desk.cem.user))
    desk.cem.post()
    assert "un número de DNI" in private(desk)[-1]


SHOWN = {
    "a quote that is no reply": {"msgtype": "m.text", "body": f"> su dni es {SECRET}"},
    "a quote after a line": {"msgtype": "m.text", "body": f"\n> su dni es {SECRET}\nasí dice"},
    "a quote of her own in a reply": {"msgtype": "m.text", "body": f"> su dni es {SECRET}", "reply": "$x"},
    "a notice": {"msgtype": "m.notice", "body": f"su dni es {SECRET}"},
    "a caption": {"msgtype": "m.image", "filename": "foto.jpg", "body": f"su dni es {SECRET}"},
    "a file name": {"msgtype": "m.file", "body": "ficha", "filename": f"dni {SECRET}.pdf"},
    "a place": {"msgtype": "m.location", "body": f"su dni es {SECRET}", "geo_uri": "geo:0,0"},
    "only in the formatted text": {"msgtype": "m.text", "body": "ok", "formatted_body": "<p>su dni es 4560<b>0089</b></p>"},
    "only in what is edited away": {"msgtype": "m.text", "body": f"su dni es {SECRET}", "m.new_content": {"body": "ok"}},
    "the formatted text of an edit": {"msgtype": "m.text", "body": "ok", "m.new_content": {"formatted_body": f"su dni&nbsp;es {SECRET}"}},
    "after signs that nobody sees": {"msgtype": "m.text", "body": "\u200b" * 20_001 + f"su dni es {SECRET}"},
}  # fmt: skip


def told(desk: Desk, content: dict[str, object]) -> list[str]:
    """What she is told in private when she writes this at the desk."""
    before = len(private(desk))
    reply = str(content["reply"]) if "reply" in content else None
    message = {name: value for name, value in content.items() if name != "reply"}
    new = Heard(room="!cem-lima.desk", event=new_id("$e"), sender="@ana:cem-lima.example", content=message, reply=reply)
    desk.cem.run(lambda unit: hear(unit, new, desk.cem.user))
    desk.cem.post()
    return private(desk)[before:]


@pytest.mark.parametrize("content", SHOWN.values(), ids=SHOWN)
def test_every_text_that_a_client_shows_is_read(desk: Desk, content: dict[str, object]) -> None:
    (said,) = told(desk, content)
    assert "un número de DNI" in said
    assert said.count("un número de DNI") == 1


@pytest.mark.parametrize(
    "content",
    [
        {"body": f"> <@luz:cem-lima.example> su dni es {SECRET}\n> y más\n\nsí",
         "formatted_body": f"<mx-reply><blockquote>{SECRET}</blockquote></mx-reply>sí"},
        {"body": f"> * <@luz:cem-lima.example> su dni es {SECRET}\n\nsí"},
    ],
)  # fmt: skip
def test_what_a_reply_quotes_is_not_hers(desk: Desk, content: dict[str, object]) -> None:
    assert told(desk, {"msgtype": "m.text", **content, "reply": "$x"}) == []
    assert told(desk, {"msgtype": "m.key.verification.request", "body": "@ana:cem-lima.example pide verificar"}) == []
    assert told(desk, {"msgtype": "m.image", "body": "IMG-20260503-WA0012.jpg"}) == []


def test_what_is_too_long_to_be_read_is_told_and_taken_out(desk: Desk) -> None:
    long = "a " * 10_001
    assert "más texto del que puedo leer" in told(desk, {"msgtype": "m.text", "body": long})[0]
    desk.cem.run(set_mode, "admin", "desk", "redact")
    told(desk, {"msgtype": "m.text", "body": long + "la están matando"})
    assert desk.cem.taken_out == []
    assert "más texto del que puedo leer" in desk.ana(long, thread=False)
    assert len(desk.cem.taken_out) == 1


def test_redact_takes_the_message_out_and_says_so(desk: Desk) -> None:
    desk.cem.run(set_mode, "admin", "desk", "redact")
    answer = desk.ana("su dni es 45600089", thread=False)
    assert "Retiré de la mesa su mensaje: tenía un número de DNI." in answer
    assert len(desk.cem.taken_out) == 1
    desk.ana("y su cel 900111222", thread=False)
    assert len(desk.cem.taken_out) == 2
    desk.ana("la está golpeando, su cel 900111333, corran", thread=False)
    assert len(desk.cem.taken_out) == 2, "an emergency stays"


def test_off_is_silent_in_the_room_and_never_for_what_leaves(own: Working) -> None:
    desk, _, _ = own
    for room in guard.DEFAULTS:
        desk.cem.run(set_mode, "admin", room, "off")
    assert desk.ana("el travelo, cel 900 111 222", thread=False) == ""
    assert "todavía no salió" in desk.ana(f"decir: se llama {LEGAL}")


def test_a_mode_or_room_that_is_none_is_refused(desk: Desk) -> None:
    for room, mode, code in (("kitchen", "off", "unknown_room_class"), ("desk", "loud", "unknown_guard_mode"), ("link", "off", "unknown_room_class")):
        with pytest.raises(Refused) as refused:
            desk.cem.run(set_mode, "admin", room, mode)
        assert refused.value.code == code


def test_the_seam_for_coordination_rooms(working: Working) -> None:
    """What every institution present may see passes; what one of them may not is advised; other institutions' people are left to their own hub."""
    desk, code, _ = working
    room = Room(id="!coord", purpose="coordination:mesa")

    def said(words: str, institutions: tuple[str, ...], by: str = "@ana:cem-lima.example") -> set[str]:
        def look(unit: Unit) -> set[str]:
            return {one.what for one in watch(unit, room, institutions, words, by=by, event="$e1").found}

        return desk.cem.run(look)

    both, three = ("cem-lima", "csmc-comas"), ("cem-lima", "csmc-comas", "hogar-x")
    assert said(f"su número es {PHONE}", both) == set()
    assert said(f"su número es {PHONE}", three) == {"phone"}
    assert said(f"{LEGAL} vino", both) == {"legal_name"}
    assert said(f"{LEGAL} vino", both, "@bea:csmc-comas.example") == set()
    assert said(f"nadie nombra a nadie en {code}", both) == set()
    desk.cem.post()
    assert "No todas las instituciones presentes pueden saberlo" in private(desk)[-1]


def test_nothing_that_was_said_is_kept_and_only_classes_are_counted(own: Working) -> None:
    desk, _, _ = own
    desk.ana(f"decir: se llama {LEGAL}, dni 45600089, conciliación")
    desk.ana("el travelo, cel 900 111 222", thread=False)
    desk.net.settle()
    everything = kept(desk.cem)
    assert not any(word in everything for word in (LEGAL, "Nombrelegal", "45600089", "900 111 222", "travelo", "conciliación"))
    counts = desk.cem.run(lambda unit: {row.id: row.seen for row in unit.guard_counts.all()})
    assert counts == {"known": 1, "dni": 1, "conciliation": 1, "stigma": 1, "phone": 1}
