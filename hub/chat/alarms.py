"""What administrators are told in their room: one plain sentence an alarm, with its code at the end."""

from __future__ import annotations

from datetime import datetime

from hub.actions.again import was_told
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases import events as e
from hub.chat import wording as w
from hub.chat.matrix_notices import NOTICE, tell_notice
from hub.chat.plain import message, paragraph
from hub.chat.posting import Place, put
from hub.chat.stopped import because

ALARMS = {
    "peer_silent": mark("{institution} no confirma lo que le enviamos hace 15 minutos o más ({number}). Lo sigo intentando; si urge, llame."),
    "ledger_rewritten": mark(
        "El registro de entregas de {institution} ya no es el que firmó antes ({why}; tenía {number} filas). Puede ser una copia restaurada "
        "o un cambio a escondidas. La firma anterior está guardada. Hable con su administración."
    ),
    "checkpoint_refused": mark("El resumen del registro de {institution} no está bien firmado ({why}). Revise el enlace."),
    "gap_open": mark("Falta el mensaje número {number} de {institution} desde hace 15 minutos o más. Lo sigo pidiendo; si urge, llame."),
    "peer_skipped": mark("{institution} anuló el mensaje número {number} (ya no existe allá)."),
    "record_refused": mark("Se rechazó un mensaje «{kind}» de {institution} ({why}). No se guardó nada de él."),
    "false_ack": mark("{institution} confirmó algo que no enviamos. Revise el enlace."),
    "link_frozen": mark("El enlace con {institution} quedó detenido: {why}. Hable con su administración antes de reabrir."),
    "fields_dropped": mark("{institution} no guardó estos datos de {code} porque su protocolo no los permite: {fields}."),
    "restored": mark(
        "Este hub se recuperó del respaldo de {detail}. Nada sale hasta que cada institución responda ({number}). Lo hecho después del respaldo se "
        "pregunta a las otras instituciones; lo que solo estaba aquí hay que anotarlo otra vez."
    ),
    "restore_unanswered": mark(
        "{institution} aún no contesta a la recuperación de este hub, un día o más después. Hasta que conteste NADA le llega desde aquí: ni "
        "derivaciones, ni mensajes, ni lo que ellas retiran. Se le pregunta otra vez cada día. Llame hoy a su administración: si su hub "
        "funciona, en su sala hay un aviso del motivo. Lo que sea urgente, dígalo por teléfono."
    ),
    "restored_in_doubt": mark(
        "Este hub se recuperó del respaldo de {detail} SIN las últimas destrucciones: puede haber vuelto algo que una persona pidió olvidar. "
        "Revise con las otras instituciones ({number}) y destrúyalo otra vez."
    ),
    "decided_again": mark(
        "Lo que se decidió después de ese respaldo vale otra vez ({number}): {detail}. Quien se dio de baja sigue de baja, la llave en duda sigue "
        "bloqueada y el enlace detenido sigue detenido, aunque después se hubiera arreglado. Si ya estaba resuelto, hágalo otra vez (inscribir, "
        "tinkuy staff repin, tinkuy peer thaw)."
    ),
    "peer_restored": mark(
        "{institution} se recuperó de un respaldo de {detail}. Lo que se le dijo después se le dice otra vez; los mensajes entre "
        "personas no: repítanlos si importan."
    ),
    "staff_repinned": mark("Se aceptó una nueva llave de {user}."),
    "key_changed": mark(
        "La llave de {user} cambió y quedó bloqueada: no la leo ni le escribo. El servidor muestra otra, que puede no ser suya; por eso aquí no "
        "se la copio. Véala, o llámela a un número conocido: si ella cambió su identidad, que lea la llave nueva en su propio teléfono, y fije en la "
        "terminal lo que ella leyó (tinkuy staff repin --help). Si ella no cambió nada, no la acepte: alguien puede estar en medio."
    ),
    "verification_differs": mark(
        "ALERTA: los dibujos de {user} NO eran los mismos. Alguien puede estar en medio, quizá en el servidor. Su llave sigue como estaba. "
        "No la verifiquen ni acepten llaves nuevas suyas hasta aclararlo; compare su huella en persona (tinkuy staff list --json)."
    ),
    "verification_proof": mark(
        "ALERTA: en la verificación de {user} su programa probó otra llave que la fijada, o el servidor mostró otra ({why}). "
        "Su llave sigue como estaba. Hable con ella en persona y con quien administra el servidor."
    ),
    "lead_moved": mark(
        "{user} ya no está. Lo que llevaba está ahora a cargo de {detail}: {codes}. Controles por hacer: {number}; le suenan a {detail}. "
        "Avísele hoy."
    ),
    "lead_nobody": mark(
        "ATENCIÓN: {user} ya no está y NADIE lleva lo que estaba a su cargo: {codes}. Controles por hacer, que no le suenan a nadie: {number}. "
        "Inscriba hoy a una persona y lo recibe en el acto: tinkuy staff add"
    ),
    "post_refused": mark("El servidor Matrix no aceptó un mensaje nuestro ({why}) y quedó sin mostrar. Avise a soporte."),
    "redaction_refused": mark(
        "El servidor Matrix no nos dejó borrar un mensaje en la sala de «{detail}» ({why}): puede seguir a la vista de quienes están allí. "
        "Bórrenlo a mano, o saquen de esa sala a quien no deba leerlo."
    ),
    "timer_failed": mark("Un aviso programado falló ({kind}, {why}). Los demás siguen. Avise a soporte."),
    "dispatch_failed": mark("Un mensaje «{kind}» no se pudo preparar ({why}) y no salió. Avise a soporte."),
    "event_failed": mark("Un mensaje recibido no se pudo atender ({why}) y quedó apartado. Avise a soporte."),
    "devices_stated": mark(
        "{institution} firmó que su centro habla ahora desde estos dispositivos Matrix: {detail}. Los demás ya no leen nada nuestro. "
        "Pasa al restaurar o al sumar un servidor. Si nadie lo esperaba, llame a su administración."
    ),
    "devices_refused": mark(
        "Se rechazó una lista de dispositivos Matrix a nombre de {institution} ({why}). Nada cambió. Si se repite, hable con su administración."
    ),
    "devices_contested": mark(
        "{institution} y {detail} dijeron hablar desde un mismo dispositivo Matrix. Vale la de {institution}: el servidor muestra que lo tiene. "
        "Ningún enlace se detuvo. Llame a las dos administraciones: una de las dos listas era falsa o una copia."
    ),
    "devices_disputed": mark(
        "{institution} dice hablar desde un dispositivo Matrix que {detail} dijo tener antes ({why}), y no se pudo probar que sea suyo: su lista no "
        "se tomó, y ningún enlace se detuvo. La primera pudo ser la copia: llame a las dos administraciones por un número conocido, pregunte "
        "cuál estrenó dispositivo, y decida: tinkuy peer owns LA-DUEÑA LA-OTRA"
    ),
    "devices_decided": mark(
        "Administración decidió que el dispositivo Matrix en disputa es de {institution} y no de {detail}: a nombre de {detail} ya no vale. "
        "Si fue un error, se decide otra vez al revés: tinkuy peer owns"
    ),
    "envelope_refused": mark("Se rechazó un sobre de {institution} ({why}). No se guardó nada de él."),
    "peer_manifest": mark("{institution} renovó su manifiesto (versión {number}), firmado por sus raíces. No hace falta hacer nada."),
    "manifest_refused": mark(
        "Se rechazó un manifiesto nuevo de {institution} ({why}); sigue valiendo el anterior. Llame a su administración por un número conocido."
    ),
    "manifest_contested": mark(
        "El manifiesto nuevo de {institution} nombra una clave o un dispositivo que {detail} ya decía tener. Sus claves valen; un dispositivo en "
        "disputa no, hasta que se pruebe de quién es o ustedes lo decidan (tinkuy peer owns). Ningún enlace se detuvo. Llame a las dos "
        "administraciones por un número conocido."
    ),
    "own_manifest_ahead": mark(
        "{institution} dice tener la versión {number} de NUESTRO manifiesto; este hub conoce hasta la {detail}. Por ahora es solo su palabra. Si "
        "este hub acaba de volver de un respaldo, se la devuelve sola en minutos, firmada por nuestras raíces, y se lo avisaré. Si no llega, o "
        "este hub no viene de un respaldo, llame a su administración. Nada de esto impide retirar una clave robada: tinkuy keys revoke signing"
    ),
    "own_manifest_back": mark(
        "{institution} nos devolvió nuestro propio manifiesto, versión {number}, firmado por nuestras raíces: este hub había vuelto de una copia "
        "anterior. Desde ahora vale ese. Haga hoy un respaldo nuevo: tinkuy backup create"
    ),
    "own_manifest_refused": mark(
        "{institution} tiene un manifiesto a nuestro nombre que no sigue al nuestro ({why}). Puede haber dos de una misma versión, o alguien tiene "
        "nuestras raíces. No cambie claves; llame a su administración por un número conocido."
    ),
    "own_manifest_forged": mark(
        "{institution} mandó un manifiesto a nuestro nombre que nuestras raíces NO firmaron ({why}). No se tomó y nada cambió: es falso, o está "
        "dañado. Llame a su administración por un número conocido. Nada de esto impide cambiar o retirar claves."
    ),
    "own_manifest_fork": mark(
        "Hay dos manifiestos nuestros que no se siguen ({why}): el que vale en este hub, versión {number}, y el que nos devolvieron otras "
        "instituciones, hasta la versión {detail}, firmado también por nuestras raíces. El hub sigue con el suyo; quien tiene el otro puede "
        "detener el enlace. No cambie claves antes de llamar a cada institución por un número conocido: tinkuy keys status"
    ),
    "own_keys_lost": mark(
        "Este hub no tiene la clave ({detail}) que nombra su manifiesto, versión {number}: se cambió después del respaldo del que volvió. No salen "
        "derivaciones nuevas. Haga: tinkuy keys rotate signing; después tinkuy backup create. A quien no responda, llévele el manifiesto nuevo: "
        "tinkuy manifest export."
    ),
    "own_manifest_ends": mark("Nuestro manifiesto vence en {number} días. Vea `tinkuy keys status`; vencido, no salen derivaciones nuevas."),
    "peer_manifest_ends": mark("El manifiesto de {institution} vence en {number} días. Avise a su administración."),
    "manifest_expired": mark("El manifiesto de {institution} venció: no salen derivaciones nuevas. Mensajes, retiros y controles siguen."),
    "signing_due": mark("La clave de firma del hub cumple 90 días en {number} días. Cámbiela: tinkuy keys rotate signing"),
    "network_list": mark(
        "Vale la versión {number} de la lista de la mesa {detail} (+ entra, - sale, ~ cambia): {fields}. Si cambió algún servidor, quien cuida "
        "Synapse debe hacer: tinkuy network synapse"
    ),
    "network_offered": mark(
        "{institution} envió la lista de la mesa {detail}, que aquí nadie confirmó. No vale hasta que comparen el código con alguien de la mesa: "
        "tinkuy network code; después tinkuy network confirm"
    ),
    "network_removed": mark(
        "{institution} ya no está en la lista de la mesa {detail}. Nada se cortó: el enlace sigue, y con él los retiros y los controles. "
        "Derivaciones abiertas con ella: {number}. Decidan ustedes: terminarlas y seguir, o detener el enlace (tinkuy peer stop)."
    ),
    "network_removed_us": mark(
        "La versión {number} de la lista de la mesa {detail} ya no nombra a esta institución. Los enlaces siguen; las otras deciden si los detienen. "
        "Si nadie se lo dijo, llame hoy a quienes firman la lista."
    ),
    "network_refused": mark(
        "Se rechazó una lista de la mesa {detail} que envió {institution} ({why}). Sigue valiendo la de antes. Si se repite, llame a su "
        "administración."
    ),
    "network_ends": mark("La lista de la mesa {detail} vence en {number} días. Renuévenla y fírmenla: tinkuy network renew"),
    "network_expired": mark(
        "La lista de la mesa {detail} venció: por ella no entra nadie nuevo. Los enlaces que hay siguen. Renuévenla y fírmenla: tinkuy network renew"
    ),
    "alarms_again": mark("De {institution} hubo más avisos como ese: {number}, en el último cuarto de hora ({kind})."),
    "version_ahead": mark(
        "{institution} entregó datos de {code} según {detail}, y esa versión no rige aquí: falta alguna firma. No se guardó nada. Se le pide lo que "
        "falta; vea «protocolo lista»."
    ),
    "version_over": mark(
        "{institution} entregó datos de {code} según {detail}, que aquí ya no rige. No se guardó nada. Su hub no sabe de la versión nueva: llame a "
        "su administración."
    ),
    "no_protocol": mark("{institution} entregó datos de {code} según {detail}, que aquí no rige. No se guardó nada. Llame a su administración."),
    "version_ahead_there": mark("{institution} no guardó nada de {code}: {detail} no rige allá todavía. Se envía otra vez solo cuando le llegue."),
    "version_stopped_there": mark(
        "{institution} no guardó nada de {code}: {detail} no rige allá. Ya NO se envía otra vez solo. Vean con su administración quién no firmó: "
        "«protocolo lista»."
    ),
    "version_over_there": mark(
        "{institution} no guardó nada de {code}: {detail} ya no rige allá. Aquí falta la versión nueva: vea «protocolo lista» y llame."
    ),
    "no_protocol_there": mark("{institution} no guardó nada de {code}: {detail} no rige allá. Llame a su administración."),
    "protocol_contested": mark(
        "{institution} propuso {detail}, y con ese número ya había otro documento. Ninguno se firma hasta que se rechace uno: «protocolo lista»."
    ),
}


_WITH_A_TIME = frozenset({"restored", "restored_in_doubt", "peer_restored"})
"""Their `detail` is a time, for people in the institution's zone."""


def tell_alarm(unit: Unit, event: e.Alarm) -> None:
    """Queue the sentence of an alarm; one without a sentence speaks by its code. The same again about one institution is counted for a while."""
    if event.code == NOTICE:
        return tell_notice(unit, **dict(event.params))
    if was_told(unit, event):
        return None
    lang = unit.me.language
    params = {"institution": "", "user": "", "device": "", "detail": "", "kind": "", "why": "", "number": "", "code": "", "fields": "", "codes": ""}
    params |= dict(event.params)
    if event.code in _WITH_A_TIME:
        params["detail"] = w.moment(unit, lang, datetime.fromisoformat(params["detail"]))
    if "more" in params:  # cases that this room does not name
        params["codes"] = text(lang, "{codes} y {more} más", **params) if params["codes"] else text(lang, "{more} sin nombrar aquí", **params)
    if event.code == "link_frozen":
        params["why"] = because(lang, params["why"])
    template = ALARMS.get(event.code)
    words = text(lang, template, **params) if template else f"{event.code} {dict(event.params)}"
    put(unit, Place(purpose="admin"), message(paragraph(f"{words} [{event.code}]")))
    return None
