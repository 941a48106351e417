"""Sentences for what `tinkuy policy` refuses. Per code: what failed and why, what to do; Spanish, English."""

from __future__ import annotations

from hub.key_words import Words

POLICY_WORDS: dict[str, Words] = {
    "policy.errors": (
        "`{file}` tiene errores y no se puede usar: {place} {why_es}",
        "`{file}` has errors and cannot be used: {place} {why_en}",
        "Véalos todos con `tinkuy policy check`.",
        "See them all with `tinkuy policy check`.",
    ),
    "policy.no_pack": (
        "No viene con Tinkuy ningún paquete `{pack}`.",
        "No pack `{pack}` is shipped with Tinkuy.",
        "El de Perú es `pe`.",
        "Peru's is `pe`.",
    ),
    "policy.not_text": (
        "`{file}` no es un texto.",
        "`{file}` is no text.",
        "Un protocolo es un archivo YAML en UTF-8.",
        "A protocol is a YAML file in UTF-8.",
    ),
    "policy.unknown": (
        "No hay ningún archivo ni protocolo `{name}`.",
        "There is no file and no protocol `{name}`.",
        "Vienen con Tinkuy: {known}. Una versión del hub se nombra así: {name}@2.",
        "Shipped with Tinkuy: {known}. A version of the hub is named like this: {name}@2.",
    ),
    "policy.no_version": (
        "El hub no tiene la versión {version} de `{name}`.",
        "The hub has no version {version} of `{name}`.",
        "Nombre el archivo, o mire qué versiones conoce el hub.",
        "Name the file, or see which versions the hub knows.",
    ),
    "policy.no_examples": (
        "No hay nada que probar: junto a `{name}` no hay carpetas RELEASE y WITHHOLD con ejemplos. El documento no se probó.",
        "There is nothing to test: beside `{name}` there are no folders RELEASE and WITHHOLD with examples. The document was not tested.",
        "Un borrador en una carpeta los trae consigo: `tinkuy protocol draft NOMBRE CARPETA`. O escriba, en la carpeta del documento, uno de lo que "
        "debe salir en RELEASE/ y uno de lo que debe quedarse en WITHHOLD/.",
        "A draft in a folder brings them along: `tinkuy protocol draft NAME FOLDER`. Or write, in the document's folder, one of what must leave into "
        "RELEASE/ and one of what must stay into WITHHOLD/.",
    ),
    "no_protocol": (
        "Ningún protocolo vigente permite derivar a `{institution}` por eso: {need}.",
        "No protocol in force permits a referral to `{institution}` for that: {need}.",
        "Nombre otra necesidad con --need, o vea los protocolos con `tinkuy policy matrix`.",
        "Name another need with --need, or see the protocols with `tinkuy policy matrix`.",
    ),
    "unknown_need": (
        "Esa necesidad no está en la lista: `{need}`.",
        "That need is not in the list: `{need}`.",
        "Se nombran como en el archivo del protocolo, por ejemplo mental_health.",
        "They are named as in the protocol's file, for example mental_health.",
    ),
}
