"""What a person in a chat may ask of the hub, as values. `chat/grammar.py` makes them from text; `chat/desk.py` acts on them.

A case or referral is named by its code (`C-…`, `R-…`) or left `None`, which means *the one this thread is about*.
Times are already absolute (aware UTC) together with the words that were understood, so that they can be echoed back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

AS_ASKED = ("*",)
"""In `RecordConsent.fields`: everything that the protocol asks for the purpose ("lo necesario")."""


@dataclass(frozen=True, kw_only=True)
class When:
    """A point in time that a person named: the instant (UTC) and the reading to echo, for example `lun 23 nov 10:00 (Lima)`."""

    at: datetime
    echo: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """Base of every command."""


@dataclass(frozen=True, kw_only=True)
class Help(Command):
    """`ayuda [tema]`"""

    topic: str | None = None


@dataclass(frozen=True, kw_only=True)
class ListCases(Command):
    """`casos` | `pendientes`"""


@dataclass(frozen=True, kw_only=True)
class OpenCase(Command):
    """`abrir` starts the dialogue; `abrir Luz, el lunes a las 10` does it in one line (R1: the name she wants to be called by)."""

    name: str | None = None
    next_contact: When | None = None


@dataclass(frozen=True, kw_only=True)
class SetField(Command):
    """`anotar [código] campo: valor`. `field` is a vocabulary id, already matched from its label or a synonym."""

    case: str | None
    field: str
    value: str


@dataclass(frozen=True, kw_only=True)
class RecordConsent(Command):
    """`consentimiento [código] …`; whatever is `None` is asked by the dialogue (R12, R72).

    One line: `consentimiento C-… oral a csmc-comas para salud mental campos nombre, contacto hasta 3 meses explicado`.
    `fields == AS_ASKED` means *lo necesario*: everything that the protocol asks for these purposes, and no more.
    """

    case: str | None
    recipients: tuple[str, ...] | None = None
    purposes: tuple[str, ...] | None = None
    fields: tuple[str, ...] | None = None
    until: When | None = None
    mode: str | None = None
    explained: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Refer(Command):
    """`derivar [código] a institución por necesidad`"""

    case: str | None
    to: str | None
    need: str | None


@dataclass(frozen=True, kw_only=True)
class Choose(Command):
    """A bare number: the answer to the open question that owns this number."""

    number: int


@dataclass(frozen=True, kw_only=True)
class LooseNumber(Command):
    """A bare number in the open room that fits a question put to everybody: it may be chatter, so it is asked back, never acted on."""

    number: int


@dataclass(frozen=True, kw_only=True)
class HalfDone(Command):
    """A number of a question that was left half done when another was begun in its place: it is told which, and acts on nothing."""

    number: int


@dataclass(frozen=True, kw_only=True)
class Wish(Command):
    """A plain wish in a thread that is no firm command: what to type is said. `instead` is how it would be typed, for «sí»."""

    verb: str
    field: str | None = None
    instead: str = ""


@dataclass(frozen=True, kw_only=True)
class Whole(Command):
    """A «sí» to a suggestion that it cannot take: what is typed whole instead; empty when there was more than one."""

    example: str = ""


@dataclass(frozen=True, kw_only=True)
class Stray(Command):
    """Words that are no answer of the dialogue that waits for one: never tried as one, and met with what is expected."""

    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Undo(Command):
    """`deshacer`: take back the last thing, while nothing has left (60 s)."""


@dataclass(frozen=True, kw_only=True)
class Cancel(Command):
    """`cancelar`: leave the running dialogue or preview."""


@dataclass(frozen=True, kw_only=True)
class Skip(Command):
    """`saltar`: leave this question of a dialogue unanswered."""


@dataclass(frozen=True, kw_only=True)
class Back(Command):
    """`atrás`: ask the previous question of a dialogue again."""


@dataclass(frozen=True, kw_only=True)
class Accept(Command):
    """`aceptar [R-…]`"""

    referral: str | None


@dataclass(frozen=True, kw_only=True)
class Decline(Command):
    """`rechazar [R-…] motivo`; `reason` is a vocabulary code or `None` when not understood (then the choices are shown)."""

    referral: str | None
    reason: str | None
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class AskField(Command):
    """`pedir [R-…] campo para motivo`: one named extra field with a purpose (R14, R48)."""

    referral: str | None
    field: str | None
    why: str | None


@dataclass(frozen=True, kw_only=True)
class Share(Command):
    """`compartir [R-…] a institución por necesidad: campo, campo porque motivo`: the owner is asked whether it may go on (R71)."""

    referral: str | None
    to: str
    need: str
    fields: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class Emergency(Command):
    """`emergencia [R-…] campo porque motivo`: one withheld field, because a life is at stake (R76)."""

    referral: str | None
    field: str | None
    why: str | None


@dataclass(frozen=True, kw_only=True)
class RecordBasis(Command):
    """`base legal [C-…] cuál para institución porque motivo [hasta cuándo]`: a law in place of her consent (R70)."""

    case: str | None
    basis: str | None = None
    recipients: tuple[str, ...] = ()
    why: str = ""
    until: When | None = None


@dataclass(frozen=True, kw_only=True)
class EndBasis(Command):
    """`quitar base legal [C-…]`: which one, by number."""

    case: str | None


@dataclass(frozen=True, kw_only=True)
class TellAccount(Command):
    """`relato [código]`: what she told, once; the dialogue fills the rest (R23)."""

    case: str | None
    words: str = ""
    teller: str = ""
    mode: str = ""
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class AskAgain(Command):
    """`volver a preguntar [código] motivo`"""

    code: str | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Say(Command):
    """`decir [R-…] texto`: goes to the other institution, sealed; anything else stays inside."""

    referral: str | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Relay(Command):
    """Words in reply to what the other institution wrote: they go there once she confirms."""

    text: str


@dataclass(frozen=True, kw_only=True)
class BentPointer(Command):
    """A command without a code whose thread or reply the homeserver may have made up (X34): nothing is done."""


@dataclass(frozen=True, kw_only=True)
class Progress(Command):
    """`avance [R-…] en curso|en espera`"""

    referral: str | None
    status: str | None


@dataclass(frozen=True, kw_only=True)
class Finish(Command):
    """`resultado [R-…] código`: the referral ended with this outcome (vocabulary code), counter-referral to the sender."""

    referral: str | None
    outcome: str | None
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class GiveBack(Command):
    """`devolver [R-…] motivo`: after disclosure; the keys are destroyed, the lead stays where it is."""

    referral: str | None
    reason: str | None
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class PlanCheckIn(Command):
    """`control [código] en 3 días`"""

    case: str | None
    when: When | None


@dataclass(frozen=True, kw_only=True)
class WhoKnows(Command):
    """`quién sabe [código] [para ella]`: `for_her` is the sheet in plain words that she can take along."""

    case: str | None
    for_her: bool = False


@dataclass(frozen=True, kw_only=True)
class Withdraw(Command):
    """`retirar [código] [de institución] [campo, …]`"""

    case: str | None
    recipient: str | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Show(Command):
    """`ver [código] [campo] [porque …]`: values appear only in the direct chat and are redacted after some minutes."""

    code: str | None
    field: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class CloseCase(Command):
    """`cerrar [código] resultado`"""

    case: str | None
    outcome: str | None
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Meet(Command):
    """`reunir [C-…] a institución y institución`: a coordination room about a case."""

    case: str | None
    institutions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AddToRoom(Command):
    """`sumar institución a S-…`"""

    room: str | None
    institution: str | None


@dataclass(frozen=True, kw_only=True)
class TakeOut(Command):
    """`sacar institución de S-…`"""

    room: str | None
    institution: str | None


@dataclass(frozen=True, kw_only=True)
class JoinRoom(Command):
    """`entrar S-…`: she herself takes part."""

    room: str | None


@dataclass(frozen=True, kw_only=True)
class LeaveRoom(Command):
    """`salir S-…`"""

    room: str | None


@dataclass(frozen=True, kw_only=True)
class WhoSees(Command):
    """`quién ve [S-…]`: who is in a coordination room, what its card shows and why not more."""

    room: str | None


@dataclass(frozen=True, kw_only=True)
class WhoActs(Command):
    """`responsables [S-…]`: who leads, who acts, by when (R49)."""

    room: str | None


@dataclass(frozen=True, kw_only=True)
class EndMeeting(Command):
    """`terminar reunión [S-…]`"""

    room: str | None


@dataclass(frozen=True, kw_only=True)
class Duty(Command):
    """`guardia sí|no`"""

    on: bool


@dataclass(frozen=True, kw_only=True)
class Unclear(Command):
    """Addressed to us, not understood: the nearest verbs, for "¿quisiste decir…?"."""

    suggestions: tuple[str, ...] = ()
    said: str = ""
    """The words, as they were addressed to us: what «sí» puts right."""


@dataclass(frozen=True, kw_only=True)
class Govern(Command):
    """A verb of the administration room (`política …`): which one, and the words after it as they were typed."""

    verb: str
    said: str


@dataclass(frozen=True, kw_only=True)
class Nearly(Command):
    """Words that are part of exactly one option that she was just asked to choose: too little to act on, too much to be met with silence."""

    number: int


@dataclass(frozen=True, kw_only=True)
class Which(Command):
    """Words that answer several questions she was asked: which one is asked back by number."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Unsure(Command):
    """Words about a check-in that rings, in its thread, that are none of its answers: what may be urgent is never met with silence."""

    number: int


@dataclass(frozen=True, kw_only=True)
class BadArgument(Command):
    """The verb was understood, an argument was not: `what` names it (`date`, `institution`, `field`, `code`, …)."""

    verb: str
    what: str
    given: str
    suggestions: tuple[str, ...] = ()
    said: str = ""
