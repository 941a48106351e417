"""X34, I02: a deciding answer counts by its number alone, and only new words of an enrolled person are words."""

from __future__ import annotations

from typing import Any

import pytest

from hub.actions import work
from hub.app.inbox import _heard
from hub.chat.desk import hear
from hub.matrix.ports import Inbound
from tests.actions.road import consented, fresh, offered, opened, owners, there, working
from tests.attacks.twins.bench import Road, found


def states(road: Road, code: str) -> list[str]:
    """The states of all referrals of a case."""

    def look(unit: Any) -> list[str]:
        case = unit.cases.one(code=code)
        return sorted(row.state.value for row in unit.referrals.all(case=case.id))

    return list(road.cem.run(look))


def test_x34_a_number_answers_the_question_that_owns_it_wherever_it_points() -> None:
    """The homeserver moves a bare answer into the other case's thread, under the other preview: it still means its own question."""
    road = Road()
    one, other = road.open("Luz Inventada"), road.open("Sol Inventada")
    card = road.cem.find(f"{one} · Luz")
    first, _ = road.preview(one)
    shown = road.cem.find(f"Vista previa · {one}")
    second, _ = road.preview(other)
    assert first != second, "numbers of open questions never overlap in a room"
    said = road.cem.type("ana", second, thread=card.event, reply=shown.event)
    assert (states(road, one), states(road, other)) == (["draft"], ["requested"])
    code = found(r"R-\w{5}", said)
    assert road.cem.run(lambda unit: unit.referrals.one(code=code).case == unit.cases.one(code=other).id), "the reply names the code"


def test_x34_a_number_that_no_question_owns_decides_nothing() -> None:
    road = Road()
    road.open()
    number, _ = road.preview()
    shown = road.cem.find("Vista previa")
    road.cem.type("ana", str(int(number) + 40), reply=shown.event)
    assert states(road, road.code) == ["draft"]


def test_x34_nobody_else_can_answer_her_question() -> None:
    """Neither by the number, nor by replying to her preview with it."""
    road = Road()
    road.open()
    number, _ = road.preview()
    shown = road.cem.find("Vista previa")
    road.cem.type("lola", number)
    road.cem.type("lola", number, reply=shown.event)
    assert states(road, road.code) == ["draft"]


def test_x34_an_answered_question_takes_no_second_answer() -> None:
    road = Road()
    road.open()
    number, _ = road.preview()
    road.cem.type("ana", number)
    road.cem.type("ana", number, reply=road.cem.find("Vista previa").event)
    assert states(road, road.code) == ["requested"]


@pytest.mark.parametrize("words", ["decir: llega a las 9", "!tk decir: llega a las 9", "esto queda entre nosotras", "anotar edad 30", "cerrar"])
def test_x34_what_a_bent_pointer_names_is_never_acted_on(words: str) -> None:
    """The homeserver hangs a message under their words or into a case's thread. Nothing leaves, nothing changes, and she is told why."""
    net = fresh()
    case, referral = working(net, {"social_name": "Luz Inventada"})
    net.csmc.run(lambda unit: work.say(unit, net.csmc.person("ana"), referral.id, "¿Puede venir?"))
    net.settle()
    theirs = net.cem.find("¿Puede venir?")
    for thread, reply in ((theirs.thread, None), (theirs.thread, theirs.event), (None, theirs.event)):
        said = net.cem.type("ana", words, thread=thread, reply=reply, firm=False)
        assert not said or "no hice nada" in said, said
    assert net.cem.run(lambda unit: unit.outbox.count(kind="say")) == 0
    assert "edad" not in net.cem.type("ana", f"ver {case.code}", room="direct").lower()
    assert net.cem.run(lambda unit: unit.questions.count(kind="close")) == 0


def test_x34_the_same_words_count_when_the_pointer_is_hers() -> None:
    """The control; and a reply to their words is as explicit as `decir`, while a note in the thread stays inside."""
    net = fresh()
    _, referral = working(net, {"social_name": "Luz Inventada"})
    net.csmc.run(lambda unit: work.say(unit, net.csmc.person("ana"), referral.id, "¿Puede venir?"))
    net.settle()
    theirs = net.cem.find("¿Puede venir?")
    assert net.cem.type("ana", "esto queda entre nosotras", thread=theirs.thread) == ""
    asked = net.cem.type("ana", "Sí, llega a las 9\ny va sola", thread=theirs.thread, reply=theirs.event)
    assert net.cem.run(lambda unit: unit.outbox.count(kind="say")) == 0, "a reply may be meant for a colleague: it is asked back"
    assert "Enviado" in net.cem.type("ana", found(r"(\d+)[.)]? +enviarlo", asked))
    assert "Enviado" in net.cem.type("ana", "decir: gracias", thread=theirs.thread)
    net.settle()
    assert "> Sí, llega a las 9\n> y va sola" in net.csmc.find("llega a las 9").body
    assert not [said for said in net.csmc.said if "entre nosotras" in said.body]


def test_a_reply_that_was_meant_for_a_colleague_stays_inside_and_its_words_die() -> None:
    for answer_with in ("no", None):
        net = fresh()
        _, referral = working(net, {"social_name": "Luz Inventada"})
        net.csmc.type("ana", f"!tk decir {there(net.csmc, referral).code} ¿Cómo está ella?")
        net.settle()
        theirs = net.cem.find("¿Cómo está ella?")
        asked = net.cem.type("ana", "ojo: no les cuentes nada del comandante", thread=theirs.thread, reply=theirs.event)
        if answer_with:
            assert "queda entre ustedes" in net.cem.type("ana", found(r"(\d+)[.)]? +no", asked))
        net.wait(minutes=11)
        assert not [name for name in owners(net.cem) if name.startswith("say_")]
        assert net.cem.run(lambda unit: unit.outbox.count(kind="say")) == 0


def two_at_work() -> tuple[Any, Any, Any]:
    """Two women at the same institution, the first referral accepted, the second only offered."""
    net = fresh()
    _, first = working(net, {"social_name": "Luz Inventada"})
    case = opened(net.cem, {"social_name": "Sol Inventada"})
    consented(net.cem, case)
    return net, first, offered(net, case)


@pytest.mark.parametrize("firm", [True, False])
@pytest.mark.parametrize("words", ["aceptar", "rechazar", "rechazar sin cupo", "!tk aceptar", "!tk rechazar sin cupo"])
def test_x34_words_in_the_thread_of_one_never_act_on_another(words: str, *, firm: bool) -> None:
    net, first, second = two_at_work()
    thread = net.csmc.run(lambda unit: unit.posts.one(key=f"ref:{first.id}")).event
    net.csmc.type("ana", words, thread=thread, firm=firm)
    net.settle()
    untouched = there(net.csmc, second)
    assert untouched.state.value == "received"
    assert net.csmc.run(lambda unit: unit.questions.count(kind="decline", code=untouched.code)) == 0


def test_x34_safe_said_of_one_is_never_noted_for_another() -> None:
    net = fresh()
    one = opened(net.cem, {"social_name": "Luz Inventada"}, days=0.01)
    other = opened(net.cem, {"social_name": "Sol Inventada"}, days=3)
    net.wait(hours=1)
    thread = net.cem.run(lambda unit: unit.posts.one(key=f"case:{other.id}")).event
    net.cem.type("ana", "contactada y a salvo", thread=thread)
    assert net.cem.run(lambda unit: unit.checkins.one(case=one.id)).state == "ringing"
    thread = net.cem.run(lambda unit: unit.posts.one(key=f"case:{one.id}")).event
    net.cem.type("ana", "contactada y a salvo", thread=thread)
    assert net.cem.run(lambda unit: unit.checkins.count(case=one.id, state="answered")) == 1


def test_x34_a_moved_message_answers_no_dialogue_and_acts_on_nobody() -> None:
    """"ok" and names said among colleagues, hung into a dialogue's thread; chatter that happens to be a command."""
    net = fresh()
    case = opened(net.cem, {"social_name": "Luz Inventada"})
    net.settle()
    thread = net.cem.run(lambda unit: unit.posts.one(key=f"case:{case.id}")).event
    line = f"!tk consentimiento {case.code} oral a csmc-comas para salud mental campos lo necesario hasta 3 meses"
    net.cem.type("ana", line, thread=thread)
    for words in ("sí", "ok", "1", "el comandante es su marido"):
        net.cem.type("ana", words, thread=thread, firm=False)
    assert net.cem.run(lambda unit: unit.consents.count()) == 0
    net.cem.type("ana", "!tk guardia sí")
    net.cem.type("ana", "guardia no", thread=thread, firm=False)
    assert net.cem.run(lambda unit: unit.staff.get(net.cem.person("ana"))).on_duty


def inbound(road: Road, body: str, *, sender: str = "ana", **more: Any) -> Inbound:
    """An event as the Matrix room hands it over: decrypted, verified, its relation taken apart."""
    content = {"msgtype": "m.text", "body": body} | more.pop("content", {})
    given = {
        "room_id": f"!{road.cem.id}.desk", "event_id": f"$i02{abs(hash((body, str(more))))}", "sender": road.cem.person(sender), "device_key": "k",
        "type": "m.room.message", "content": content, "ts_ms": 0, "standing": "staff",
    }  # fmt: skip
    return Inbound(**given | more)


def hears(road: Road, event: Inbound) -> str:
    """What the hub answers to it."""
    before = len(road.cem.said)
    road.cem.run(lambda unit: hear(unit, _heard(event), road.cem.user))
    road.cem.post()
    return "\n".join(said.body for said in road.cem.said[before:])


OPEN = "!tk abrir Mar Inventada, mañana a las 10"


def cases(road: Road) -> int:
    return int(road.cem.run(lambda unit: unit.cases.count()))


def test_i02_the_plain_command_works() -> None:
    """The control: what the attacks below disguise does have an effect when it is plain."""
    road = Road()
    assert "Listo" in hears(road, inbound(road, OPEN))
    assert cases(road) == 1


@pytest.mark.parametrize(
    "event",
    [
        {"body": "hola\n" + OPEN},
        {"body": "> <@otra:x> " + OPEN},
        {"body": "> " + OPEN + "\n\ngracias"},
        {"body": "Ana (" + OPEN + ")"},
        {"body": "* " + OPEN, "edits": "$old"},
        {"body": OPEN, "edits": "$old"},
        {"body": OPEN, "content": {"m.new_content": {"msgtype": "m.text", "body": OPEN}}},
        {"body": "hola", "content": {"m.new_content": {"msgtype": "m.text", "body": OPEN}}},
        {"body": "hola", "content": {"format": "org.matrix.custom.html", "formatted_body": OPEN}},
        {"body": OPEN, "content": {"msgtype": "m.notice"}},
        {"body": OPEN, "content": {"msgtype": "m.emote"}},
        {"body": "hola", "content": {"displayname": OPEN}},
        {"body": OPEN, "type": "m.reaction"},
        {"body": OPEN, "type": "m.sticker"},
    ],
    ids=lambda event: str(sorted(event)) + event["body"][:6],
)
def test_i02_disguised_words_are_no_command(event: dict[str, Any]) -> None:
    """Second lines, quotes, edits, HTML, notices, names: nothing of it runs."""
    road = Road()
    hears(road, inbound(road, **event))
    assert cases(road) == 0


@pytest.mark.parametrize("sender", ["nadie", "sofia:otro"])
def test_i03_nobody_who_is_not_enrolled_is_heard(sender: str) -> None:
    """Whatever room it comes from; a stranger gets no answer either."""
    road = Road()
    assert hears(road, inbound(road, OPEN, sender=sender)) == ""
    assert cases(road) == 0


def test_i03_a_removed_person_is_not_heard() -> None:
    from hub.actions.staff import remove_staff

    road = Road()
    road.cem.run(lambda unit: remove_staff(unit, road.cem.person("ana")))
    assert hears(road, inbound(road, OPEN)) == ""
    assert cases(road) == 0


def test_i03_an_event_counts_once() -> None:
    road = Road()
    event = inbound(road, OPEN)
    hears(road, event)
    assert hears(road, event) == ""
    assert cases(road) == 1
