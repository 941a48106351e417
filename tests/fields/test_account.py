"""Tell it once (R23): kept with its provenance, known to whoever receives that it exists, and asked again only with a reason that counts."""

from __future__ import annotations

import pytest

from hub.actions import account, open_case
from hub.actions.indicators import indicators
from hub.base.errors import Refused
from tests.actions import road
from tests.actions.road import Net, code_of, held
from tests.fields.road import begun, pick, thread, typed

STORY = "RELATO-INVENTADO"


def test_the_dialogue_is_in_the_direct_chat_and_asks_little(net: Net) -> None:
    case = road.opened(net.cem, {"social_name": "Marisol Ejemplo"})
    net.cem.post()
    card = thread(net.cem, f"{case.code} · ")
    assert "chat directo" in typed(net.cem, "relato", card), "not in the room"
    said = net.cem.type("ana", f"relato {case.code}", room="direct")
    said = net.cem.type("ana", pick(said, "ella misma"), room="direct")
    said = net.cem.type("ana", pick(said, "en persona"), room="direct")
    assert "idioma" in said
    assert "con las palabras de ella" in net.cem.type("ana", "quechua", room="direct")
    assert "quedó guardado" in net.cem.type("ana", STORY, room="direct")
    kept = net.cem.run(lambda unit: unit.accounts.get(case.id))
    assert (kept.teller, kept.mode, kept.language, kept.times) == ("herself", "in_person", "qu", 1)
    assert "ya lo contó (ella misma, 23 de noviembre de 2026, a Cem Lima, Quechua, en persona)" in typed(net.cem, "relato", card)
    assert STORY not in "".join(s.body for s in net.cem.said if ".desk" in s.room)


def test_a_second_interview_needs_a_reason_is_recorded_and_counts(net: Net) -> None:
    case = road.opened(net.cem, {"social_name": "Marisol Ejemplo", "account": STORY})
    net.cem.post()
    net.wait(hours=2)
    for by in ("ana", "berta"):
        with pytest.raises(Refused) as refused:
            net.cem.run(lambda unit, by=by: open_case.set_field(unit, net.cem.person(by), case.id, "account", "otra vez"))
        assert code_of(refused) == "account_told"
    card = thread(net.cem, f"{case.code} · ")
    said = typed(net.cem, pick(typed(net.cem, "volver a preguntar", card), "la primera vez no hubo"), card)
    assert "porque la primera vez no hubo intérprete" in said
    net.cem.run(lambda unit: account.tell(unit, net.cem.person("berta"), case.id, "y algo más", teller="herself", language="qu", mode="phone"))
    words = net.cem.run(lambda unit: account.value_of(unit, case.id, "account"))
    assert all(part in words for part in (STORY, "y algo más")), "what she told first is not lost"
    assert net.cem.run(lambda unit: unit.accounts.get(case.id)).times == 2
    assert net.cem.run(indicators)["told_again"] == 1
    assert "Se le volvió a preguntar su relato 1 vez." in typed(net.cem, "quién sabe", card)
    net.wait(hours=2)
    with pytest.raises(Refused):
        net.cem.run(lambda unit: account.tell(unit, net.cem.person("ana"), case.id, "una tercera"))


def test_whoever_receives_it_sees_that_she_told_it_and_who_asks_again_says_why_to_both(net: Net) -> None:
    case, referral = begun(net)
    assert held(net.csmc, referral)["account"] == ("presence", "")
    shown = net.csmc.find("derivación de Cem Lima").body
    assert "ya lo contó (23 de noviembre de 2026, a Cem Lima). No hace falta preguntarle otra vez" in shown
    card = thread(net.csmc, f"{referral.code} · derivación")
    assert "ya lo contó" in typed(net.csmc, "relato", card)
    typed(net.csmc, pick(typed(net.csmc, "volver a preguntar", card), "lo pide un juzgado"), card)
    net.settle()
    assert "Csmc Comas le pregunta otra vez lo que ya contó aquí, porque lo pide un juzgado" in net.cem.find("otra vez lo que ya contó").body
    assert net.cem.run(indicators)["told_again"] == net.csmc.run(indicators)["told_again"] == 1
    assert STORY.encode() not in road.everything(net.csmc)
    assert "1 vez" in typed(net.cem, "quién sabe", thread(net.cem, f"{case.code} · "))
