"""Text → command: verbs and their forms, arguments, what is asked back, and what a note in a thread may never do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.cases import commands as c
from hub.chat import verbs
from hub.chat.fold import fold, words
from hub.chat.grammar import parse, parse_in_thread
from tests.chat.conftest import CASE, CONTEXT, ENGLISH, REFERRAL

WRONG = CASE[:-1] + ("2" if CASE[-1] != "2" else "3")
MONDAY = c.When(at=datetime(2026, 11, 23, 15, 0, tzinfo=UTC), echo="lun 23 nov 10:00 (Lima)")
REFER = c.Refer(case=CASE, to="csmc-comas", need="mental_health")

UNDERSTOOD: list[tuple[str, c.Command]] = [
    ("ayuda", c.Help()),
    ("", c.Help()),
    ("?", c.Help()),
    ("hola", c.Help()),
    ("Ayúdame con derivar", c.Help(topic="derivar")),
    ("help", c.Help()),
    ("casos", c.ListCases()),
    ("Pendientes", c.ListCases()),
    ("ver mis casos", c.ListCases()),
    ("list", c.ListCases()),
    ("abrir", c.OpenCase()),
    ("nuevo caso", c.OpenCase()),
    ("quiero abrir un caso", c.OpenCase()),
    ("open case", c.OpenCase()),
    ("abrir Luz", c.OpenCase(name="Luz")),
    ("abrir María Domingo", c.OpenCase(name="María Domingo")),
    ("abrir Luz, el lunes a las 10", c.OpenCase(name="Luz", next_contact=MONDAY)),
    ("abrir caso para Luz el lunes a las 10", c.OpenCase(name="Luz", next_contact=MONDAY)),
    ("Abrí caso: «Luz», 23/11 10:00", c.OpenCase(name="Luz", next_contact=MONDAY)),
    (f"anotar {CASE} teléfono: 999 111 222", c.SetField(case=CASE, field="phone", value="999 111 222")),
    (f"anotá {CASE} celular 999", c.SetField(case=CASE, field="phone", value="999")),
    ("anotar telefóno: 999", c.SetField(case=None, field="phone", value="999")),
    ("anotar relato: dijo: «no»\n  y después…", c.SetField(case=None, field="account", value="dijo: «no»\n  y después…")),
    ("anotar riesgo: grave", c.SetField(case=None, field="risk_level", value="high")),
    ("anotar agresor: policia, serenazgo", c.SetField(case=None, field="aggressor_affiliation", value="police,municipality")),
    (f"derivar {CASE} a csmc-comas por salud mental", REFER),
    (f"derivá {CASE} al CSMC Comas para psicología", REFER),
    (f"Deriva {CASE} a CSMC COMAS por SALUD MENTAL.", REFER),
    (f"referir {CASE} a csmc comas por salud mental", REFER),
    (f"refiere {CASE} a csmc-comas por salud mental", REFER),
    (f"refer {CASE} to csmc-comas for mental health", REFER),
    (f"por favor, ¿podrías derivar {CASE} a csmc-comas por salud mental? gracias", REFER),
    (f"derivar el caso {CASE} a csmc-comas por salud mental", REFER),
    (f"derivar a csmc-comas por salud mental {CASE}", REFER),
    (f"derivar {CASE.lower().replace('-', ' ')} a csmc-comas por salud mental", REFER),
    (f"derívala {CASE} a csmc-comas por salud metal", REFER),
    (f"derivar {CASE} por salud mental a csmc-comas", REFER),
    (f"derivar {CASE} a la Defensa Pública para Víctimas por asesoría legal", c.Refer(case=CASE, to="defensa", need="legal_aid")),
    (f"derivar {CASE} a Defensa Pública para Víctimas", c.Refer(case=CASE, to="defensa", need=None)),
    ("derivar a refugio", c.Refer(case=None, to=None, need="shelter")),
    ("derivar", c.Refer(case=None, to=None, need=None)),
    ("2", c.Choose(number=2)),
    ("2.", c.Choose(number=2)),
    ("2)", c.Choose(number=2)),
    ("opción 2", c.Choose(number=2)),
    ("el 2", c.Choose(number=2)),
    ("la opcion 12", c.Choose(number=12)),
    ("2️⃣", c.Choose(number=2)),
    ("«2»", c.Choose(number=2)),
    ("deshacer", c.Undo()),
    ("Deshaz", c.Undo()),
    ("undo", c.Undo()),
    ("cancelar", c.Cancel()),
    ("saltar", c.Skip()),
    ("atras", c.Back()),
    ("aceptar", c.Accept(referral=None)),
    (f"Acepto {REFERRAL}", c.Accept(referral=REFERRAL)),
    (f"aceptamos {REFERRAL}, gracias", c.Accept(referral=REFERRAL)),
    (f"accept {REFERRAL}", c.Accept(referral=REFERRAL)),
    ("rechazar falta cupo", c.Decline(referral=None, reason="no_capacity")),
    (f"rechazá {REFERRAL} por falta de cupo", c.Decline(referral=REFERRAL, reason="no_capacity")),
    ("rechazar sin cuppo", c.Decline(referral=None, reason="no_capacity")),
    ("no podemos aceptar porque no nos corresponde", c.Decline(referral=None, reason="not_our_competence")),
    ("rechazar porque llueve", c.Decline(referral=None, reason=None)),
    ("rechazar", c.Decline(referral=None, reason=None)),
    (f"pedir {REFERRAL} teléfono para llamarla mañana", c.AskField(referral=REFERRAL, field="phone", why="llamarla mañana")),
    ("pedí nombre para contacto para llamarla", c.AskField(referral=None, field="name_for_contact", why="llamarla")),
    ("pedir teléfono", c.AskField(referral=None, field="phone", why=None)),
    ("pedir", c.AskField(referral=None, field=None, why=None)),
    (f"decir {REFERRAL} Ella  llega a las 3 ", c.Say(referral=REFERRAL, text="Ella  llega a las 3")),
    (f"diles {REFERRAL}: hola\n!tk retirar", c.Say(referral=REFERRAL, text="hola\n!tk retirar")),
    ("decir: - uno\n- dos, ¡ojo! 👩‍⚕️", c.Say(referral=None, text="- uno\n- dos, ¡ojo! 👩‍⚕️")),
    ("avance en curso", c.Progress(referral=None, status="in-progress")),
    (f"avance {REFERRAL} en espera", c.Progress(referral=REFERRAL, status="on-hold")),
    (f"resultado {REFERRAL} atendida", c.Finish(referral=REFERRAL, outcome="attended")),
    ("resultado no vino", c.Finish(referral=None, outcome="did_not_come")),
    (f"devuelvo {REFERRAL} se mudó", c.GiveBack(referral=REFERRAL, reason="moved_away")),
    ("devolver", c.GiveBack(referral=None, reason=None)),
    ("control el lunes a las 10", c.PlanCheckIn(case=None, when=MONDAY)),
    (f"control {CASE} el lunes a las 10", c.PlanCheckIn(case=CASE, when=MONDAY)),
    (f"programar un control para el lunes a las 10 del caso {CASE}", c.PlanCheckIn(case=CASE, when=MONDAY)),
    ("control", c.PlanCheckIn(case=None, when=None)),
    (f"quién sabe {CASE}", c.WhoKnows(case=CASE)),
    (f"¿Quién sabe del caso {CASE}?", c.WhoKnows(case=CASE)),
    ("quien sabe que", c.WhoKnows(case=None)),
    (f"quién sabe {CASE} para ella", c.WhoKnows(case=CASE, for_her=True)),
    ("quién sabe qué, para ella", c.WhoKnows(case=None, for_her=True)),
    (f"who knows {CASE} for her", c.WhoKnows(case=CASE, for_her=True)),
    (f"retirar {CASE}", c.Withdraw(case=CASE)),
    (f"retirar {CASE} todo", c.Withdraw(case=CASE)),
    (f"retirar {CASE} de csmc-comas", c.Withdraw(case=CASE, recipient="csmc-comas")),
    (
        f"retirar {CASE} de csmc-comas teléfono, relato",
        c.Withdraw(case=CASE, recipient="csmc-comas", fields=("phone", "account")),
    ),
    (
        f"retirar {CASE} teléfono y relato de csmc-comas",
        c.Withdraw(case=CASE, recipient="csmc-comas", fields=("phone", "account")),
    ),
    ("retirar el consentimiento", c.Withdraw(case=None)),
    ("retirar teléfono", c.Withdraw(case=None, fields=("phone",))),
    (f"ver {CASE}", c.Show(code=CASE)),
    (f"ver {REFERRAL} teléfono porque debo llamarla", c.Show(code=REFERRAL, field="phone", reason="debo llamarla")),
    ("ver", c.Show(code=None)),
    (f"cerrar {CASE} se atendió lo que pidió", c.CloseCase(case=CASE, outcome="needs_met")),
    (f"cierra {CASE}", c.CloseCase(case=CASE, outcome=None)),
    ("guardia sí", c.Duty(on=True)),
    ("guardia no", c.Duty(on=False)),
    ("no estoy de guardia", c.Duty(on=False)),
    ("estoy de turno", c.Duty(on=True)),
    ("consentimiento", c.RecordConsent(case=None)),
    (f"consentimiento {CASE} oral", c.RecordConsent(case=CASE, mode="oral")),
]

ASKED_BACK: list[tuple[str, str, str, tuple[str, ...]]] = [
    (f"derivar {CASE} a csmc coma por salud mental", "refer", "institution", ("csmc-comas",)),
    (f"derivar {CASE} a hogar sede 3", "refer", "institution", ("hogar-1", "hogar-2")),
    (f"derivar {WRONG} a csmc-comas", "refer", "code", ()),
    (f"ver {WRONG}", "show", "code", ()),
    (f"decir {WRONG} hola", "say", "code", ()),
    (f"aceptar {WRONG}", "accept", "code", ()),
    (f"derivar {CASE} a csmc-comas por salud mentolada", "refer", "need", ("mental_health",)),
    ("anotar telefonazos: 9", "set", "field", ("phone",)),
    ("anotar agresor: polisía nacional", "set", "value", ("police",)),
    ("anotar riesgo:", "set", "value", ()),
    ("control ayer", "checkin", "date", ()),
    ("control hoy a las 8", "checkin", "date_past", ()),
    ("abrir Luz, ayer", "open", "date", ()),
    ("abrir " + "x" * 90, "open", "name", ()),
    ("guardia", "duty", "yes_no", ()),
    ("decir", "say", "text", ()),
    ("aceptar el de mañana", "accept", "extra", ()),
    ("deshacer todo ya", "undo", "extra", ()),
    ("retirar de csmc coma", "withdraw", "institution", ("csmc-comas",)),
    (f"retirar {CASE} telefonito", "withdraw", "field", ("phone",)),
    ("pedir telefonazos", "ask", "field", ("phone",)),
    ("consentimiento oral a csmc coma", "consent", "institution", ("csmc-comas",)),
    ("consentimiento campos telefonito", "consent", "field", ("phone",)),
    ("consentimiento hasta ayer", "consent", "date", ()),
    ("consentimiento para bailar", "consent", "purpose", ()),
]


@pytest.mark.parametrize(("text", "expected"), UNDERSTOOD)
def test_words_are_understood(text: str, expected: c.Command) -> None:
    assert parse(text, CONTEXT) == expected


@pytest.mark.parametrize(("text", "verb", "what", "suggestions"), ASKED_BACK)
def test_words_are_asked_back(text: str, verb: str, what: str, suggestions: tuple[str, ...]) -> None:
    found = parse(text, CONTEXT)
    assert isinstance(found, c.BadArgument), found
    assert (found.verb, found.what) == (verb, what)
    assert set(suggestions) <= set(found.suggestions)


@pytest.mark.parametrize(
    ("text", "es", "en"),
    [
        ("deribar a x", "derivar", "refer"),
        ("asceptar", "aceptar", "accept"),
        ("rechasar", "rechazar", "decline"),
        ("consentimeinto", "consentimiento", "consent"),
        ("retitar", "retirar", "withdraw"),
        ("quien save", "quién sabe", "who knows"),
        ("!ayudda", "ayuda", "help"),
    ],
)
def test_did_you_mean(text: str, es: str, en: str) -> None:
    assert parse(text, CONTEXT) == c.Unclear(suggestions=(es,)) or es in getattr(parse(text, CONTEXT), "suggestions", ())
    assert en in getattr(parse(text, ENGLISH), "suggestions", ())


@pytest.mark.parametrize("text", ["xyzzy", "el perro duerme", "-2", "2 3", "12345678901", "3.5"])
def test_nonsense_is_unclear(text: str) -> None:
    assert isinstance(parse(text, CONTEXT), c.Unclear)


def test_a_consent_in_one_line() -> None:
    line = f"consentimiento {CASE} oral a csmc-comas para salud mental campos nombre, contacto seguro hasta 3 meses explicado"
    found = parse(line, CONTEXT)
    assert isinstance(found, c.RecordConsent)
    assert (found.case, found.recipients, found.purposes) == (CASE, ("csmc-comas",), ("mental_health",))
    assert (found.fields, found.mode, found.explained) == (("social_name", "safe_contact"), "oral", True)
    assert found.until is not None
    assert found.until.echo == "dom 21 feb 2027 23:59 (Lima)"


def test_a_consent_whose_names_hold_key_words() -> None:
    line = (
        "consentimiento a Defensa Pública para Víctimas y csmc-comas para asesoría legal "
        "campos nombre para contacto, por escrito, no explicado"
    )
    found = parse(line, CONTEXT)
    assert isinstance(found, c.RecordConsent)
    assert (found.recipients, found.purposes) == (("defensa", "csmc-comas"), ("legal_aid",))
    assert (found.fields, found.mode, found.explained, found.until) == (("name_for_contact",), "written", False, None)


def test_a_key_word_said_twice_adds() -> None:
    found = parse("consentimiento a csmc-comas, a cem-lima", CONTEXT)
    assert isinstance(found, c.RecordConsent)
    assert found.recipients == ("csmc-comas", "cem-lima")


def test_what_is_needed_and_no_more() -> None:
    found = parse("consentimiento campos lo necesario", CONTEXT)
    assert isinstance(found, c.RecordConsent)
    assert found.fields == c.AS_ASKED


def test_two_institutions_with_one_name_are_both_offered() -> None:
    twins = replace(CONTEXT, institutions={"a": ("Hogar Sol",), "b": ("Hogar Sol",)})
    found = parse("derivar a Hogar Sol", twins)
    assert isinstance(found, c.BadArgument)
    assert found.suggestions == ("a", "b")


def test_every_form_of_every_verb_leads_to_it() -> None:
    for verb in verbs.VERBS:
        for form in verb.forms:
            assert fold(form) == form or form == "?", form
            matched = verbs.match_verb(words(form)) if form != "?" else (verb, 1)
            assert matched is not None, form
            assert matched[0].key == verb.key, (form, verb.key, matched[0].key)


NOTES = [
    "hablé con ella",
    "acepto la propuesta de María",
    "aceptar mañana",
    "¿aceptar?",
    "acepto",
    "cierra el caso cuando vuelvas",
    "quién sabe qué pasó",
    "mensaje recibido",
    "dile que la llamo",
    "diles que no puedo",
    "me equivoqué de caso",
    "puedes derivar el caso a csmc-comas?",
    "no podemos hoy",
    "mañana la veo a las 10",
    "dice que prefiere salud mental",
    "volver a llamar",
    "deriva tú el caso",
    "lo tomo yo",
    "en espera de su respuesta",
    "ver si contesta\nretirar",
    "tengo 2 dudas",
    "2\n3",
    "por favor derivar a csmc-comas",
    "aceptar\n!tk retirar C",
    "",
    "   ",
    "👍",
]


@pytest.mark.parametrize("note", NOTES)
def test_a_note_among_colleagues_does_nothing(note: str) -> None:
    assert parse_in_thread(note, CONTEXT) is None


@pytest.mark.parametrize("note", ["decir que no", "decir a la colega que venga", "decir si vino"])
def test_a_note_that_begins_like_a_message_does_not_go_out(note: str) -> None:
    assert parse_in_thread(note, CONTEXT) == c.BadArgument(verb="say", what="explicit", given="")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aceptar", c.Accept(referral=None)),
        ("2", c.Choose(number=2)),
        ("rechazar sin cupo", c.Decline(referral=None, reason="no_capacity")),
        ("decir: que no", c.Say(referral=None, text="que no")),
        (f"decir {REFERRAL} hola", c.Say(referral=REFERRAL, text="hola")),
        ("control el lunes a las 10", c.PlanCheckIn(case=None, when=MONDAY)),
        (f"derivar {CASE} a csmc-comas por salud mental", REFER),
        ("quién sabe", c.WhoKnows(case=None)),
        ("ver", c.Show(code=None)),
        ("decir hola\nadiós", c.Say(referral=None, text="hola\nadiós")),
    ],
)
def test_a_whole_firm_command_counts_in_a_thread(text: str, expected: c.Command) -> None:
    assert parse_in_thread(text, CONTEXT) == expected


WORDS = (
    "derivar aceptar decir retirar consentimiento abrir anotar control ver a para por de csmc-comas salud mental campos hasta 3",
    "meses",
    ", : ? ¿ no teléfono lunes explicado todo",
)
vocabulary = st.lists(st.sampled_from([*" ".join(WORDS).split(), CASE, REFERRAL, WRONG, "\n"]), max_size=12).map(" ".join)


@given(st.text() | vocabulary)
def test_parse_never_raises(text: str) -> None:
    assert isinstance(parse(text, CONTEXT), c.Command)
    found = parse_in_thread(text, CONTEXT)
    assert found is None or isinstance(found, c.Command)


@given(
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
        lambda t: t == t.strip() and t[0] not in ":,"
    )
)
def test_a_message_goes_out_exactly_as_typed(text: str) -> None:
    assert parse(f"decir {REFERRAL}: {text}", CONTEXT) == c.Say(referral=REFERRAL, text=text)


@given(st.text() | vocabulary)
@example(": DECIR 0")
def test_only_an_explicit_verb_sends(text: str) -> None:
    """An internal note can never go out: what leaves a thread began with the word `decir` or `say`, whatever marks stand before it."""
    if isinstance(parse_in_thread(text, CONTEXT), c.Say):
        assert words(text)[0].folded.split(":")[0] in ("decir", "say")


@given(vocabulary, vocabulary)
def test_i02_a_second_line_changes_no_command(first: str, second: str) -> None:
    first = " ".join(first.split())
    command = parse(first, CONTEXT)
    if not isinstance(command, c.Say | c.SetField | c.BadArgument) and first:
        assert parse(f"{first}\n{second}", CONTEXT) == command


@given(vocabulary)
def test_a_mistyped_code_never_becomes_another(text: str) -> None:
    found = parse(text.replace(CASE, WRONG).replace(REFERRAL, WRONG), CONTEXT)
    assert CASE not in repr(found)
    assert REFERRAL not in repr(found)


def test_long_texts_are_read_in_no_time() -> None:
    for text in (
        "a " * 20_000,
        "derivar a " + "por " * 20_000,
        "consentimiento a " + "x y " * 20_000,
        "1" * 60_000,
        "retirar de " * 9_000,
    ):
        assert isinstance(parse(text, CONTEXT), c.Command)
