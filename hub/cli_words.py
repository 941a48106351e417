"""Sentences for the codes that the control socket can answer with, when the answer brings none of its own.

Per code: what failed and why (Spanish, English), what to do (Spanish, English).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.key_words import Words, key_words
from hub.policy_words import POLICY_WORDS
from hub.protocol_words import PROTOCOL_WORDS, STAGES

_WORDS: dict[str, Words] = {
    **PROTOCOL_WORDS,
    "control.away": (
        "Ningún hub responde en el socket de control.",
        "No hub answers at the control socket.",
        "Inícielo con `tinkuy run`, o ejecute esta orden como el usuario del hub.",
        "Start it with `tinkuy run`, or run this command as the hub's user.",
    ),
    "bad_day": (
        "{what}: `{word}` no es un día.", "{what}: `{word}` is no day.",
        "Escríbalo así: 2027-05-31 o 31/05/2027. El día se cuenta en la hora de {zone}.",
        "Write it like this: 2027-05-31 or 31/05/2027 (day/month/year). The day is counted in the time of {zone}.",
    ),
    "choice_unknown": (
        "{what}: no se conoce `{word}`.", "{what}: `{word}` is unknown.",
        "Hay: {known}. Valen el código y la palabra.", "There are: {known}. Both the code and the word will do.",
    ),
    "choice_near": (
        "{what}: no se conoce `{word}`.", "{what}: `{word}` is unknown.", "¿Quiso decir {known}?", "Did you mean {known}?",
    ),
    "choice_of_several": (
        "{what}: `{word}` puede ser varias cosas.", "{what}: `{word}` may be several things.", "Escriba el código de una: {known}.",
        "Type the code of one: {known}.",
    ),
    "nobody_to_ask": (
        "Esta orden pregunta antes de actuar, y aquí no hay nadie que conteste: no se hizo nada.",
        "This command asks before it acts, and nobody is here to answer: nothing was done.",
        "Désela en una terminal; un programa agrega --yes.",
        "Give it at a terminal; a program adds --yes.",
    ),
    "unknown_room": (
        "Aquí no hay ninguna sala con ese código.", "There is no room with that code here.",
        "Vea los códigos con `tinkuy tables list`.", "See the codes with `tinkuy tables list`.",
    ),
    "no_room_code": (
        "Falta el código de la sala.", "The code of the room is missing.",
        "Vea los códigos con `tinkuy tables list`.", "See the codes with `tinkuy tables list`.",
    ),
    "room_closed": (
        "Esa sala ya está cerrada, o su institución ya no está en ella.", "That room is closed, or your institution is not in it any more.",
        "Vea las abiertas con `tinkuy tables list`.", "See the open ones with `tinkuy tables list`.",
    ),
    "room_of_case": (
        "Esa sala trata de un caso: la maneja quien lleva el caso, desde su mesa, y aquí no se abre.",
        "That room is about a case: whoever leads the case keeps it, from her desk room, and it is not opened here.",
        "Pídaselo a ella; «quién ve» le muestra quién está.", "Ask her; `who sees` shows her who is there.",
    ),
    "conflict_of_interest": (
        "El agresor pertenece a esa institución o a su sector: no puede estar, y esta regla no tiene excepción.",
        "The aggressor belongs to that institution or its sector: it cannot be there, and this rule has no exception.",
        "Elija otra institución.", "Choose another institution.",
    ),
    "no_shared_referral": (
        "Esa institución no tiene una derivación aceptada de ese caso.", "That institution has no accepted referral of that case.",
        "Quien lleva el caso puede derivarla primero.", "Whoever leads the case may refer her first.",
    ),
    "room_exists": (
        "Ese caso ya tiene una sala.", "That case has a room already.", "Véala con `tinkuy tables list`.", "See it with `tinkuy tables list`.",
    ),
    "last_of_owner": (
        "Es la última de la institución que abrió la sala.", "She is the last one of the institution that opened the room.",
        "Que entre antes otra persona, o cierre la sala.", "Let another person in first, or close the room.",
    ),
    "draft_gone": (
        "Lo que se iba a confirmar ya no está.", "What was to be confirmed is not there any more.", "Pídalo de nuevo.", "Ask for it again.",
    ),
    "bad_label": (
        "El nombre de la mesa debe ser corto y decir de qué territorio o red es.",
        "The table's name must be short and say of which territory or network it is.",
        "Use hasta 60 letras, nunca el nombre de una persona.", "Use up to 60 letters, never the name of a person.",
    ),
    "nobody_to_meet": (
        "Falta decir qué institución entra.", "It is missing which institution comes in.",
        "Póngala con --with, por ejemplo: --with csmc-comas.", "Give it by --with, for example: --with csmc-comas.",
    ),
    "too_many_institutions": (
        "Son demasiadas instituciones para una sala.", "Those are too many institutions for one room.",
        "Abra dos mesas.", "Open two tables.",
    ),
    "already_there": (
        "Esa institución ya está en la sala, o ya está invitada.", "That institution is in the room already, or asked in.",
        "Véalo con `tinkuy tables who`.", "See it with `tinkuy tables who`.",
    ),
    "not_there": (
        "Esa institución no está en la sala.", "That institution is not in the room.",
        "Véalo con `tinkuy tables who`.", "See it with `tinkuy tables who`.",
    ),
    "not_owner": (
        "Esa sala la abrió otra institución: solo ahí cambian qué instituciones están.",
        "Another institution opened that room: only there it is changed which institutions are in it.",
        "Para retirar a la suya: tinkuy tables close CÓDIGO.", "To take yours out: tinkuy tables close CODE.",
    ),
    "key_not_pinned": (
        "Su llave todavía no se vio o está bloqueada: ante las demás instituciones no se puede responder por ella.",
        "Her key was not seen yet, or is blocked: before the other institutions nobody can vouch for her.",
        "Compárela y fíjela: tinkuy staff verify @cuenta.", "Compare and pin it: tinkuy staff verify @account.",
    ),
    "already_in_room": (
        "Esa persona ya está en la sala.", "That person is in the room already.",
        "Véalo con `tinkuy tables who`.", "See it with `tinkuy tables who`.",
    ),
    "not_in_room": (
        "Esa persona no está en la sala.", "That person is not in the room.",
        "Véalo con `tinkuy tables who`.", "See it with `tinkuy tables who`.",
    ),
    "control.in_use": (
        "Otro hub ya está en marcha con esta configuración.",
        "Another hub already runs with this configuration.",
        "Deténgalo antes de iniciar otro.",
        "Stop it before you start another.",
    ),
    "kek.unavailable": (
        "La llave maestra (KEK) no está: falta su archivo, su credencial, su token o Vault no responde. No se tocó ni se creó nada.",
        "The key-encryption key is not there: its file, credential or token is missing, or Vault does not answer. Nothing was touched or made.",
        "Devuelva la llave de su copia, conecte el token o abra Vault, y arranque otra vez. Nunca cree otra sobre datos existentes.",
        "Put the key back from its copy, connect the token or unseal Vault, and start again. Never make another over existing data.",
    ),
    "kek.absent": (
        "El token o Vault responde, pero no tiene la llave maestra de ese nombre. No se tocó ni se creó nada.",
        "The token or Vault answers, but holds no key-encryption key of that name. Nothing was touched or made.",
        "Revise `[keys]` en la configuración, o restaure el token.",
        "Check `[keys]` in the configuration, or restore the token.",
    ),
    "kek.unsafe": (
        "Otros podrían leer o cambiar la llave maestra o su secreto.",
        "Others could read or change the key-encryption key or its secret.",
        "Póngale dueño y permisos 0600 y cámbiela: tinkuy keys rotate kek.",
        "Set owner and mode 0600 and turn it: tinkuy keys rotate kek.",
    ),
    "kek.form": (
        "El archivo de la llave maestra no contiene una llave.",
        "The file of the key-encryption key does not hold a key.",
        "Restáurelo de su copia.",
        "Restore it from its copy.",
    ),
    "kek.other": (
        "Las claves están envueltas por otra llave maestra.",
        "The keys are wrapped by another key-encryption key.",
        "Ponga en `[keys]` la que corresponde.",
        "Set the right one in `[keys]`.",
    ),
    "kek.pin": (
        "El token no aceptó el PIN.",
        "The token refused the PIN.",
        "Corrija el archivo del PIN antes de volver a intentar: el token se bloquea.",
        "Correct the PIN file before another try: the token locks.",
    ),
    "kek.unset": (
        "Falta decir en `[keys]` dónde está la llave maestra.",
        "`[keys]` does not say where the key-encryption key is.",
        "Vea docs/configuration.md.",
        "See docs/configuration.md.",
    ),
    "kek.no_library": (
        "Este hub se instaló sin el complemento para tokens PKCS#11.",
        "This hub was installed without its extra for PKCS#11 tokens.",
        "Instálelo: pip install 'tinkuy[pkcs11]'.",
        "Install it: pip install 'tinkuy[pkcs11]'.",
    ),
    "kek.unfinished": (
        "Un cambio de llave maestra quedó a medias; así no se arranca.",
        "A change of the key-encryption key was interrupted; the hub does not start like this.",
        "Repita la misma orden `tinkuy keys rotate kek --to …`: sigue donde quedó.",
        "Give the same `tinkuy keys rotate kek --to …` again: it goes on where it stopped.",
    ),
    "keys.missing": (
        "El llavero del hub no está o le faltan claves. No se tocó ni se creó nada.",
        "The hub's keyring is missing, or lacks keys. Nothing was touched or made.",
        "Restáurelo de su copia. `tinkuy init` es solo para una institución nueva.",
        "Restore it from its copy. `tinkuy init` is only for a new institution.",
    ),
    "keys.store_gone": (
        "La base de claves está vacía, y este hub ya tuvo una. No se creó nada.",
        "The key store is empty, and this hub had one. Nothing was made.",
        "Restaure la base de claves de su copia (de 7 días como máximo).",
        "Restore the key store from its copy (7 days old at most).",
    ),
    "keys.cannot_open": (
        "Una clave del llavero no abre: es de otro lugar o fue cambiada.",
        "A key of the keyring does not open: it is from elsewhere, or was changed.",
        "Restaure el llavero y su llave maestra de la misma copia.",
        "Restore keyring and key-encryption key from the same copy.",
    ),
    "keys.unknown": ("Esa clave no se cambia así.", "That key is not turned like this.", "Vea `tinkuy keys --help`.", "See `tinkuy keys --help`."),
    "keys.wrong_key": (
        "Ese archivo no contiene la clave que se pide.",
        "That file does not hold the key that is asked for.",
        "Revise si es la mitad pública (.pub) o la privada.",
        "Check whether it is the public half (.pub) or the private one.",
    ),
    "roots_refused": (
        "Esas raíces no sirven: repetidas, demasiadas, o menos que las firmas que se piden.",
        "Those roots will not do: twice the same, too many, or fewer than the signatures asked for.",
        "Revise los archivos .pub y `--threshold`.",
        "Check the .pub files and `--threshold`.",
    ),
    "manifest_refused": (
        "Ese manifiesto no se aceptó: no sigue al que vale, o sus firmas no alcanzan. Sigue valiendo el anterior.",
        "That manifest was not accepted: it does not follow the present one, or lacks signatures. The present one goes on.",
        "Pida uno nuevo con la orden de antes y fírmelo otra vez.",
        "Draft it anew with the command from before and have it signed again.",
    ),
    "restore_unanswered": (
        "Este hub viene de un respaldo y alguna institución no contestó todavía: quizá tiene un manifiesto nuestro más nuevo.",
        "This hub comes from a backup and some institution has not answered yet: it may hold a newer manifest of ours.",
        "Espere unos minutos y repita. Si esa no puede contestar: --insist.",
        "Wait some minutes and repeat. If that one cannot answer: --insist.",
    ),
    "manifest.root_offline": (
        "El manifiesto necesita la firma de raíces que no están en esta máquina. Quedó listo para firmar en manifest-next.json.",
        "The manifest needs signatures of roots that are not on this machine. It lies ready in manifest-next.json.",
        "En la máquina de la raíz: tinkuy keys sign-manifest manifest-next.json --root RAÍZ. Devuélvalo a la carpeta y arranque.",
        "On the root's machine: tinkuy keys sign-manifest manifest-next.json --root ROOT. Put it back into the folder and start.",
    ),
    "manifest.no_roots": (
        "Esta institución guarda sus raíces fuera y todavía no dijo cuáles son.",
        "This institution keeps its roots elsewhere and has not said yet which they are.",
        "Hágalas con `tinkuy keys root new` y anótelas: tinkuy keys root replace --threshold 2 a.pub b.pub c.pub",
        "Make them with `tinkuy keys root new` and name them: tinkuy keys root replace --threshold 2 a.pub b.pub c.pub",
    ),
    "database.in_use": (
        "Otro hub ya usa esta base de datos. Dos a la vez perderían mensajes.",
        "Another hub already uses this database. Two at once would lose messages.",
        "Deténgalo antes de iniciar este, o revise `database.url` en su configuración.",
        "Stop it before you start this one, or check `database.url` in its configuration.",
    ),
    "database.row_forged": (
        "Alguien cambió por fuera del hub una fila que decide en quién se confía; el hub no sigue con ella.",
        "Somebody changed a row that decides who is trusted, and it was not the hub; the hub does not go on with it.",
        "Guarde una copia de la base de datos para investigar y recupere el último respaldo, como dice el manual (runbook).",
        "Keep a copy of the database for an inquiry and restore the last backup, as the runbook says.",
    ),
    "server.standby": (
        "Este servidor está en espera: dirige el otro, y solo el que dirige cambia algo.",
        "This server stands by: the other one leads, and only the one that leads changes anything.",
        "Dé la orden en el otro servidor (`tinkuy status` dice cuál dirige).",
        "Give the command on the other server (`tinkuy status` says which one leads).",
    ),
    "unknown_server": (
        "No hay otro servidor con ese nombre.",
        "There is no other server of that name.",
        "Mire los nombres con `tinkuy servers list`; el último que queda no se quita.",
        "See the names with `tinkuy servers list`; the last one left is not dropped.",
    ),
    "server.lost_lead": (
        "Este servidor ya no dirige: el otro tomó el trabajo mientras este no respondía.",
        "This server leads no more: the other one took over while this one did not answer.",
        "No haga nada: systemd lo inicia de nuevo y queda en espera.",
        "Do nothing: systemd starts it again, and it stands by.",
    ),
    "server.newer_manifest": (
        "El otro servidor tiene un manifiesto más nuevo de su institución.",
        "The other server has a newer manifest of your institution.",
        "No haga nada: systemd inicia este de nuevo y lo toma. Si vuelve a detenerse, copie keyring.json del que dirige.",
        "Do nothing: systemd starts this one again and it takes it. If it stops again, copy keyring.json of the leading one.",
    ),
    "server.other_keys": (
        "El manifiesto de su institución cambió y este servidor tiene las llaves anteriores.",
        "Your institution's manifest has changed and this server has the keys from before.",
        "Copie keyring.json y manifest.json del servidor que dirige a la carpeta de estado de este e inícielo de nuevo.",
        "Copy keyring.json and manifest.json of the leading server into this one's state folder and start it again.",
    ),
    "database.newer": (
        "La base de datos es de una versión más nueva de Tinkuy.",
        "The database belongs to a newer release of Tinkuy.",
        "Instale la versión nueva; no la use con esta.",
        "Install the newer release; do not use it with this one.",
    ),
    "backup.unfinished": (
        "Una restauración quedó a medias; así no se puede trabajar.",
        "A restore was left unfinished; the hub cannot work like this.",
        "Repita la misma orden `tinkuy backup restore`.",
        "Repeat the same `tinkuy backup restore`.",
    ),
    "journal.unwritable": (
        "El diario de destrucciones no se puede escribir: ninguna clave se destruye sin anotarlo.",
        "The tombstone journal cannot be written: no key is destroyed without a line in it.",
        "Haga sitio en el disco de la carpeta de datos y revise sus permisos.",
        "Make room on the state folder's disk and check its permissions.",
    ),
    "journal.incomplete": (
        "El diario de destrucciones de este servidor aún no está completo.",
        "This server's tombstone journal is not complete yet.",
        "Reinicie el hub: al empezar toma del otro servidor lo que falta.",
        "Restart the hub: at its start it takes up what another server wrote.",
    ),
    "matrix.rows_rolled_back": (
        "Las llaves de Matrix guardadas no son las últimas: parece una copia antigua.",
        "The kept Matrix keys are not the latest ones: this looks like an old copy.",
        "No la ponga en marcha así; recupérela como dice el manual (runbook).",
        "Do not run it like this; restore it as the runbook says.",
    ),
    "control.unknown_command": (
        "El hub en marcha no conoce esta orden.",
        "The running hub does not know this command.",
        "Su versión es anterior: reinícielo después de actualizar.",
        "Its version is older: restart it after upgrading.",
    ),
    "control.not_json": (
        "El hub no entendió la orden: no era JSON.",
        "The hub did not understand the command: it was no JSON.",
        "Use la misma versión de Tinkuy para la orden y para el hub.",
        "Use one release of Tinkuy for the command and the hub.",
    ),
    "database.lock_lost": (
        "El hub perdió el candado de su base de datos y se detuvo: otro podría usarla.",
        "The hub lost the lock on its database and stopped: another might use it.",
        "Revise que solo un hub use esa base, y arránquelo otra vez.",
        "Check that only one hub uses that database, and start it again.",
    ),
    "config.invalid": (
        "La configuración no se puede usar.",
        "The configuration cannot be used.",
        "Vea qué le falta con `tinkuy config check`.",
        "See what it lacks with `tinkuy config check`.",
    ),
    "text_not_storable": (
        "Ese texto tiene un signo que no se puede guardar.",
        "That text holds a character that cannot be stored.",
        "Escríbalo otra vez a mano, sin copiar y pegar.",
        "Type it again by hand, without copy and paste.",
    ),
    "no_code": (
        "Falta el código.",
        "The code is missing.",
        "Pida el código a quien la atiende; empieza con R- o C-.",
        "Ask whoever works on it for the code; it begins with R- or C-.",
    ),
    "case_undone": (
        "Ese caso se deshizo: ya no queda nada de él.",
        "That case was undone: nothing is left of it.",
        "Revise el código.",
        "Check the code.",
    ),
    "case_closed": ("Ese caso ya está cerrado.", "That case is closed.", "Revise el código.", "Check the code."),
    "move_not_allowed": (
        "Eso ya no se puede: la derivación cambió.",
        "That cannot be done any more: the referral has moved on.",
        "Mire su tarjeta en la sala de trabajo.",
        "See its card in the desk room.",
    ),
    "wrong_receipt": (
        "Lo que se recibió como constancia no corresponde a lo que se pidió destruir.",
        "What came as a receipt does not fit what was to be destroyed.",
        "Llame a la administración de la otra institución.",
        "Call the other institution's administrators.",
    ),
    "own_verification": (
        "Nadie se verifica a sí misma.",
        "Nobody verifies herself.",
        "Que compare otra persona de administración.",
        "Let another administrator compare.",
    ),
    "voucher_unproven": (
        "La llave de quien compara no está verificada todavía, y no puede responder por otra.",
        "The key of whoever compares is not verified yet, and vouches for nobody.",
        "Compare en la terminal: tinkuy staff verify.",
        "Compare at the terminal: tinkuy staff verify.",
    ),
    "key_changed_meanwhile": (
        "Su llave cambió mientras comparaban: no se verificó.",
        "Her key changed while you compared: it was not verified.",
        "Hable con ella; si ella la cambió, `tinkuy staff repin` y comparen otra vez.",
        "Speak with her; if she changed it, `tinkuy staff repin` and compare again.",
    ),
    "manifest_expired": (
        "El manifiesto de esa institución venció.",
        "The manifest of that institution has expired.",
        "Pida el nuevo y agréguelo con `tinkuy peer add`.",
        "Ask for the new one and add it with `tinkuy peer add`.",
    ),
    "file.absent": (
        "No hay ningún archivo `{file}`.",
        "There is no file `{file}`.",
        "Revise la ruta y el nombre.",
        "Check its path and name.",
    ),
    "file.folder": (
        "`{file}` es una carpeta, no un archivo.",
        "`{file}` is a folder, not a file.",
        "Indique el archivo que está adentro.",
        "Name the file inside it.",
    ),
    "file.special": (
        "`{file}` no es un archivo común.",
        "`{file}` is no plain file.",
        "Indique un archivo del disco.",
        "Name a file on the disk.",
    ),
    "file.unreadable": (
        "`{file}` no se puede leer: {why_es}.",
        "`{file}` cannot be read: {why_en}.",
        "Dé permiso de lectura a quien da esta orden, o cópielo a otra carpeta.",
        "Let whoever gives this command read it, or copy it to another folder.",
    ),
    "file.not_written": (
        "`{file}` no se pudo escribir: {why_es}.",
        "`{file}` could not be written: {why_en}.",
        "Elija otra ruta; nada se sobrescribe.",
        "Choose another path; nothing is overwritten.",
    ),
    "file.empty": (
        "`{file}` está vacío.",
        "`{file}` is empty.",
        "Quizá no terminó de copiarse: pídalo o cópielo otra vez.",
        "Perhaps its copy was cut short: ask for it or copy it again.",
    ),
    "file.too_large": (
        "`{file}` es demasiado grande para lo que se pide aquí.",
        "`{file}` is too large for what is asked for here.",
        "Revise que sea ese archivo y no otro.",
        "Check that it is this file and not another.",
    ),
    "file.backup": (
        "`{file}` es un respaldo cifrado, no un manifiesto.",
        "`{file}` is an encrypted backup, no manifest.",
        "Pida el manifiesto: lo escribe `tinkuy manifest export`. Un respaldo no se entrega a nadie.",
        "Ask for the manifest: `tinkuy manifest export` writes it. A backup is handed to nobody.",
    ),
    "file.picture": (
        "`{file}` es una imagen o un documento, no un manifiesto.",
        "`{file}` is a picture or a document, no manifest.",
        "Pida el archivo mismo, el que escribe `tinkuy manifest export`; una foto no sirve.",
        "Ask for the file itself, which `tinkuy manifest export` writes; a photograph will not do.",
    ),
    "file.secret": (
        "`{file}` es una clave secreta, no un manifiesto. No se leyó más ni se mandó a ningún lado.",
        "`{file}` is a secret key, no manifest. It was read no further and sent nowhere.",
        "Guárdela donde estaba. Si la recibió de otra institución, avísele: tiene que cambiarla hoy.",
        "Put it back where it was. If another institution sent it to you, tell them: they must change it today.",
    ),
    "control.bad_request": (
        "El hub no entendió los datos de la orden.",
        "The hub did not understand the command's data.",
        "Revise los argumentos con --help.",
        "Check the arguments with --help.",
    ),
    "control.internal": (
        "El hub falló al cumplir la orden; no se sabe qué quedó hecho.",
        "The hub failed while doing it; what was done is not known.",
        "Mire el registro del hub (control.failed) y `tinkuy status`.",
        "See the hub's log (control.failed) and `tinkuy status`.",
    ),
    "control.too_large": (
        "La respuesta es demasiado grande.",
        "The answer is too large.",
        "Pida menos de una vez.",
        "Ask for less at once.",
    ),
    "not_enrolled": (
        "Esa persona no está inscrita en este hub.",
        "That person is not enrolled at this hub.",
        "Vea la lista con `tinkuy staff list`.",
        "See the list with `tinkuy staff list`.",
    ),
    "already_enrolled": (
        "Esa persona ya está inscrita.",
        "That person is already enrolled.",
        "Para fijar de nuevo su clave use `tinkuy staff repin`.",
        "To pin her key again use `tinkuy staff repin`.",
    ),
    "account_of_hub": (
        "Esa es la cuenta del hub de {institution}, no de una persona.",
        "That is the account of the hub of {institution}, not of a person.",
        "Inscriba la cuenta propia de cada persona.",
        "Enrol each person's own account.",
    ),
    "unknown_role": (
        "Ese rol no existe.",
        "There is no such role.",
        "Los roles son: caseworker, supervisor, administrator.",
        "The roles are: caseworker, supervisor, administrator.",
    ),
    "bad_user": (
        "La cuenta debe tener la forma @usuario:servidor.",
        "The account must look like @user:server.",
        "Cópiela del perfil de la persona en su programa de chat.",
        "Copy it from the person's profile in her chat client.",
    ),
    "verification_over": (
        "Esa verificación ya terminó o pasó su tiempo.",
        "That verification is over, or its time has passed.",
        "Que ella vuelva a empezar desde su programa de chat.",
        "Let her begin again from her chat client.",
    ),
    "staff.no_identity": (
        "Su cuenta todavía no tiene firma cruzada (cross-signing).",
        "Her account has no cross-signing identity yet.",
        "Pídale que la active en su aplicación y repita la orden.",
        "Ask her to set it up in her client, then repeat.",
    ),
    "staff.fingerprint_differs": (
        "La huella que escribió no es la que muestra el servidor: puede haber un engaño.",
        "The fingerprint you typed is not the one that the server shows: somebody may be deceiving you.",
        "No la inscriba; compare otra vez en persona.",
        "Do not enrol her; compare again in person.",
    ),
    "own_house": (
        "Quien agrede es de esta institución: solo lo ven quien lo lleva y supervisión.",
        "The aggressor is of this institution: only its lead and supervision see it.",
        "Pídalo a quien lo lleva o a supervisión.",
        "Ask its lead, or supervision.",
    ),
    "unknown_code": (
        "Este hub no tiene nada con ese código.",
        "This hub has nothing with that code.",
        "Pida el código a quien la atiende: el de un caso empieza con C-, el de una derivación con R-.",
        "Ask whoever works on it for the code: a case's begins with C-, a referral's with R-.",
    ),
    "unknown_room_class": (
        "Esa no es una clase de sala de la guardia.",
        "That is no class of rooms of the guard's.",
        "Use una de: {rooms}.",
        "Use one of: {rooms}.",
    ),
    "unknown_guard_mode": (
        "La guardia no tiene ese modo.",
        "The guard has no such mode.",
        "Use uno de: {modes}.",
        "Use one of: {modes}.",
    ),
    "unknown_basis": (
        "Esa no es una razón legal para conservar.",
        "That is no legal reason to keep it.",
        "Use court_order, prosecutor_order o health_record.",
        "Use court_order, prosecutor_order or health_record.",
    ),
    "bad_date": ("La fecha no se entiende.", "The date was not understood.", "Escríbala así: 2027-05-31.", "Write it like this: 2027-05-31."),
    "date_past": (
        "Esa fecha ya pasó.",
        "That date is past.",
        "Escriba el último día en que se debe conservar.",
        "Give the last day it must be kept.",
    ),
    "hold_too_long": (
        "Es demasiado: como máximo 20 años.",
        "That is too long: 20 years at most.",
        "Ponga una fecha más cercana.",
        "Give a nearer date.",
    ),
    "nothing_to_hold": (
        "De esa derivación no se tiene ningún dato.",
        "No information of that referral is held.",
        "Si ya se destruyó, no vuelve.",
        "What was destroyed does not come back.",
    ),
    "not_held": (
        "Esa derivación no está retenida por ley.",
        "That referral is not kept by law.",
        "Vea `tinkuy hold list`.",
        "See `tinkuy hold list`.",
    ),
    "unknown_institution": (
        "Este hub no conoce esa institución.",
        "This hub does not know that institution.",
        "Agréguela con `tinkuy peer add`.",
        "Add it with `tinkuy peer add`.",
    ),
    "not_paired": (
        "Con esa institución aún no hay enlace.",
        "There is no link with that institution yet.",
        "Vea `tinkuy peer list`.",
        "See `tinkuy peer list`.",
    ),
    "link_frozen": (
        "El enlace con esa institución ya está detenido.",
        "The link with that institution is stopped already.",
        "Se reabre con `tinkuy peer thaw`, tras comparar otra vez el código.",
        "`tinkuy peer thaw` opens it, after the code was compared once more.",
    ),
    "not_frozen": (
        "El enlace con esa institución no está detenido.",
        "The link with that institution is not frozen.",
        "Vea `tinkuy peer list`.",
        "See `tinkuy peer list`.",
    ),
    "no_dispute": (
        "Esas dos instituciones no se disputan ningún dispositivo que se pueda decidir.",
        "There is no device between these two institutions to be decided.",
        "Los nombres están en el aviso `devices_disputed` o `manifest_contested`; el dispositivo con que se emparejaron no se decide así.",
        "The names are in the alarm `devices_disputed` or `manifest_contested`; the device they were paired by is not decided this way.",
    ),
    "peer_manifest_refused": (
        "Ese manifiesto no se aceptó.",
        "That manifest was not accepted.",
        "Llame a su administración por un número conocido.",
        "Call its administrators on a number you know.",
    ),
    "manifest_own": (
        "Ese manifiesto es el de este mismo hub.",
        "That manifest is this hub's own.",
        "Agregue el de la otra institución; el suyo se muestra con `tinkuy manifest export`.",
        "Add the other institution's; yours is shown by `tinkuy manifest export`.",
    ),
    "wrong_pairing_code": (
        "El código no coincide: los dos hubs no tienen los mismos manifiestos.",
        "The code does not match: the two hubs do not hold the same manifests.",
        "No confirme. Pidan de nuevo los manifiestos por otra vía y comparen otra vez.",
        "Do not confirm. Send the manifests again by another road and compare again.",
    ),
}


_WORDS |= POLICY_WORDS
_CAUSED = {"network_refused": True, "network_draft": True, "peer_manifest_refused": True, "manifest_refused": False, "roots_refused": False}
"""Refusals whose `why` is a code of `keys`: that one says better what failed; also what to do, where the flag stands."""
_GENERAL: Words = ("El hub no aceptó la orden.", "The hub did not accept the command.", "", "")


class _Missing(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def sentence(code: str, params: Mapping[str, Any] | None = None) -> Words:
    """Words for a code, filled in; for one that is not here, a plain sentence that leaves the code to speak."""
    es, en, fix_es, fix_en = filled(_WORDS.get(code) or key_words(code) or _GENERAL, params or {})
    cause = key_words(str((params or {}).get("why", ""))) if code in _CAUSED else None
    if cause is None:
        return es, en, fix_es, fix_en
    return cause if _CAUSED[code] else (*cause[:2], fix_es, fix_en)


def shown_code(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The code as it stands in parentheses at the end, with the code of its cause."""
    why = str((params or {}).get("why", "")).split(" ")[0]
    return f"{code}: {why}" if re.fullmatch(r"[a-z][a-z_0-9]*(\.[a-z_0-9]+)+", why) else code


def filled(words: Words, params: Mapping[str, Any]) -> Words:
    """The four sentences with their parameters; an absent one shows as a question mark."""
    spanish, english = _Missing(params), _Missing(params)
    if params.get("stage") in STAGES:
        spanish["stage"], english["stage"] = STAGES[str(params["stage"])]
    es, en, fix_es, fix_en = (each.format_map(told) for each, told in zip(words, (spanish, english) * 2, strict=True))
    return es, en, fix_es, fix_en


def has_words(code: str) -> bool:
    """Whether a code has words of its own, or its family's."""
    return code in _WORDS or key_words(code) is not None


def known_codes() -> frozenset[str]:
    """Every code with words of its own."""
    return frozenset(_WORDS)
