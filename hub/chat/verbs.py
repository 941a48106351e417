"""The words that begin a command: Spanish verbs in the forms that people really write, with English aliases.

One table. A regular verb is given by its infinitive and yields its forms (`deriva`, `derivá`, `derive`, `derivo`,
`derívala` …); irregular forms and nouns stand beside it. All forms are folded (no accents, lower case).

`firm` forms are those nobody writes by accident at the start of a note to a colleague (infinitives and the English verb).
Only they may act on words that stand in a case thread without addressing us (`grammar.parse_in_thread`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from hub.chat.fold import Word, fold


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One command word: its key, the label to offer in each language, and every form of it."""

    key: str
    es: str
    en: str
    forms: frozenset[str]
    firm: frozenset[str]

    def label(self, language: str) -> str:
        """What to write for it, in the language of the reader."""
        return self.en if language == "en" else self.es


_CLITICS = ("", "la", "lo", "las", "los", "le", "les", "me", "nos", "sela", "selo")


def conjugated(infinitive: str, strong: str | None = None) -> set[str]:
    """The forms of a verb in which commands come: infinitive, tú, vos, usted, ustedes, yo, nosotros, with clitics.

    `strong` is the stem under stress where it differs (`cerrar` → `cierr`).
    """
    weak, kind = infinitive[:-2], infinitive[-2:]
    stems = {weak, strong or weak}
    soft = {_softened(s) for s in stems}
    if kind == "ar":
        commands = {s + "a" for s in stems} | {s + e for s in soft for e in ("e", "en", "emos")}
        plain = {s + "o" for s in stems} | {s + "amos" for s in stems}
    else:
        commands = {s + e for s in stems for e in ("e", "i", "a", "an", "amos")}
        plain = {s + "o" for s in stems} | {weak + ("emos" if kind == "er" else "imos")}
    return {form + clitic for form in commands | {infinitive} for clitic in _CLITICS} | plain


def _softened(stem: str) -> str:
    """The stem as it is spelt before `e`: `rechaz` → `rechac`, `registr` stays."""
    changed = {"c": stem[:-1] + "qu", "g": stem + "u", "z": stem[:-1] + "c"}
    return changed.get(stem[-1], stem)


def _verb(key: str, es: str, en: str, *others: str, firmly: Sequence[str] = (), verbs: Sequence[tuple[str, str | None]] = ()) -> Verb:
    given = {fold(form) for form in (es, en, *others, *firmly)} - {""}
    regular = set().union(*(conjugated(a, b) for a, b in verbs))
    firm = {fold(es), fold(en), *map(fold, firmly)} | {a for a, _ in verbs}
    return Verb(key=key, es=es, en=en, forms=frozenset(given | regular), firm=frozenset(firm))


VERBS: tuple[Verb, ...] = (
    _verb("help", "ayuda", "help", "?", "comandos", "menu", "instrucciones", "ayudar", "ayudame", "ayudeme", "ayudenme",
          "que puedo hacer",
          "que puedes hacer", "que hago", "como funciona", "como se usa", "commands", "what can i do", "opciones"),
    _verb("list", "casos", "cases", "pendientes", "mis casos", "mis pendientes", "lista", "listado", "lista de casos",
          "listar casos",
          "listar", "ver casos", "ver pendientes", "ver mis casos", "ver los casos", "mostrar casos", "muestra casos",
          "muestra los casos",
          "que tengo pendiente", "casos abiertos", "list", "list cases", "show cases", "my cases", "pending", "open cases"),
    _verb("open", "abrir", "open", "abrir caso", "abrir un caso", "abre caso", "abre un caso", "abra caso", "abra un caso",
          "nuevo",
          "nuevo caso", "caso nuevo", "un nuevo caso", "crear caso", "crear un caso", "crea un caso", "registrar caso",
          "registrar un caso",
          "registra un caso", "abrir nuevo caso", "iniciar caso", "open case", "open a case", "new case", "a new case",
          "create case",
          "abri", "abri caso", "abri un caso", verbs=[("abrir", None)]),
    _verb("set", "anotar", "note", "set", "record", "apunte", "nota", "dato", "update",
          verbs=[("anotar", None), ("apuntar", None), ("registrar", None), ("actualizar", None),
                 ("agregar", None), ("corregir", "corrig")]),
    _verb("consent", "consentimiento", "consent", "registrar consentimiento", "registra consentimiento",
          "anotar consentimiento",
          "el consentimiento", "nuevo consentimiento", "dio consentimiento", "consiente", "consentir", "ella consiente",
          "autoriza",
          "autorizacion", "record consent", "registrar el consentimiento", "registra el consentimiento",
          "anotar el consentimiento"),
    _verb("refer", "derivar", "refer", "derivacion", "nueva derivacion", "derivar caso", "derivar el caso", "referral",
          "send to", "a quien lo derivo", "a quien derivar", "a quien derivarla", "a donde la derivo", "a donde derivo", "ruta", "la ruta",
          firmly=("rutas", "a quien derivo", "a quien la derivo", "routes", "who to refer to"),
          verbs=[("derivar", None), ("referir", "refier"), ("remitir", None)]),
    _verb("undo", "deshacer", "undo", "deshaz", "deshace", "deshaga", "me equivoque", "revertir", "deshacer eso", "deshazlo"),
    _verb("cancel", "cancelar", "cancel", "dejalo", "dejarlo", "olvidalo", "mejor no", "stop", "abort", "no enviar", "quit",
          verbs=[("cancelar", None), ("anular", None)]),
    _verb("skip", "saltar", "skip", "siguiente", "omite", "mas tarde", "despues", "later", "next", "no responde",
          "prefiere no decir", "prefiere no decirlo", verbs=[("saltar", None), ("omitir", None)]),
    _verb("back", "atrás", "back", "volver", "vuelve", "anterior", "regresar", "regresa", "previous", "volver atras",
          "ir atras"),
    _verb("accept", "aceptar", "accept", "aceptamos", "la aceptamos", "lo aceptamos", "lo tomo", "la tomo", "lo tomamos",
          "la tomamos",
          "aceptar caso", "aceptar derivacion", "aceptar la derivacion", "we accept", "i accept", verbs=[("aceptar", None)]),
    _verb("decline", "rechazar", "decline", "reject", "no aceptar", "no acepto", "no aceptamos", "no la aceptamos",
          "no podemos aceptar",
          "no podemos", "no puedo aceptar", "rechazar derivacion", "rechazar la derivacion",
          verbs=[("rechazar", None), ("declinar", None)]),
    _verb("ask", "pedir", "ask", "ask for", "request", "pedir dato", "pedir el dato", "pedir un dato", "solicitar dato",
          verbs=[("pedir", "pid"), ("solicitar", None)]),
    _verb("share", "compartir", "share", "compartir con", "pasar datos", "pasar a", "share with", "pass on", verbs=[("compartir", None)]),
    _verb("emergency", "emergencia", "emergency", "es una emergencia", "por emergencia", "break glass"),
    _verb("basis", "base legal", "legal basis", "una base legal", "registrar base legal", "registrar una base legal", "anotar base legal",
          "record legal basis", "sin su permiso por ley"),
    _verb("endbasis", "quitar base legal", "end legal basis", "quitar la base legal", "terminar base legal", "remove legal basis"),
    _verb("account", "relato", "account", "su relato", "el relato", "relato de", "escribir relato", "guardar relato", "her account"),
    _verb("again", "volver a preguntar", "ask again", "volver a preguntarle", "preguntar otra vez", "preguntarle otra vez", "otra entrevista"),
    _verb("say", "decir", "say", "di", "dile", "diles", "digale", "digales", "decirle", "decirles", "deci", "decile", "deciles",
          "mensaje", "enviar mensaje", "envia mensaje", "envia un mensaje", "enviar un mensaje", "enviar el mensaje",
          "mandar mensaje",
          "manda mensaje", "mandar un mensaje", "escribirles", "escribeles", "tell", "tell them", "send message", "message"),
    _verb("progress", "avance", "progress", "avances", "progreso", "estado", "status", "reportar avance", "anotar avance",
          "registrar avance", verbs=[("avanzar", None)]),
    _verb("finish", "resultado", "outcome", "resultados", "contrarreferencia", "contrareferencia", "registrar resultado",
          "anotar resultado", "result", "finish", "complete", "done",
          verbs=[("finalizar", None), ("terminar", None), ("concluir", "concluy"), ("completar", None)]),
    _verb("giveback", "devolver", "give back", "return", "devolucion", "devolver caso", "devolver el caso",
          "devolver derivacion",
          "devolver la derivacion", "giveback", verbs=[("devolver", "devuelv")]),
    _verb("checkin", "control", "check-in", "check in", "checkin", "controles", "seguimiento", "programar control",
          "programa control",
          "programa un control", "programar un control", "programe un control", "nuevo control", "agendar control",
          "agendar un control",
          "agenda un control", "poner control", "recordatorio", "remind", "remind me", "follow up", "follow-up",
          "proximo control",
          "proximo contacto", "recuerdame", "recordame", "recuerdeme", "recordarme", "recordar",
          verbs=[("posponer", None), ("reprogramar", None)]),
    _verb("whoknows", "quién sabe", "who knows", "quien sabe que", "quienes saben", "quien sabe de", "quien tiene",
          "quien tiene que",
          "quien conoce", "quien lo sabe", "quienes tienen", "que sabe cada uno", "who knows what", "who has what",
          "quien tiene datos"),
    _verb("withdraw", "retirar", "withdraw", "revoke", "retirar consentimiento", "retirar el consentimiento",
          "retira el consentimiento",
          "retira consentimiento", "revocar consentimiento", "revocar el consentimiento", "retirar permiso",
          "retirar el permiso",
          "quitar consentimiento", "quitar el consentimiento", "withdraw consent", "revoke consent",
          verbs=[("retirar", None), ("revocar", None)]),
    _verb("show", "ver", "show", "view", "see", "ver caso", "ver el caso", "ver derivacion", "ver la derivacion", "ve", "vea",
          "ver dato", "ver el dato", "mirar", "show case", verbs=[("mostrar", "muestr")]),
    _verb("close", "cerrar", "close", "cerrar caso", "cerrar el caso", "cierra caso", "cierra el caso", "cierre",
          "cierre el caso",
          "close case", "close the case", verbs=[("cerrar", "cierr")]),
    _verb("meet", "reunir", "meet", "reunion", "nueva reunion", "reunion de caso", "case conference", "sala de caso",
          verbs=[("reunir", "reun"), ("convocar", None)]),
    _verb("addto", "sumar", "add", "sumar a", verbs=[("sumar", None), ("invitar", None)]),
    _verb("takeout", "sacar", "take out", "remove", verbs=[("sacar", None)]),
    _verb("join", "entrar", "join", "participar", "participo", verbs=[("entrar", None)]),
    _verb("leave", "salir", "leave", "salir de la sala", "salgo de la sala", "leave the room"),
    _verb("whosees", "quién ve", "who sees", "quien ve que", "quienes ven", "quien lo ve", "quien esta", "quienes estan", "who is here",
          "who can see"),
    _verb("whoacts", "responsables", "responsibilities", "quien hace que", "quien hace", "quien lleva que", "who does what"),
    _verb("endmeeting", "terminar reunión", "end meeting", "terminar la reunion", "cerrar reunion", "cerrar la reunion", "cerrar sala",
          "cerrar la sala", "close room"),
    _verb("duty", "guardia", "duty", "de guardia", "en guardia", "estoy de guardia", "mi guardia", "turno", "estoy de turno",
          "on duty",
          "off duty", "fuera de guardia", "no estoy de guardia", "entro de guardia", "salgo de guardia", "entro a guardia"),
)  # fmt: skip

BY_KEY = {verb.key: verb for verb in VERBS}
_BY_FORM = {form: verb for verb in VERBS for form in verb.forms}
_LONGEST = max(len(form.split()) for form in _BY_FORM)

POLITE: tuple[str, ...] = (
    "por favor", "porfavor", "porfa", "porfis", "please", "hola", "hello", "hi", "buenos dias", "buenas tardes", "buenas noches",
    "buenas",
    "buen dia", "quiero", "quisiera", "queremos", "quisieramos", "necesito", "necesitamos", "me gustaria", "deseo",
    "podrias", "puedes",
    "podes", "puede", "podria", "podemos", "vamos a", "voy a", "quiero que", "necesito que", "ayudame a", "ayuda a", "i want to",
    "i would like to", "i'd like to", "i need to", "can you", "could you", "we want to", "let's", "favor de",
    "favor", "entonces", "ok",
    "y", "ya", "bueno", "tinkuy", "me", "te pido", "le pido", "gracias", "muchas gracias", "thanks", "thank you",
)  # fmt: skip
_POLITE = frozenset(POLITE)


def match_verb(words: Sequence[Word]) -> tuple[Verb, int] | None:
    """The verb that the first words form (the longest form wins) and how many words it took."""
    for size in range(min(_LONGEST, len(words)), 0, -1):
        verb = _BY_FORM.get(" ".join(w.folded for w in words[:size]))
        if verb is not None:
            return verb, size
    return None


def skip_polite(words: Sequence[Word]) -> Sequence[Word]:
    """What remains after greetings and `por favor, quiero …`, at the start."""
    while words:
        size = next((n for n in (4, 3, 2, 1) if len(words) >= n and " ".join(w.folded for w in words[:n]) in _POLITE), 0)
        if not size or match_verb(words) is not None:
            return words
        words = words[size:]
    return words


def without_thanks(words: Sequence[Word]) -> Sequence[Word]:
    """What remains when `por favor` and `gracias` are taken off the end."""
    while words:
        size = next((n for n in (2, 1) if len(words) >= n and " ".join(w.folded for w in words[-n:]) in _POLITE), 0)
        if not size:
            return words
        words = words[:-size]
    return words


def nearest(words: Sequence[Word], language: str, limit: int = 3) -> tuple[str, ...]:
    """Labels of the verbs whose forms are nearest in edit distance to the first word or two, for "¿quisiste decir…?"."""
    scores: dict[str, float] = {}
    for size in (1, 2, 3):
        start = " ".join(w.folded for w in words[:size])[:40]
        if len(start) < 3:
            continue
        for form, score, _ in process.extract(start, _FORMS, scorer=OSA.normalized_similarity, limit=20, score_cutoff=0.68):
            key = _BY_FORM[form].key
            scores[key] = max(scores.get(key, 0.0), score)
    best = sorted(scores, key=lambda key: -scores[key])
    return labels((key for key in best if scores[key] >= scores[best[0]] - 0.2), language)[:limit]


def slips(word: str, language: str) -> dict[str, str]:
    """The firm forms of which a word is one slip of the finger, with their labels. First and last letter stand, so that an inflected verb
    (`aceptan`, `derivará`) or another word (`abril`, `pasos`) is none; nor is a slip in what only leads through a dialogue.
    """
    if word in _BY_FORM:
        return {}
    near = ((form, verb) for verb in VERBS if verb.key not in _STEPS for form in verb.firm)
    return {form: verb.label(language) for form, verb in near if one_slip(word, form)}


def one_slip(word: str, form: str) -> bool:
    """Whether a word is another one with a single letter wrong, missing, too many, or swapped with the next."""
    if len(form) < SHORTEST_SLIP or not word:
        return False
    return (word[0], word[-1]) == (form[0], form[-1]) and OSA.distance(word, form, score_cutoff=1) == 1


SHORTEST_SLIP = 5
_STEPS = frozenset({"skip", "back"})


def size_like(words: Sequence[Word], label: str) -> int:
    """How many of the first words are a slip for the verb with this label; 0 when there is no such verb."""
    forms = [form for form, verb in _BY_FORM.items() if label in (verb.es, verb.en)]
    best = {size: _likeness(" ".join(w.folded for w in words[:size]), forms) for size in (1, 2, 3) if len(words) >= size}
    return max(best, key=lambda size: best[size]) if forms and best else 0


def _likeness(start: str, forms: Sequence[str]) -> float:
    found = process.extractOne(start, forms, scorer=OSA.normalized_similarity)
    return float(found[1]) if found else 0.0


_FORMS = tuple(_BY_FORM)


def labels(keys: Iterable[str], language: str) -> tuple[str, ...]:
    """The labels of some verbs, in order."""
    return tuple(BY_KEY[key].label(language) for key in keys)
