"""Doctor's sentences: per check (all is well), (what is wrong), (the way out), each in Spanish and English."""

from __future__ import annotations

Pair = tuple[str, str]

WORDS: dict[str, tuple[Pair, Pair, Pair]] = {
    "faults": (
        ("No hay fallas de prueba activas.", "No test faults are armed."),
        (
            "Hay fallas de prueba activas (faults.kill_at): el hub se matará solo.",
            "Test faults are armed (faults.kill_at): the hub will kill itself.",
        ),
        ("Borre la sección [faults] del archivo.", "Remove the section [faults] from the file."),
    ),
    "state": (
        ("La carpeta de datos es solo del hub.", "The state folder belongs to the hub alone."),
        ("La carpeta de datos falta, o otros pueden leerla.", "The state folder is missing, or others can read it."),
        ("Créela con `tinkuy init`, o: chmod 700 en ella.", "Make it with `tinkuy init`, or: chmod 700 on it."),
    ),
    "kek": (
        ("La llave maestra (KEK) abre y es privada.", "The key-encryption key opens and is private."),
        ("La llave maestra (KEK) no se puede usar ({code}).", "The key-encryption key cannot be used ({code})."),
        (
            "Restaure el archivo de su copia y póngale permisos 0600; nunca cree otra sobre datos existentes.",
            "Restore the file from its copy, mode 0600; never make another one over existing data.",
        ),
    ),
    "kek_apart": (
        ("La llave maestra está aparte de los datos.", "The key-encryption key lies apart from the data."),
        (
            "La llave maestra está dentro de la carpeta de datos: un solo robo o respaldo se lleva las dos.",
            "The key-encryption key lies inside the state folder: one theft or backup takes both.",
        ),
        ("Muévala fuera y cambie keys.kek_file.", "Move it out and change keys.kek_file."),
    ),
    "root_here": (
        ("La raíz está fuera de esta máquina.", "The root is kept away from this machine."),
        (
            "La raíz está en esta máquina: quien la robe puede hacerse pasar por la institución.",
            "The root is on this machine: whoever steals it can pass for the institution.",
        ),
        ("Hágala 2 de 3 y fuera de línea: tinkuy keys root replace.", "Make it 2 of 3 and offline: tinkuy keys root replace."),
    ),
    "signing_key": (
        ("La clave de firma está en su tiempo.", "The signing key is within its time."),
        ("La clave de firma cumple 90 días en {days} días.", "The signing key is 90 days old in {days} days."),
        ("Cámbiela con el hub en marcha: tinkuy keys rotate signing.", "Turn it while the hub runs: tinkuy keys rotate signing."),
    ),
    "servers": (
        ("Los dos servidores están en marcha.", "Both servers run."),
        ("Solo {count} servidor está en marcha: si cae, nadie toma su lugar.", "Only {count} server runs: if it falls, nobody takes its place."),
        (
            "Inicie el otro (`systemctl start tinkuy` allá), o quite uno que ya no existe: tinkuy servers drop NOMBRE",
            "Start the other one (`systemctl start tinkuy` there), or drop one that is gone for good: tinkuy servers drop NAME",
        ),
    ),
    "server_keys": (
        ("Las llaves de este servidor son las que dice el manifiesto.", "This server's keys are those that the manifest states."),
        (
            "Las llaves de este servidor son anteriores al manifiesto que comparten los dos: no arranca y no puede dirigir.",
            "This server's keys are older than the manifest that both share: it does not start and cannot lead.",
        ),
        (
            "Copie keyring.json del servidor que dirige a la carpeta de estado de este (0600) y: systemctl restart tinkuy",
            "Copy keyring.json of the leading server into this one's state folder (0600), then: systemctl restart tinkuy",
        ),
    ),
    "server_keys_unread": (
        ("Se pudo leer el manifiesto que comparten los dos servidores.", "The manifest that both servers share could be read."),
        ("No se pudo comparar las llaves con el manifiesto que comparten los dos ({error}).", "The keys could not be compared with it ({error})."),
        ("Revise database.url y database.keys_url.", "Check database.url and database.keys_url."),
    ),
    "identity": (
        ("La identidad de la institución abre.", "The institution's identity opens."),
        ("La identidad de la institución no abre ({code}).", "The institution's identity does not open ({code})."),
        (
            "Restaure keyring.json y la llave maestra del mismo respaldo.",
            "Restore keyring.json and the key from the same backup.",
        ),
    ),
    "fingerprint": (
        ("Huella de este hub: {fingerprint}", "Fingerprint of this hub: {fingerprint}"),
        ("La huella de este hub no se puede mostrar.", "The fingerprint of this hub cannot be shown."),
        ("Revise la identidad.", "See to the identity."),
    ),
    "password": (
        ("No queda ninguna contraseña de Matrix a la vista.", "No Matrix password is left lying."),
        (
            "La contraseña de Matrix sigue en el disco; solo servía para el primer ingreso.",
            "The Matrix password is still on disk; it was for the first login only.",
        ),
        (
            "Borre matrix.password y el archivo de matrix.password_file.",
            "Remove matrix.password and matrix.password_file's file.",
        ),
    ),
    "schema": (
        ("La base está en la versión de este programa.", "The database is at this program's version."),
        (
            "La base está en la versión {current}; este programa espera {head}.",
            "The database is at version {current}; this program expects {head}.",
        ),
        (
            "Con el hub detenido y un respaldo hecho: tinkuy db upgrade",
            "With the hub stopped and a backup made: tinkuy db upgrade",
        ),
    ),
    "schema_unread": (
        ("", ""),
        ("No se pudo leer la versión de la base ({error}).", "The database's version could not be read ({error})."),
        ("Revise database.url y que la base esté en marcha.", "Check database.url and that the database is up."),
    ),
    "backups": (
        ("Último respaldo: {age}.", "Last backup: {age}."),
        ("Último respaldo: {age}.", "Last backup: {age}."),
        ("Haga uno ahora y revise la tarea diaria.", "Make one now and check the daily job."),
    ),
    "backup_before_manifest": (
        ("El último respaldo tiene las claves de hoy.", "The last backup has today's keys."),
        (
            "El último respaldo es anterior al manifiesto vigente: con él el hub volvería sin sus claves nuevas.",
            "The last backup is older than the present manifest: the hub would come back from it without its new keys.",
        ),
        ("Haga uno ahora: tinkuy backup create", "Make one now: tinkuy backup create"),
    ),
    "backups_unset": (
        ("", ""),
        ("No se sabe dónde están los respaldos.", "Where backups are is not known."),
        ("Ponga paths.backups en el archivo y reinicie el hub.", "Set paths.backups in the file and restart the hub."),
    ),
    "backup_settings": (
        ("El hub en marcha usa los ajustes de respaldo del archivo.", "The running hub goes by the backup settings in the file."),
        (
            "Los ajustes de respaldo del archivo cambiaron y el hub en marcha usa los de antes: su diario de destrucciones va a la carpeta anterior.",
            "The backup settings in the file changed and the running hub goes by the former ones: its tombstone journal goes to the former folder.",
        ),
        ("Reinicie el hub: systemctl restart tinkuy", "Restart the hub: systemctl restart tinkuy"),
    ),
    "backup_keys_old": (
        ("Ninguna parte de claves pasa de 7 días.", "No key part is over 7 days old."),
        (
            "{count} partes de claves tienen más de 7 días: pueden devolver lo que una persona pidió olvidar.",
            "{count} key parts are over 7 days old: they can bring back what a person asked to forget.",
        ),
        (
            "Bórrelas en todas partes donde haya copias; tinkuy backup create borra las de su carpeta.",
            "Remove them wherever copies are; tinkuy backup create removes those in its folder.",
        ),
    ),
    "backup_journal": (
        ("El diario de destrucciones está al día junto a los respaldos.", "The tombstone journal beside the backups is up to date."),
        (
            "El diario de destrucciones junto a los respaldos está atrasado o no está.",
            "The tombstone journal beside the backups is behind or absent.",
        ),
        (
            "Revise que el disco de respaldos esté montado y que el hub pueda escribir en él; el hub lo completa solo.",
            "Check that the backup disk is mounted and the hub may write to it; the hub catches up by itself.",
        ),
    ),
    "restored_in_doubt": (
        ("La última restauración conocía todas las destrucciones.", "The last restore knew all destructions."),
        (
            "Este hub se restauró sin las últimas destrucciones (se conocen hasta {until}).",
            "This hub was restored without the latest destructions (they are known up to {until}).",
        ),
        (
            "Revise con las otras instituciones qué se retiró desde entonces y retírelo otra vez; después borre restore.json de la carpeta de "
            "estado.",
            "Go through what was withdrawn since with the other institutions and withdraw it again; then remove restore.json from the state "
            "folder.",
        ),
    ),
    "homeserver": (
        ("El servidor Matrix responde.", "The homeserver answers."),
        ("El servidor Matrix no responde como tal ({error}).", "The homeserver does not answer as one ({error})."),
        (
            "Revise matrix.homeserver_url, matrix.ca_file y que Synapse esté en marcha.",
            "Check matrix.homeserver_url, matrix.ca_file and that Synapse is up.",
        ),
    ),
    "clock": (
        ("El reloj va con el del servidor ({seconds} s).", "The clock agrees with the homeserver's ({seconds} s)."),
        ("El reloj se aparta {seconds} s del servidor.", "The clock is {seconds} s off the homeserver's."),
        (
            "Active NTP (timedatectl set-ntp true) en las dos máquinas.",
            "Turn on NTP (timedatectl set-ntp true) on both machines.",
        ),
    ),
    "clock_unread": (
        ("", ""),
        ("El servidor no dice su hora.", "The homeserver does not tell its time."),
        ("Un proxy quita la cabecera Date; revise NTP a mano.", "A proxy strips the Date header; check NTP by hand."),
    ),
    "running": (
        ("El hub está en marcha.", "The hub runs."),
        ("El hub no está en marcha, o es de otro usuario.", "The hub does not run, or is another user's."),
        ("tinkuy run, o systemctl start tinkuy", "tinkuy run, or systemctl start tinkuy"),
    ),
    "answers": (
        ("", ""),
        ("El hub está en marcha pero no pudo examinarse ({code}).", "The hub runs but could not examine itself ({code})."),
        ("Mire su registro.", "See its log."),
    ),
    "cross_signing": (
        (
            "El servidor muestra el dispositivo del hub firmado por el hub.",
            "The homeserver shows the hub's device, signed by the hub.",
        ),
        (
            "La firma cruzada del hub no está como debe ({code}): Element no le leerá ni le hablará.",
            "The hub's cross-signing is not as it should be ({code}): Element will neither read it nor speak to it.",
        ),
        (
            "Si dice foreign o changed, alguien cambió la identidad: no siga, vea el manual, «Identidad cambiada».",
            'If it says foreign or changed, somebody replaced the identity: stop and see the runbook, "Identity changed".',
        ),
    ),
    "rate_limit": (
        ("El servidor no está frenando al hub.", "The homeserver is not slowing the hub down."),
        (
            "El servidor frenó al hub {count} veces (429): lo deja mudo. Synapse permite de fábrica 0,2 mensajes por segundo.",
            "The homeserver slowed the hub down {count} times (429): it is mute. Synapse's default is 0.2 messages a second.",
        ),
        (
            "Copie los límites de deploy/config/synapse.yaml, o: POST /_synapse/admin/v1/users/<hub>/override_ratelimit con "
            "messages_per_second 0 y burst_count 0.",
            "Copy the limits of deploy/config/synapse.yaml, or: POST /_synapse/admin/v1/users/<hub>/override_ratelimit with "
            "messages_per_second 0 and burst_count 0.",
        ),
    ),
    "sync": (
        ("El hub recibe.", "The hub receives."),
        ("El hub no recibe desde hace más de minuto y medio.", "The hub has received nothing for over a minute and a half."),
        ("Revise la red y el registro (matrix.sync…).", "Check the network and the log (matrix.sync…)."),
    ),
    "one_time_keys": (
        ("El servidor tiene claves de un solo uso del hub.", "The homeserver holds one-time keys of the hub."),
        (
            "Casi no quedan claves de un solo uso: nadie nuevo podrá escribirle.",
            "One-time keys are nearly gone: nobody new will be able to write to it.",
        ),
        (
            "El hub las repone al recibir; si no suben, reinícielo y mire el registro.",
            "The hub refills them when it receives; if they do not rise, restart it and see the log.",
        ),
    ),
    "undecryptable": (
        ("Todo lo recibido se pudo descifrar.", "Everything received could be decrypted."),
        ("{count} mensajes sin descifrar.", "{count} messages not decrypted."),
        (
            "Quien escribió debe volver a enviar; si crece, vea el manual, «Mensajes sin descifrar».",
            'Whoever wrote must send again; if it grows see the runbook, "Undecryptable".',
        ),
    ),
    "quarantined": (
        ("Ningún evento mal formado.", "No malformed events."),
        ("{count} eventos mal formados, apartados.", "{count} malformed events set aside."),
        ("Avise a quien administra el servidor de donde vienen.", "Tell whoever runs the homeserver that they come from."),
    ),
    "unsigned": (
        ("Todo lo que se escribió vino de dispositivos firmados.", "Everything that was written came from signed devices."),
        (
            "{count} mensajes no se leyeron: vinieron de un dispositivo que nadie de confianza firmó (UnverifiedDevice). De: {who}. No es una "
            "falla del servidor Matrix.",
            "{count} messages were not read: they came from a device that nobody whom we trust signed (UnverifiedDevice). From: {who}. It is "
            "no fault of the homeserver.",
        ),
        (
            "Si es del personal: en ese dispositivo, “Verificar esta sesión” con otro suyo, y que escriba otra vez; si no lo reconoce, que cambie "
            "su contraseña. Si es el hub de otra institución: pídale su manifiesto o su lista de dispositivos. Se cuenta por 30 días.",
            "If it is one of the staff: on that device, “Verify this session” with another one of hers, and write again; if she does not know it, "
            "change her password. If it is another institution's hub: ask for its manifest or its list of devices. Counted for 30 days.",
        ),
    ),
    "staff_blocked": (
        ("Las claves del personal son las fijadas.", "Staff keys are the pinned ones."),
        ("{count} personas bloqueadas porque su clave cambió.", "{count} people blocked because their key changed."),
        (
            "Con cada una, en persona: que lea en su teléfono la clave nueva. Si es la suya, fíjela con lo que leyó: tinkuy staff repin --help",
            "With each, in person: let her read the new key on her phone. If it is hers, pin what she read: tinkuy staff repin --help",
        ),
    ),
    "supervision": (
        ("Hay quien supervise.", "Somebody supervises."),
        (
            "Nadie tiene el rol de supervisión: los avisos que nadie contesta, y revisar las emergencias, pasan a la administración.",
            "Nobody has the role of supervisor: alarms that nobody answers, and the review of emergencies, fall to administrators.",
        ),
        (
            "Inscriba a alguien: tinkuy staff add @cuenta:servidor --role supervisor",
            "Enrol somebody: tinkuy staff add @account:server --role supervisor",
        ),
    ),
    "second_person": (
        ("Hay una segunda persona para las emergencias.", "There is a second person for emergencies."),
        (
            "El personal es de {count}: no hay una segunda persona que confirme o revise una emergencia.",
            "The staff is {count}: there is no second person to confirm or review an emergency.",
        ),
        ("Inscriba a alguien más: tinkuy staff add @cuenta:servidor", "Enrol somebody else: tinkuy staff add @account:server"),
    ),
    "overdue_checkins": (
        ("Ningún seguimiento vencido sin aviso.", "No overdue check-in without a call."),
        ("{count} seguimientos vencidos sin aviso.", "{count} check-ins overdue without a call."),
        ("Atiéndalos a mano ahora y mire el registro (schedule.…).", "Attend to them by hand now and see the log (schedule.…)."),
    ),
    "rooms": (
        ("Las salas están como deben.", "Rooms are as they should be."),
        ("Salas que se apartan de lo debido: {count}.", "Rooms that drifted from what they should be: {count}."),
        (
            "El hub las repara solo: espere un minuto y mire otra vez. Qué difiere y quién lo arregla: tinkuy rooms plan",
            "The hub mends them by itself: wait a minute and look again. What differs and who mends it: tinkuy rooms plan",
        ),
    ),
    "rooms_wait": (
        ("", ""),
        ("Salas que se apartan de lo debido: {count}.", "Rooms that drifted from what they should be: {count}."),
        (
            "Esperan su decisión (rooms.repair = \"ask\"). Vea qué difiere: tinkuy rooms plan, y repárelas: tinkuy rooms apply",
            "They wait for your decision (rooms.repair = \"ask\"). See what differs: tinkuy rooms plan, and mend them: tinkuy rooms apply",
        ),
    ),
    "strangers": (
        ("Nadie está en una sala donde no deba.", "Nobody is in a room where they may not be."),
        ("Está en una sala donde no puede estar: {who}.", "In a room where they may not be: {who}."),
        (
            "Nada se envía ahí. El hub los saca solo; si no puede: tinkuy rooms drift, y en un enlace tinkuy peer thaw.",
            "Nothing is sent there. The hub puts them out by itself; where it cannot: tinkuy rooms drift, and for a link tinkuy peer thaw.",
        ),
    ),
    "strangers_wait": (
        ("", ""),
        ("Está en una sala donde no puede estar: {who}.", "In a room where they may not be: {who}."),
        (
            "Nada se envía ahí. Sacarlos espera su decisión (rooms.repair = \"ask\"): tinkuy rooms apply; en un enlace, tinkuy peer thaw.",
            "Nothing is sent there. Putting them out waits for you (rooms.repair = \"ask\"): tinkuy rooms apply; for a link, tinkuy peer thaw.",
        ),
    ),
    "devices_in_doubt": (
        ("Ningún dispositivo en duda.", "No device in doubt."),
        ("{count} dispositivos o llaves en duda: no reciben nada.", "{count} devices or keys in doubt: they get nothing."),
        ("Vea cuáles y qué hacer: tinkuy rooms drift", "See which, and what to do: tinkuy rooms drift"),
    ),
    "not_invited": (
        ("Todo el personal está invitado a sus salas.", "All staff are invited to their rooms."),
        ("No se pudo invitar a: {who}.", "Could not be invited: {who}."),
        (
            "Revise que la cuenta exista y esté bien escrita. Si no: tinkuy staff remove, y agréguela otra vez.",
            "Check that the account exists and is spelt right. If not: tinkuy staff remove, and add it again.",
        ),
    ),
    "manifest": (
        ("El manifiesto propio vence en {days} días.", "Our manifest expires in {days} days."),
        (
            "El manifiesto propio vence en {days} días; vencido, no salen derivaciones nuevas.",
            "Our manifest expires in {days} days; once expired, no new referrals go out.",
        ),
        (
            "Firme la versión siguiente con la raíz y entréguela a las demás.",
            "Sign the next version with the root; hand it to the others.",
        ),
    ),
    "peer_manifest": (
        ("El manifiesto de {institution} vence en {days} días.", "The manifest of {institution} expires in {days} days."),
        ("El manifiesto de {institution} vence en {days} días.", "The manifest of {institution} expires in {days} days."),
        ("Pídales la versión siguiente.", "Ask them for the next version."),
    ),
    "links_stopped": (
        ("Ningún enlace está detenido.", "No link is stopped."),
        (
            "Por estos enlaces no sale ni entra nada: {who}.",
            "Nothing leaves or comes in over these links: {who}.",
        ),
        (
            "Hable con la otra administración por un número conocido; si todo está en orden, comparen otra vez el código en voz alta: tinkuy peer "
            "code, y después tinkuy peer thaw. Vea el manual, «Otras instituciones».",
            "Speak with the other administration on a known number; if all is well, compare the code aloud once more: tinkuy peer code, then "
            "tinkuy peer thaw. See the runbook, «Otras instituciones».",
        ),
    ),
    "restore_unanswered": (
        ("Ninguna institución debe respuesta a una recuperación.", "No institution owes an answer to a restore."),
        (
            "Aún no contestan a la recuperación de este hub, y hasta entonces nada les llega: {who}.",
            "They have not answered this hub's restore yet, and until then nothing reaches them: {who}.",
        ),
        (
            "Si pasa de unas horas, llame a su administración; el hub pregunta otra vez cada día. Lo urgente, por teléfono.",
            "If it takes more than some hours, call their administration; the hub asks again every day. What is urgent, by telephone.",
        ),
    ),
    "network_list": (
        ("La lista de la mesa {table} vale {days} días más.", "The list of table {table} counts for {days} days more."),
        (
            "La lista de la mesa {table} vence en {days} días; vencida, por ella no entra nadie nuevo.",
            "The list of table {table} expires in {days} days; once expired, nobody new gets in by it.",
        ),
        (
            "Renuévenla y fírmenla: tinkuy network renew --out mesa.json",
            "Renew it and have it signed: tinkuy network renew --out table.json",
        ),
    ),
    "network_unlisted": (
        ("Toda institución enlazada está en alguna lista.", "Every linked institution is on some list."),
        (
            "Enlazadas que no están en ninguna lista: {who}. Su enlace sigue: nadie lo cortó.",
            "Linked, and on no list: {who}. Their links go on: nobody cut them.",
        ),
        (
            "Decidan: que entren (tinkuy network add), que siga así, o detener el enlace (tinkuy peer stop).",
            "Decide: let them in (tinkuy network add), leave it so, or stop the link (tinkuy peer stop).",
        ),
    ),
    "network_differs": (
        ("Lo que dicen las listas coincide con los manifiestos.", "What the lists say agrees with the manifests."),
        (
            "La lista las nombra con otras raíces u otra cuenta Matrix que su manifiesto: {who}.",
            "The list names them with other roots or another Matrix account than their manifest: {who}.",
        ),
        (
            "Llame por un número conocido. Si cambiaron sus raíces: tinkuy network add con la misma institución, y que la mesa firme.",
            "Call on a number you know. If they changed their roots: tinkuy network add with the same institution, and let the table sign.",
        ),
    ),
    "gate": (
        ("", ""),
        (
            "Hay una lista de red y el servidor Matrix no tiene puesta la puerta (o no contesta): solo la lista de servidores deja fuera a extraños.",
            "There is a network list, and the homeserver has no gate in place (or it is mute): its list of servers alone keeps strangers out.",
        ),
        (
            "tinkuy network synapse --out CARPETA, ponga deploy/synapse/tinkuy_gate.py en su PYTHONPATH y reinicie Synapse.",
            "tinkuy network synapse --out FOLDER, put deploy/synapse/tinkuy_gate.py on its PYTHONPATH and restart Synapse.",
        ),
    ),
    "gate_differs": (
        ("La puerta del servidor Matrix tiene las listas de este hub.", "The homeserver's gate has this hub's lists."),
        (
            "La puerta del servidor Matrix no tiene lo que dicen las listas de este hub: {what}.",
            "The homeserver's gate does not have what this hub's lists say: {what}.",
        ),
        (
            "tinkuy network synapse --out CARPETA, en la carpeta que Synapse lee; dice si hay que reiniciarlo.",
            "tinkuy network synapse --out FOLDER, into the folder that Synapse reads; it says whether to restart it.",
        ),
    ),
    "protocol": (
        ("", ""),
        ("El protocolo {protocol} {what} ({code}).", "The protocol {protocol} {what} ({code})."),
        (
            "Vea qué falta y de quién: tinkuy protocol status. Mientras tanto sigue rigiendo la versión anterior, si la hay.",
            "See what is missing and whose: tinkuy protocol status. Until then the version before goes on counting, if there is one.",
        ),
    ),
}

PROTOCOL_SAYS: dict[str, tuple[str, str]] = {
    "not_in_force": ("no rige hoy, por sus fechas", "does not count today, by its dates"),
    "contested": ("está en disputa: hay dos documentos con ese número", "is contested: two documents stand under that number"),
    "waits_sign": ("espera la firma de esta institución", "waits for this institution's signature"),
    "waits_answer": ("tiene comentarios que esta institución debe contestar", "has comments that this institution must answer"),
    "waits_comment": ("está en consulta", "is open for comments"),
    "blocked": ("no rige todavía: falta la firma de {who}", "does not count yet: the signature of {who} is missing"),
    "ends": ("vence el {who}; conviene proponer la siguiente versión", "ends on {who}; propose the next version"),
}
"""By code of a finding of `hub.app.protocol_commands`: what is said of the protocol."""
