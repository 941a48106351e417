"""Sentences for what a command about protocols can end by: what failed and why (Spanish, English), what to do (Spanish, English)."""

from __future__ import annotations

Four = tuple[str, str, str, str]

STAGES = {
    "shipped": ("del paquete, sin firmas", "of the pack, unsigned"), "proposed": ("propuesta", "proposed"), "contested": ("EN DISPUTA", "CONTESTED"),
    "signed": ("firmada por todas", "signed by all"), "active": ("vigente", "active"), "superseded": ("reemplazada", "superseded"),
    "expired": ("vencida", "expired"), "refused": ("rechazada", "refused"), "lapsed": ("sin efecto", "lapsed"),
}  # fmt: skip
"""What has become of a version, as people say it; the code stays for programs."""
PROTOCOL_WORDS: dict[str, Four] = {
    "protocol.unknown": (
        "Este hub no conoce una versión «{protocol}».",
        "This hub knows no version `{protocol}`.",
        "Vea las que hay: tinkuy protocol list, o de uno solo: tinkuy protocol history shelter. Se nombran así: shelter@2.",
        "See those there are: tinkuy protocol list, or of one alone: tinkuy protocol history shelter. They are named like this: shelter@2.",
    ),
    "protocol.several": (
        "Hay varias versiones en camino: {names}.",
        "Several versions are under way: {names}.",
        "Diga cuál, con su número.",
        "Say which, with its number.",
    ),
    "protocol.two": (
        "Hay dos documentos distintos con ese número: {names}.",
        "There are two different documents under that number: {names}.",
        "Nombre el que quiere por su huella, como está ahí.",
        "Name the one you mean by its fingerprint, as it stands there.",
    ),
    "protocol.not_text": (
        "El archivo no es un texto UTF-8.",
        "The file is no UTF-8 text.",
        "Guárdelo como texto sin formato, UTF-8.",
        "Save it as plain text, UTF-8.",
    ),
    "protocol.too_large": (
        "El documento pasa de {limit} bytes.",
        "The document is larger than {limit} bytes.",
        "Acórtelo: los comentarios del archivo también viajan.",
        "Shorten it: the comments in the file travel too.",
    ),
    "protocol.has_errors": (
        "El documento tiene errores ({count}); el primero, en la línea {line}: {what}",
        "The document has errors ({count}); the first at line {line}.",
        "Véalos todos: tinkuy protocol check ARCHIVO.",
        "See them all: tinkuy protocol check FILE.",
    ),
    "protocol.not_newer": (
        "{protocol}@{version}: ese número ya se usó; aquí se conoce hasta la {known}.",
        "{protocol}@{version}: that number was used; up to {known} is known here.",
        "Ponga en el documento un número mayor (`version:`). Un número se usa una sola vez, también el de una rechazada.",
        "Write a greater number into the document (`version:`). A number is used once, that of a refused one too.",
    ),
    "protocol.party_unknown": (
        "{institution} no es una institución confirmada de este hub.",
        "{institution} is no confirmed institution of this hub.",
        "Emparéjenla antes: tinkuy peer add, y comparen el código.",
        "Pair with it first: tinkuy peer add, and compare the code.",
    ),
    "protocol.party_kind": (
        "{institution} es de la clase {kind}, que no está en `parties` del documento.",
        "{institution} is of the kind {kind}, which is not among the document's `parties`.",
        "Agregue esa clase a `parties`, o quite a esa institución.",
        "Add that kind to `parties`, or leave that institution out.",
    ),
    "protocol.alone": (
        "Un protocolo se firma entre dos instituciones por lo menos.",
        "A protocol is signed between two institutions at least.",
        "Diga con quién: --with INSTITUCIÓN.",
        "Say with whom: --with INSTITUTION.",
    ),
    "protocol.no_seat": (
        "{institution} no puede tener la voz de la comunidad: el documento pide una institución de la clase {kind}, que también firme.",
        "{institution} cannot hold the community seat: the document asks for an institution of the kind {kind} that signs too.",
        "Póngala con --with y con --seat. Sin ella no se puede proponer nada.",
        "Give it with --with and with --seat. Without it nothing can be proposed.",
    ),
    "protocol.dates": (
        "No puede regir desde el {starts}: tiene que ser entre el {first} y antes del {last}, según el documento.",
        "It cannot count from {starts}: by the document it must be from {first} and before {last}.",
        "Cambie --from, o `effective` y `expires` del documento.",
        "Change --from, or `effective` and `expires` of the document.",
    ),
    "protocol.consultation": (
        "La consulta no puede terminar el {until}: tiene que ser desde hoy y a más tardar el {starts}, cuando empezaría a regir.",
        "The consultation cannot end on {until}: it must be from today and not after {starts}, when it would begin to count.",
        "Cambie --until o --from.",
        "Change --until or --from.",
    ),
    "protocol.no_reason": (
        "Falta decir por qué, o es muy largo (más de {limit} caracteres).",
        "The reason is missing, or too long (more than {limit} characters).",
        "Escríbalo con --why: lo leen todas las instituciones.",
        "Give it with --why: every institution reads it.",
    ),
    "protocol.text": (
        "Falta el texto, o es muy largo (más de {limit} caracteres).",
        "The text is missing, or too long (more than {limit} characters).",
        "Escríbalo entre comillas. Ningún dato de ninguna persona.",
        "Write it in quotes. Nothing about any person.",
    ),
    "protocol.said_already": (
        "Eso ya está dicho, con las mismas palabras.", "That is said already, in the same words.", "No hace falta nada.", "Nothing is needed.",
    ),
    "protocol.contested": (
        "Hay dos documentos distintos como {protocol}@{version}: ninguno se puede firmar.",
        "There are two different documents as {protocol}@{version}: neither can be signed.",
        "Llame a quienes los propusieron y rechace el que no sea: tinkuy protocol list; tinkuy protocol refuse.",
        "Call those who proposed them and refuse the wrong one: tinkuy protocol list; tinkuy protocol refuse.",
    ),
    "protocol.not_open": (
        "{protocol}@{version} ya no está en consulta ni en firma ({stage}).",
        "{protocol}@{version} is not open any more ({stage}).",
        "Vea cómo quedó: tinkuy protocol show {protocol}@{version}.",
        "See how it ended: tinkuy protocol show {protocol}@{version}.",
    ),
    "protocol.signed_already": (
        "Esta institución ya firmó {protocol}@{version}.",
        "This institution has signed {protocol}@{version} already.",
        "Una firma no se retira: solo otra versión la cambia.",
        "A signature is not taken back: only another version changes it.",
    ),
    "protocol.unanswered": (
        "{protocol}@{version} tiene comentarios sin respuesta ({count}): así nadie firma.",
        "{protocol}@{version} has comments without an answer ({count}): nobody signs like that.",
        "Los contesta quien propuso la versión: tinkuy protocol comments; tinkuy protocol answer.",
        "Whoever proposed the version answers them: tinkuy protocol comments; tinkuy protocol answer.",
    ),
    "protocol.consulting": (
        "{protocol}@{version} está en consulta hasta el {until}.",
        "{protocol}@{version} is being consulted until {until}.",
        "Se firma después de ese día, o cuando firme {institution}, que tiene la voz de la comunidad.",
        "It is signed after that day, or once {institution}, which holds the community seat, has signed.",
    ),
    "protocol.consulted": (
        "La consulta de {protocol}@{version} ya cerró: firmó {institution}, que tiene la voz de la comunidad.",
        "The consultation on {protocol}@{version} is closed: {institution}, which holds the community seat, has signed.",
        "Lo que falte decir va en la siguiente versión: tinkuy protocol draft {protocol} ARCHIVO. Si así no debe regir: tinkuy protocol refuse.",
        "What is left to say goes into the next version: tinkuy protocol draft {protocol} FILE. If it must not count so: tinkuy protocol refuse.",
    ),
    "protocol.held": (
        "No salió nada. En el texto hay {what_es}, y lo leerían todas las instituciones, para siempre.",
        "Nothing left. In the text there is {what_en}, and every institution would read it, for good.",
        "Escríbalo sin eso. O repita la orden con --without, que lo tapa, o con --as-it-is, si no dice nada de nadie.",
        "Write it without that. Or repeat the command with --without, which covers it, or with --as-it-is if it tells nothing of anybody.",
    ),
    "protocol.not_proposer": (
        "A los comentarios responde {institution}, que propuso la versión.",
        "Comments are answered by {institution}, which proposed the version.",
        "Si quiere agregar algo, coméntelo: tinkuy protocol comment.",
        "To add something, comment: tinkuy protocol comment.",
    ),
    "protocol.no_comment": (
        "No hay un comentario con el número {number}; hay {count}.",
        "There is no comment with the number {number}; there are {count}.",
        "Véalos con su número: tinkuy protocol comments.",
        "See them with their numbers: tinkuy protocol comments.",
    ),
    "protocol.answered": (
        "El comentario {number} ya tiene respuesta.",
        "Comment {number} has an answer already.",
        "Véala: tinkuy protocol comments.",
        "See it: tinkuy protocol comments.",
    ),
    "protocol.not_seat": (
        "Los códigos los reparte {institution}, que tiene la voz de la comunidad.",
        "Codes are handed out by {institution}, which holds the community seat.",
        "Pídaselos.",
        "Ask it for them.",
    ),
    "protocol.codes_many": (
        "No se pueden hacer tantos códigos: {limit} a lo sumo por versión.",
        "That many codes cannot be made: {limit} at most for a version.",
        "Pida menos.",
        "Ask for fewer.",
    ),
    "protocol.code_unknown": (
        "Ese código no vale: está mal escrito, es de otra versión, o ya se usó.",
        "That code does not count: it is mistyped, of another version, or used.",
        "Cada código sirve para un comentario, en el hub que lo repartió.",
        "Each code serves for one comment, at the hub that handed it out.",
    ),
    "protocol.which": ("Falta decir cuál versión.", "Which version is missing.", "Por ejemplo shelter@2.", "For example shelter@2."),
    "protocol.manifest_missing": (
        "Todavía no se puede saber: falta el manifiesto de quien firmó.", "It cannot be told yet: the manifest of somebody who signed is missing.",
        "Pídaselo a esa institución (lo escribe `tinkuy manifest export`) y compare su huella por teléfono; o use la carpeta manifests/ que escribe "
        "`tinkuy protocol export`.",
        "Ask that institution for it (`tinkuy manifest export` writes it) and compare its fingerprint by phone; or use the folder manifests/ that "
        "`tinkuy protocol export` writes.",
    ),
    "protocol.not_signed": (
        "Los archivos están en orden, pero no firmaron todas: falta {missing}.",
        "The files are in order, but not all have signed: {missing} is missing.",
        "Así no rige. Si firmaron después, exporte otra vez: tinkuy protocol export.",
        "It does not count like this. If they signed later, export again: tinkuy protocol export.",
    ),
    "protocol.not_proven": (
        "Los archivos NO prueban que todas firmaron este documento.", "The files do NOT prove that all signed this document.",
        "No lo dé por firmado. Pida otra vez los archivos.", "Do not take it for signed. Ask for the files again.",
    ),
}  # fmt: skip
