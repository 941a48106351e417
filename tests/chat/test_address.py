"""Is it for us? And attack I02: nothing but the words of a new message can be a command."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cases.commands import Accept, Choose, Command, Help, Say, Unclear
from hub.chat.address import Addressed, Relation, addressed, command_of, relation_of, without_quotes
from tests.chat.conftest import CONTEXT, REFERRAL

HUB, PERSON = "@tinkuy:hub.example", "@rosa:hub.example"
NAMES = ("Tinkuy CEM Lima",)


def heard(body: str, *, direct: bool = False, card: Any = None, sender: str = PERSON, **more: Any) -> Addressed | None:
    content = {"msgtype": "m.text", "body": body, **more}
    return addressed(content, sender=sender, own_user=HUB, own_names=NAMES, direct=direct, on_our_card=card)


def mention(*users: str) -> dict[str, Any]:
    return {"m.mentions": {"user_ids": list(users)}}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("!tinkuy derivar C", "derivar C"),
        ("!tk derivar C", "derivar C"),
        ("!TK: derivar C", "derivar C"),
        ("!Tinkuy, ayuda", "ayuda"),
        ("  !tk   casos ", "casos"),
        ("!tk", ""),
        ("!tinkuy", ""),
        ("tinkuy", ""),
        ("!tk decir a\nb", "decir a\nb"),
        ("!tk?", "?"),
    ],
)
def test_the_prefix(body: str, text: str) -> None:
    assert heard(body) == Addressed(text=text, how="prefix")


@pytest.mark.parametrize(
    "body", ["!tkx casos", "!tinkuyo casos", "! tk casos", "hola !tk casos", "/tk casos", "tk casos", "!remind me", ""]
)
def test_what_is_not_our_prefix(body: str) -> None:
    assert heard(body) is None


@pytest.mark.parametrize(
    "body",
    [
        "Tinkuy CEM Lima: casos",
        "@Tinkuy CEM Lima casos",
        f"{HUB} casos",
        f"{HUB}: casos",
        "tinkuy: casos",
        "@tinkuy, casos",
        "casos",
        "casos @Tinkuy CEM Lima",
        "TINKUY CEM LIMA: casos",
    ],
)
def test_a_mention(body: str) -> None:
    assert heard(body, **mention(HUB)) == Addressed(text="casos", how="mention")


def test_a_mention_alone_asks_for_help() -> None:
    found = heard("Tinkuy CEM Lima", **mention(HUB))
    assert found == Addressed(text="", how="mention")
    assert found is not None
    assert isinstance(command_of(found, CONTEXT), Help)


def test_the_text_of_a_pill_is_taken_off() -> None:
    html = f'<a href="https://matrix.to/#/{HUB}">La central</a>: casos'
    assert heard("La central: casos", formatted_body=html, **mention(HUB)) == Addressed(text="casos", how="mention")


def test_cinny_sends_no_mentions_but_our_full_id() -> None:
    assert heard(f"{HUB} casos") == Addressed(text="casos", how="mention")
    assert heard(f"{HUB}: casos") == Addressed(text="casos", how="mention")


@pytest.mark.parametrize(
    "body", [f"{HUB}.evil.example casos", f"{HUB}:8448 casos", f"habla con {HUB}", "Tinkuy CEM Lima: casos", "@tinkuy casos"]
)
def test_a_name_in_the_body_is_no_mention(body: str) -> None:
    assert heard(body) is None


def test_somebody_elses_mention_is_not_ours() -> None:
    assert heard("Tinkuy CEM Lima: casos", **mention("@otra:hub.example")) is None


def test_bare_words_count_only_in_a_direct_chat() -> None:
    assert heard("abrir caso de Luz") is None
    assert heard("casos", direct=True) == Addressed(text="casos", how="direct")
    assert heard("/casos", direct=True) is None


@pytest.mark.parametrize("said", ["deshacer", "«deshacer»", "Ayuda", "casos", "derivar C-7K2QF", "ver r-7k2qf", "undo"])
def test_what_our_answers_tell_people_to_write_is_heard_in_a_room_too(said: str) -> None:
    """«Escriba «deshacer»» stands in the room, and silence there would let her believe that she did."""
    found = heard(said)
    assert found is not None
    assert found.how == "prefix"
    assert found.text == said


@pytest.mark.parametrize(
    "said",
    ["ayuda con esto", "¿casos?", "abrir", "ver C-7K2QF con Rosa", "deshazlo", "no deshacer", "derivar", "C-7K2QF", "deshacer\nde todo", "aceptar"],
)
def test_colleagues_may_use_the_same_words(said: str) -> None:
    assert heard(said) is None


@pytest.mark.parametrize(
    "more",
    [
        {"msgtype": "m.notice"},
        {"msgtype": "m.emote"},
        {"msgtype": "m.image"},
        {"body": None},
        {"body": 7},
        {"body": ["!tk casos"]},
        {"m.relates_to": {"rel_type": "m.replace", "event_id": "$a"}},
        {"m.new_content": {"msgtype": "m.text", "body": "!tk retirar"}},
        {"m.new_content": None},
    ],
)
def test_i02_notices_edits_and_odd_bodies_are_never_commands(more: dict[str, Any]) -> None:
    content: dict[str, Any] = {"msgtype": "m.text", "body": "!tk casos", **mention(HUB), **more}
    assert addressed(content, sender=PERSON, own_user=HUB, direct=True, on_our_card="thread") is None


def test_our_own_messages_are_never_commands() -> None:
    assert heard("!tk casos", sender=HUB, direct=True) is None


@pytest.mark.parametrize(
    "body",
    [
        f"> <{PERSON}> !tk retirar C",
        f"> <{PERSON}> hola\n> !tk retirar C\n\n",
        "> !tk retirar",
        ">!tk retirar",
        f"> * <{PERSON}> retirar",
    ],
)
def test_i02_quoted_words_are_never_commands(body: str) -> None:
    for how in ({"direct": True}, {"card": "thread"}, {"card": "reply"}, mention(HUB)):
        assert heard(body, **how) is None
        assert heard(f"{body}\n\n!tk casos", **how) == Addressed(text="casos", how="prefix")


def test_i02_formatted_body_is_never_a_command() -> None:
    assert heard("hola", formatted_body="!tk retirar", format="org.matrix.custom.html") is None
    assert heard("hola", formatted_body="<mx-reply>!tk retirar</mx-reply>hola", direct=True) == Addressed(
        text="hola", how="direct"
    )


def test_i02_a_display_name_is_no_input() -> None:
    """A person called `!tinkuy retirar C` who writes `hola` says `hola`, also where her name is quoted as a reply fallback."""
    found = heard("> <@x:evil.example> !tinkuy retirar C\n\nhola", direct=True)
    assert found == Addressed(text="hola", how="direct")
    assert found is not None
    assert isinstance(command_of(found, CONTEXT), Help)


def test_i02_a_command_on_a_second_line_never_runs() -> None:
    assert heard("hola\n!tk retirar C") is None
    found = heard("!tk aceptar\n!tk retirar C")
    assert found is not None
    assert command_of(found, CONTEXT) == Accept(referral=None)
    note = heard("nos vemos\n!tk retirar C", card="thread")
    assert note is not None
    assert command_of(note, CONTEXT) is None


def test_in_a_thread_only_whole_commands_count() -> None:
    for body, expected in (("2", Choose(number=2)), ("aceptar", Accept(referral=None)), ("hablé con ella ayer", None)):
        found = heard(body, card="thread")
        assert found == Addressed(text=body, how="thread")
        assert found is not None
        assert command_of(found, CONTEXT) == expected


def test_a_reply_that_is_not_understood_is_answered() -> None:
    found = heard("hablé con ella ayer", card="reply")
    assert found is not None
    assert command_of(found, CONTEXT) == Unclear()


def test_the_way_of_addressing_that_binds_most_wins() -> None:
    found = heard(f"!tk decir {REFERRAL} hola", direct=True, card="thread", **mention(HUB))
    assert found is not None
    assert found.how == "prefix"
    assert command_of(found, CONTEXT) == Say(referral=REFERRAL, text="hola")


def test_relations() -> None:
    thread = {"rel_type": "m.thread", "event_id": "$root"}
    assert relation_of({}) == Relation()
    assert relation_of({"m.relates_to": {"m.in_reply_to": {"event_id": "$a"}}}) == Relation(reply="$a")
    assert relation_of({"m.relates_to": {**thread, "m.in_reply_to": {"event_id": "$a"}}}) == Relation(thread="$root", reply="$a")
    falling = {**thread, "is_falling_back": True, "m.in_reply_to": {"event_id": "$a"}}
    assert relation_of({"m.relates_to": falling}) == Relation(thread="$root")
    odds: list[Any] = [None, 3, [], {"m.in_reply_to": 7}, {"rel_type": "m.thread", "event_id": 5}]
    for odd in odds:
        assert relation_of({"m.relates_to": odd}) == Relation()


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(), x, max_size=3),
    max_leaves=6,
)
contents = st.dictionaries(
    st.sampled_from(["body", "msgtype", "m.mentions", "m.relates_to", "formatted_body", "x"]), json, max_size=6
)


@given(contents, st.text(), st.booleans(), st.sampled_from([None, "reply", "thread"]))
def test_any_content_is_answered(content: dict[str, Any], body: str, direct: bool, card: Any) -> None:
    for whole in (content, {**content, "msgtype": "m.text", "body": body}):
        found = addressed(whole, sender=PERSON, own_user=HUB, own_names=NAMES, direct=direct, on_our_card=card)
        if found is not None:
            command = command_of(found, CONTEXT)
            assert command is None or isinstance(command, Command)
        relation_of(whole)


@given(st.text())
def test_without_quotes_never_begins_with_a_quote(body: str) -> None:
    assert not without_quotes(body).startswith(">")
