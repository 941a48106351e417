"""The life of a protocol's version between three hubs (R55, R105–R108, R116; ADR 0022)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from hub import cli_protocol
from hub.actions import peers, protocols
from hub.actions.protocol_state import find_proposal, said_of
from hub.app import commands
from hub.app.protocol_commands import protocol_handlers
from hub.app.protocol_export import bundle
from hub.base.errors import Refused
from hub.cases.records import Case, Referral
from hub.cli import app
from keys import protocolword as pw
from keys.protocolproof import verify
from keys.statement import Statement
from tests.actions.road import Net, confirmed, consented, drafted, everything, offered, opened, taken, there
from tests.governance.agreement import CEM, HOGAR, RED, agree, days, fresh, propose, sign, stage, stages, terms, text_of, version_here


@pytest.fixture
def net() -> Net:
    return fresh()


def test_signed_by_all_it_counts_everywhere_from_its_date(net: Net) -> None:
    name = agree(net, starts=2)
    assert stages(net, name) == {"signed"}
    assert net[CEM].run(version_here, HOGAR) == 1
    days(net, 2)
    assert stages(net, name) == {"active"}
    assert {twin.run(version_here, peer) for twin in net.twins.values() for peer in (CEM, HOGAR, RED) if peer != twin.id} == {2}


def test_one_who_does_not_sign_blocks_and_is_named(net: Net) -> None:
    name = propose(net)
    sign(net, name, RED, CEM)
    days(net, 3)
    assert stages(net, name) == {"proposed"}
    assert net[RED].run(version_here, HOGAR) == 1
    assert net[CEM].run(lambda unit: unit.proposals.count(signed_at__not=None)) == 0
    net[CEM].type("ada", "protocolo ver shelter 2", room="admin")
    assert "Hogar Luz: no ha firmado (3 días)" in net[CEM].said[-1].body


def test_nobody_signs_while_a_comment_waits(net: Net) -> None:
    name = propose(net)
    net[RED].run(protocols.comment, "ada", name, "El oficio no hace falta para abrir la puerta.")
    net.settle(3)
    for hub in (RED, CEM, HOGAR):
        with pytest.raises(Refused, match=r"protocol\.unanswered"):
            net[hub].run(protocols.sign, "ada", name)
    net[CEM].run(protocols.answer, "ada", name, 1, "De acuerdo: irá solo con su permiso.")
    net.settle(3)
    sign(net, name, RED, HOGAR, CEM)
    assert stages(net, name) == {"active"}
    assert stage(net[HOGAR], name) == "active"


def test_the_seats_signature_closes_the_consultation(net: Net) -> None:
    name = propose(net)
    sign(net, name, RED)
    for hub in (RED, CEM, HOGAR):
        with pytest.raises(Refused, match=r"protocol\.consulted"):
            net[hub].run(protocols.comment, "ada", name, "Se me olvidaba algo.")
    with pytest.raises(Refused, match=r"protocol\.consulted"):
        net[RED].run(protocols.hand_out, "ada", name, 1)
    said = net[HOGAR].type("ada", "protocolo comentar shelter 2 Se me olvidaba algo.", room="admin")
    assert "La consulta de shelter@2 ya cerró: firmó Red Apoyo" in said
    assert "la siguiente versión" in said
    sign(net, name, HOGAR, CEM)
    assert stages(net, name) == {"active"}


def test_a_comment_that_crossed_the_seats_signature_stops_nobody_and_its_author_reads_why(net: Net) -> None:
    name = propose(net)
    net.spoil = lambda parcel: []
    net[RED].run(protocols.sign, "ada", name)
    net[HOGAR].run(protocols.comment, "ada", name, "Nos sirve para la tarde.")
    net.settle(3)
    net.spoil = lambda parcel: [parcel]
    days(net, 1)
    told = net[HOGAR].find("no cuenta en la consulta").body
    assert "cuando Red Apoyo ya había firmado" in told
    assert "la siguiente versión" in told
    assert net[HOGAR].run(lambda unit: (len(said_of(unit, name).late), said_of(unit, name).unanswered)) == (1, ())
    assert "ya estaba cerrada: no detiene la firma" in net[HOGAR].type("ada", "protocolo ver shelter 2", room="admin")
    sign(net, name, HOGAR, CEM)
    assert stages(net, name) == {"active"}


def _known(net: Net, hub: str) -> None:
    opened(net[hub], {"legal_name": "Nadia Inventada Prueba", "phone": "900 111 222"})


HELD = ("dni 45600089", "Nadia Inventada", "llámenla al 900-111-222", "mi correo es nadie@example.org")


def test_nobodys_data_leaves_in_what_is_said_about_a_protocol(net: Net) -> None:
    name = propose(net)
    _known(net, RED)

    def act(what: str, said: str, how: str, code: str = "") -> None:
        more = (code,) if what == "comment" else ()
        net[RED].run(lambda unit: getattr(protocols, what)(unit, "ada", name, said, *more, guard=how))

    for said, code in zip(HELD, net[RED].run(protocols.hand_out, "ada", name, len(HELD)), strict=True):
        for what, by_code in (("comment", ""), ("comment", code), ("refuse", "")):
            with pytest.raises(Refused, match=r"protocol\.held") as refused:
                act(what, f"Que vaya, {said}.", "hold", by_code)
            assert not any(part in str(refused.value.params) for part in ("Nadia", "Inventada", "45600089", "900", "nadie@"))
        act("comment", f"Que vaya, {said}.", "without", code)  # the code was not used up by what was held
        act("comment", f"Que vaya, {said}!", "as_it_is")
    kept = [comment.text for comment in net[RED].run(lambda unit: said_of(unit, name).comments)]
    assert [text.count("(dato reservado)") for text in kept] == [1, 0] * len(HELD)
    assert [text for text in kept if any(said in text for said in HELD)] == [f"Que vaya, {said}!" for said in HELD]


def test_why_and_answers_are_looked_at_too_and_what_the_other_side_entrusted_to_us(net: Net) -> None:
    with pytest.raises(Refused, match=r"protocol\.held"):
        net[CEM].run(protocols.propose, "ada", text_of(2), replace(terms(net), why="Lo pide la del dni 45600089."))
    name = propose(net)
    net[RED].run(protocols.comment, "ada", name, "Que sea con su permiso.")
    net.settle(3)
    with pytest.raises(Refused, match=r"protocol\.held"):
        net[CEM].run(protocols.answer, "ada", name, 1, "Ya lo dijo quien escribe de nadie@example.org.")
    _sheltered(net, {"social_name": "Lucrecia Inventada"})
    net.settle(3)
    with pytest.raises(Refused, match=r"protocol\.held"):
        net[HOGAR].run(protocols.comment, "ada", name, "A Lucrecia Inventada le sirvió.")


def test_in_the_admin_room_it_waits_for_a_number_and_names_no_value(net: Net) -> None:
    propose(net)
    _known(net, RED)
    told = net[RED].type("ada", "protocolo comentar shelter 2 Que vaya, se llama Nadia Inventada, dni 45600089.", room="admin")
    assert "todavía no salió" in told
    assert "Veo algo que identifica a una persona. Los" in told
    assert not any(word in told for word in ("Nadia", "45600089", "nombre legal"))
    assert net[RED].run(lambda unit: unit.protocol_words.count()) == 0
    net[RED].type("ada", "1", room="admin")
    net.settle(3)
    assert "Que vaya, se llama (dato reservado), dni (dato reservado)." in net[CEM].find("comenta «").body
    told = net[CEM].type("ada", "protocolo responder shelter 2 1 Lo hablé con nadie@example.org.", room="admin")
    assert "algo que identifica" in told
    net[CEM].type("ada", "5", room="admin")
    told = net[HOGAR].type("ada", "protocolo rechazar shelter 2 Su cel 900 333 444 no.", room="admin")
    assert "algo que identifica" in told


def test_what_is_told_does_not_depend_on_whether_the_name_is_of_a_case(net: Net) -> None:
    """An administrator, who reads no cases, asks free of charge by adding what is held anyway."""
    name = propose(net)
    _known(net, RED)
    code = net[RED].run(protocols.hand_out, "ada", name, 1)[0]

    def asked(who: str, frame: str) -> tuple[str, str, object]:
        said, before = frame.format(who), net[RED].run(lambda unit: {row.id: row.seen for row in unit.guard_counts.all()})
        told = net[RED].type("ada", f"protocolo comentar shelter 2 {said}", room="admin")
        refused = []
        for how in ("hold", "without") if "travelo" in frame else ("hold",):
            with pytest.raises(Refused, match=r"protocol\.held") as raised:
                net[RED].run(lambda unit, how=how: protocols.comment(unit, "ada", name, said, code, guard=how))
            refused.append(str(raised.value.params))
        after = net[RED].run(lambda unit: {row.id: row.seen - before.get(row.id, 0) for row in unit.guard_counts.all()})
        return re.sub(r"\d+\.", "", told.partition("todavía no salió")[2]), str(refused), {k: v for k, v in after.items() if v}

    for frame in ("DNI 40000099 {}", "{} travelo", "DNI 40000099 {} travelo", "al {} o nadie@example.org"):
        assert asked("Nadia", frame) == asked("Briseida", frame) == asked("900 111 222", frame)


def _sheltered(net: Net, values: dict[str, str]) -> tuple[Case, Referral]:
    """A case of the emergency centre, referred to the shelter and accepted there."""
    case = opened(net[CEM], values)
    consented(net[CEM], case, recipients=(HOGAR,), purposes=("shelter_protection",), fields=tuple(values))
    referral = offered(net, case, HOGAR, "shelter")
    return case, taken(net, referral, HOGAR)


VALUES = {"social_name": "Luz Inventada", "occupation": "costurera inventada"}


def test_decisions_and_disclosures_keep_the_version_that_made_them(net: Net) -> None:
    case, first = _sheltered(net, VALUES)
    net.settle()
    agree(net)
    other = opened(net[CEM], VALUES)
    consented(net[CEM], other, recipients=(HOGAR,), purposes=("shelter_protection",), fields=tuple(VALUES))
    second = taken(net, offered(net, other, HOGAR, "shelter"), HOGAR)
    net.settle()
    given = {d.referral: (d.protocol_version, set(d.fields)) for d in net[CEM].run(lambda unit: unit.disclosures.all())}
    assert given == {first.id: (1, {"social_name"}), second.id: (2, {"social_name", "occupation"})}
    held = {d.referral: d.protocol_version for d in net[HOGAR].run(lambda unit: unit.disclosures.all())}
    assert held == {first.id: 1, second.id: 2}
    rows = [json.loads(row.entry)["protocol"] for row in net[CEM].run(lambda unit: unit.ledger.all(order="id"))]
    assert [row for row in rows if row] == ["shelter 1", "shelter 1", "shelter 2", "shelter 2"]
    assert net[CEM].run(lambda unit: unit.pack.version("shelter", 1).version) == 1  # type: ignore[union-attr]
    net[CEM].type("ana", f"quién sabe {case.code}")
    assert "versión 1" in net[CEM].said[-1].body


def test_the_version_in_force_at_dispatch_decides_not_that_of_the_preview(net: Net) -> None:
    name = propose(net, starts=1)
    sign(net, name, RED, CEM, HOGAR)
    case = opened(net[CEM], VALUES)
    consented(net[CEM], case, recipients=(HOGAR,), purposes=("shelter_protection",), fields=tuple(VALUES))
    referral = confirmed(net[CEM], drafted(net[CEM], case, HOGAR, "shelter"))  # previewed and confirmed under version 1
    assert referral.protocol_version == 1
    net.clock.advance(timedelta(days=1))
    net.settle()
    assert {there(net[hub], referral).protocol_version for hub in (CEM, HOGAR)} == {2}
    taken(net, referral, HOGAR)
    (disclosure,) = net[CEM].run(lambda unit: unit.disclosures.all(referral=referral.id))
    assert (disclosure.protocol_version, set(disclosure.fields)) == (2, {"social_name", "occupation"})
    assert stages(net, name) == {"signed"}  # nobody's timer has rung: the day itself decides


def test_it_counts_after_downtime_and_desks_are_told_once(net: Net) -> None:
    name = propose(net, starts=2)
    sign(net, name, RED, CEM, HOGAR)
    net.clock.advance(timedelta(days=5))
    for twin in net.twins.values():
        twin.ring()
        twin.ring()
    told = [said for said in net[HOGAR].said if said.room.endswith(".desk") and "Desde hoy rige otro protocolo" in said.body]
    assert len(told) == 1
    assert stages(net, name) == {"active"}


def test_an_ended_version_lets_nothing_leave_and_no_older_one_comes_back(net: Net) -> None:
    text = text_of(2).replace(b"expires: 2029-01-01", b"expires: 2026-12-20")
    name = propose(net, text)
    sign(net, name, RED, CEM, HOGAR)
    case, referral = _sheltered(net, VALUES)
    net.settle()
    days(net, 30)
    assert stages(net, name) == {"expired"}
    assert net[CEM].run(version_here, HOGAR) == 0
    with pytest.raises(Refused, match="no_protocol"):
        drafted(net[CEM], opened(net[CEM], VALUES), HOGAR, "shelter")
    held = net[HOGAR].run(lambda unit: unit.disclosures.one(referral=referral.id))
    assert held is not None
    assert (held.state, held.until > net.clock.now() + timedelta(days=50)) == ("active", True), case.code
    warned = [said.body for said in net[CEM].said if "vence en" in said.body and "conviene proponer" in said.body]
    assert [line.split("vence en ")[1].split(" ")[0] for line in warned] == ["26", "14", "7", "0"]


def test_it_lapses_when_somebody_does_not_sign_and_says_who(net: Net) -> None:
    name = propose(net)
    sign(net, name, RED, CEM)
    days(net, 31)
    assert stages(net, name) == {"lapsed"}
    assert any("No firmó a tiempo: Hogar Luz" in said.body for said in net[CEM].said)
    reminded = [said for said in net[HOGAR].said if "espera la firma de esta institución" in said.body]
    assert len(reminded) == 8 + 1  # the day after the consultation, and daily in the last week
    assert reminded[0].ring


def test_who_is_no_party_keeps_the_shipped_version_and_never_gets_the_signed_one(net: Net) -> None:
    name = propose(net, parties=(CEM, RED))
    sign(net, name, RED, CEM)
    assert net[CEM].run(version_here, RED) == 2
    assert net[CEM].run(version_here, HOGAR) == 1
    assert drafted(net[CEM], opened(net[CEM], VALUES), HOGAR, "shelter").ruling.protocol.version == 1


def test_only_signed_ones_count_where_the_configuration_says_so(net: Net) -> None:
    given = net[CEM].store.given
    vars(given)["rules"] = replace(given.rules, only_signed=True)
    try:
        assert net[CEM].run(version_here, HOGAR) == 0
        with pytest.raises(Refused, match="no_protocol"):
            drafted(net[CEM], opened(net[CEM], VALUES), HOGAR, "shelter")
        agree(net)
        assert net[CEM].run(version_here, HOGAR) == 2
    finally:
        vars(given)["rules"] = replace(given.rules, only_signed=False)


def test_her_contribution_code_serves_once_and_names_nobody(net: Net) -> None:
    name = propose(net)
    with pytest.raises(Refused, match=r"protocol\.not_seat"):
        net[CEM].run(protocols.hand_out, "ada", name, 1)
    (code,) = net[RED].run(protocols.hand_out, "ada", name, 1)
    net[RED].run(protocols.comment, "ada", name, "A mí me sirvió.", code.lower())
    with pytest.raises(Refused, match=r"protocol\.code_unknown"):
        net[RED].run(protocols.comment, "ada", name, "Otra vez.", code)
    net.settle(3)
    (heard,) = net[CEM].run(lambda unit: said_of(unit, name).comments)
    assert re.fullmatch(r"V-[0-9A-Z]{6}", heard.voice)
    stored = everything(net[RED])
    assert code.replace("-", "").encode() not in stored
    assert heard.voice.encode() not in stored.replace(heard_bytes(net, name), b"")


def heard_bytes(net: Net, name: str) -> bytes:
    """The signed comment itself: the one place where the voice stands."""
    found = net[RED].run(lambda unit: unit.protocol_words.one(proposal=name))
    assert found is not None
    return found.data


def test_a_later_version_takes_the_place_of_the_one_before(net: Net) -> None:
    first = agree(net)
    second = agree(net, text_of(3, "occupation: presence"), starts=1)
    assert stages(net, first) == {"active"}
    days(net, 1)
    assert (stages(net, first), stages(net, second)) == ({"superseded"}, {"active"})
    with pytest.raises(Refused, match=r"protocol\.not_newer"):
        propose(net, text_of(2, "weapons: withhold"))


def test_the_admin_room_reads_compares_signs_and_refuses(net: Net) -> None:
    assert "del paquete, sin firmas; vence el 2029-01-01" in net[HOGAR].type("ada", "protocolo ver shelter", room="admin")
    propose(net)
    assert "Consulta abierta" in net[HOGAR].find("propone la versión 2").body
    assert "vigente" not in net[HOGAR].type("ada", "protocolo lista", room="admin").split("En camino")[1]
    compared = net[HOGAR].type("ada", "política comparar shelter@1 shelter@2", room="admin")
    assert "ocupación" in compared
    assert "antes no; ahora sí" in compared
    assert "está en consulta" in net[HOGAR].type("ada", "protocolo firmar shelter 2", room="admin")
    net[RED].type("ada", "protocolo firmar shelter 2", room="admin")
    net[RED].type("ada", "1", room="admin")
    net.settle(3)
    asked = net[HOGAR].type("ada", "protocolo firmar shelter 2", room="admin")
    assert "Hasta ahora no se veía; se vería: ocupación · Hogar de Refugio Temporal (HRT)" in asked
    assert "antes no; ahora sí; con su permiso; siempre" in asked
    net[HOGAR].type("ada", "2", room="admin")
    assert "no regirá para nadie" in net[HOGAR].type("ada", "protocolo rechazar shelter 2 No nos hace falta.", room="admin")
    net[HOGAR].type("ada", "3", room="admin")
    net.settle(3)
    assert "No nos hace falta." in net[CEM].find("no está de acuerdo").body
    assert "solo quien administra" in net[CEM].type("ana", "protocolo lista", room="admin")


def test_the_proof_stands_without_any_hub_and_no_byte_of_it_may_change(net: Net) -> None:
    name = agree(net)
    files = net[HOGAR].run(lambda unit: bundle(unit, find_proposal(unit, name)))
    assert verify(files).whole
    for file in files:
        assert not verify({**files, file: files[file].replace(b"e", b"f", 1)}).whole, file
        assert not verify({k: v for k, v in files.items() if k != file}).whole, file


def test_who_has_no_manifest_here_is_not_called_a_forger(net: Net) -> None:
    """Without her manifest nothing is known of her signature; with one that names another key, neither; only a known key can contradict."""
    name = agree(net)
    files = net[HOGAR].run(lambda unit: bundle(unit, find_proposal(unit, name)))
    bare = {file: data for file, data in files.items() if not file.startswith("manifests/")}
    found = verify(bare)
    assert (found.wrong, set(found.lacking.values()), found.whole) == ([], {False}, False)
    assert set(found.lacking) == set(verify(files).proposal.parties)
    signer = next(party for party in found.lacking if party != verify(files).proposal.proposer)
    found = verify({file: data for file, data in files.items() if not file.startswith(f"manifests/{signer}.")})
    assert (found.wrong, found.lacking, found.whole) == ([], {signer: False}, False)
    word = next(file for file, data in files.items() if file.startswith("words/") and pw.claimed_word("signature", data).institution == signer)
    spoilt = Statement.from_bytes(files[word])
    spoilt = replace(spoilt, signatures=tuple(replace(each, sig=bytes(64)) for each in spoilt.signatures))
    assert verify({**files, word: spoilt.to_bytes()}).wrong == [("word", word)]
    other = replace(spoilt, signatures=tuple(replace(each, keyid="0" * len(each.keyid)) for each in spoilt.signatures))
    found = verify({**files, word: other.to_bytes()})
    assert (found.wrong, found.lacking, found.whole) == ([], {signer: True}, False)


def test_the_command_says_whose_manifest_is_missing_and_where_one_gets_it(net: Net, tmp_path: Path) -> None:
    name = agree(net)
    for file, data in net[HOGAR].run(lambda unit: bundle(unit, find_proposal(unit, name))).items():
        path = tmp_path / "prueba" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "otra").mkdir()
    line = ["protocol", "verify", str(tmp_path / "prueba"), "--manifests"]
    told = CliRunner().invoke(app, [*line, str(tmp_path / "otra")])
    assert told.exit_code == 1
    assert "la firma no es" not in told.output
    assert f"FALTA el manifiesto de {CEM}" in told.stderr
    assert "tinkuy manifest export" in told.stderr
    assert "(protocol.manifest_missing)" in told.stderr
    for path in (tmp_path / "prueba" / "manifests").glob(f"{CEM}.*"):
        (tmp_path / "otra" / f"{path.stem}.manifest").write_bytes(path.read_bytes())  # as `manifest export` names it
    half = CliRunner().invoke(app, [*line, str(tmp_path / "otra")])
    assert f"{HOGAR}: no se sabe si firmó" in half.stdout.replace(" (voz de la comunidad)", "")
    assert CliRunner().invoke(app, [*line, str(tmp_path / "nada")]).exit_code == 2
    assert CliRunner().invoke(app, line[:-1]).exit_code == 0


def test_every_manifest_of_the_folder_is_read_whatever_its_file_is_called(net: Net, tmp_path: Path) -> None:
    name = agree(net)
    files = net[HOGAR].run(lambda unit: bundle(unit, find_proposal(unit, name)))
    (tmp_path / "mf").mkdir()
    for file, data in files.items():
        path = tmp_path / "prueba" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if file.startswith("manifests/"):
            (tmp_path / "mf" / Path(file).name.removesuffix(".json").replace(".", "-")).write_bytes(data)  # `manifest export mf/cem`
    (tmp_path / "mf" / "LEEME").write_text("Los manifiestos que pedí por teléfono.")
    (tmp_path / "mf" / "vacio").touch()
    (tmp_path / "mf" / "foto").write_bytes(bytes(200_000))
    (tmp_path / "mf" / "carpeta").mkdir()
    line = ["protocol", "verify", str(tmp_path / "prueba"), "--manifests", str(tmp_path / "mf")]
    told = CliRunner().invoke(app, line)
    assert (told.exit_code, told.stderr) == (0, "")
    (tmp_path / "mf" / "otro.json").write_text("{}")
    told = CliRunner().invoke(app, line)
    assert told.exit_code == 1
    assert "MAL: manifests/otro.json: no es un manifiesto" in told.stderr


def test_the_number_that_verify_shows_is_that_of_the_administrators_terminals(net: Net) -> None:
    name = agree(net)
    proof = verify(net[HOGAR].run(lambda unit: bundle(unit, find_proposal(unit, name))))
    number = proof.manifests[CEM].digest.hex()[:16]
    assert net[HOGAR].run(commands._peer, CEM)["digest"] == number
    own = SimpleNamespace(store=SimpleNamespace(given=SimpleNamespace(hand=net[CEM].run(lambda unit: unit.hand))))
    shown = asyncio.run(commands._Commands.peer_manifest(SimpleNamespace(_house=own), {}))  # type: ignore[arg-type]  # as much as it needs
    assert shown["digest"] == number


@pytest.fixture
def typing(net: Net, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What the terminal of the proposer shows."""

    async def run(fn: Callable[..., Any], *given: Any) -> Any:
        return net[CEM].run(fn, *given)

    asked = protocol_handlers(SimpleNamespace(store=SimpleNamespace(run=run, look=run)))  # type: ignore[arg-type]  # as much as it needs
    monkeypatch.setattr(cli_protocol, "ask", lambda command, args=None, **_: asyncio.run(asked[command](args or {})))  # type: ignore[arg-type]
    return lambda *line: CliRunner().invoke(app, ["protocol", *line]).output


def test_a_party_whose_link_is_stopped_is_named_when_one_proposes_and_while_it_waits(
    net: Net, typing: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "nuevo.yaml").write_bytes(text_of(2))
    net[CEM].run(peers.stop_link, "ada", HOGAR)
    told = typing("propose", str(tmp_path / "nuevo.yaml"), "--with", HOGAR, "--seat", RED, "--why", "La red lo pide.")
    assert f"{HOGAR} todavía no la recibió: su enlace está detenido" in told
    assert f"{RED} todavía no" not in told
    assert f"  {HOGAR}: su enlace está detenido" in typing("status")


def test_status_takes_the_name_of_a_protocol(net: Net, typing: Callable[..., str]) -> None:
    propose(net)
    for named in (("shelter",), ("shelter@2",), ("shelter", "2"), ()):
        assert "shelter@2  " in typing("status", *named)
    assert "detenido" not in typing("status")
    assert "De «shelter@3» nada está en camino" in typing("status", "shelter@3")
    assert "tinkuy protocol history mental-health" in typing("status", "mental-health")


def test_whoever_has_not_signed_is_not_called_unproven(net: Net, tmp_path: Path) -> None:
    """Nothing in the files claims to be hers: no manifest is missing, and nobody need ask for one."""
    name = propose(net)
    for file, data in net[HOGAR].run(lambda unit: bundle(unit, find_proposal(unit, name))).items():
        if not file.startswith("manifests/") or file.startswith(f"manifests/{CEM}."):
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for line in ([], ["--manifests", str(tmp_path / "manifests")]):
        told = CliRunner().invoke(app, ["protocol", "verify", str(tmp_path), *line])
        assert told.exit_code == 1
        assert told.stdout.count("NO FIRMÓ") == len((CEM, HOGAR, RED))
        assert "no se sabe si firmó" not in told.stdout
        assert f"no firmaron todas: falta {CEM}, {HOGAR}, {RED}.  (protocol.not_signed)" in told.stderr
        assert "FALTA el manifiesto" not in told.stderr


def test_what_is_too_long_to_be_said_is_refused_alike_whoever_it_names() -> None:
    """P08: nothing is proposed whatever the answer, so an administrator could ask all day who is known here."""
    net = fresh()
    opened(net[RED], {"legal_name": "Nadia Inventada Prueba"})
    answers = set()
    for name in ("Nadia Inventada", "Otra Persona"):
        long = replace(terms(net), why=f"Que vaya {name}. " + "x" * pw.MAX_TEXT)
        with pytest.raises(Refused) as refused:
            net[RED].run(protocols.propose, "admin", text_of(2), long)
        answers.add(refused.value.code)
    assert answers == {"protocol.text"}
