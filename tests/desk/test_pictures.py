"""The conversation on a screen: a caseworker types in a browser and reads the hub's answers, on a desktop and on a phone (issue 2, 4.2).

`DESK_PICTURES=folder` keeps the pictures; those in `docs/pictures` were made that way and looked at.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from deploy.demo.network import Network
from deploy.demo.person import NotSeen, Person
from tests.browser.browser_person import BrowserPerson

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    kept = Path(os.environ.get("DESK_PICTURES") or tmp_path)
    kept.mkdir(parents=True, exist_ok=True)
    return kept


async def readable(screen: BrowserPerson, folder: Path, name: str) -> None:
    """Pictures at both sizes; nobody has to scroll sideways, nothing stands there that could not be decrypted."""
    for size in ("desktop", "phone"):
        await screen.picture(folder / f"{name}-{size}.png", size=size)
        assert await screen.overflow() == 0, f"{name} is wider than a {size}"
    shown = await screen.page.locator(".RoomView .Timeline").inner_text()
    assert "could not be decrypted" not in shown.lower()
    await screen.picture(folder / f"{name}-desktop.png")


async def first_words(screen: BrowserPerson, ana: Person, room: str) -> None:
    """The hub learns of the new, signed device within moments; what it says after that is for it too."""
    for _ in range(10):
        await screen.say("!tk casos")
        await ana.expect("pendiente|Más adelante|Para hoy", room=room)
        try:
            await screen.see("nada pendiente", within=3)
        except AssertionError:
            continue
        return
    raise NotSeen("the hub never spoke to the browser's device")


async def test_a_referral_is_readable_in_a_browser(network: Network, folder: Path) -> None:
    hub, ana = network.hubs["cem-lima"], network.people["ana"]
    desk, direct = await hub.room("desk"), await hub.room(f"direct:{ana.user_id}")
    async with BrowserPerson(ana) as screen:
        await screen.open_room(desk)
        await first_words(screen, ana, desk)

        async def asks(words: str, answer: str) -> str:
            await screen.say(words)
            said = await ana.expect(answer, room=desk)
            await screen.see(said.body.split("\n")[-1])
            return said.body

        await asks("!tk ayuda", "derivar")
        await readable(screen, folder, "help")
        said = await asks("!tk abrir Luz Inventada, mañana a las 10", r"Listo: C-")
        code = re.findall(r"C-\w{5}", said)[0]
        for words in ("contacto seguro: solo por la mañana", "riesgo: alto", "salud mental: insomnio (inventado)", "teléfono: 900 000 001"):
            await asks(f"!tk anotar {code} {words}", "Anotado en")
        await asks(f"!tk anotar {code} nombre legal: Nombre Inventado", "Anotado en")
        await asks(f"!tk consentimiento {code}", "Le explicó esto")
        await readable(screen, folder, "consent")
        await asks("cancelar", "De acuerdo")
        words = f"!tk consentimiento {code} oral a csmc-comas para salud mental campos lo necesario hasta 3 meses explicado"
        await asks(words, "consentimiento anotado")
        preview = await asks(f"!tk derivar {code} a csmc-comas por salud mental", "Vista previa")
        await readable(screen, folder, "preview")
        await asks(re.findall(r"(\d+)\. enviar", preview)[0], r"R-\w{5} en camino")
        await ana.expect("acuse firmado", room=desk)
        await asks(f"!tk quién sabe {code}", "quién sabe qué")
        await readable(screen, folder, "who-knows")
        await screen.open_room(direct)
        await screen.say(f"ver {code}")
        await ana.expect("900 000 001", room=direct)
        await screen.see("900 000 001")
        await readable(screen, folder, "values")
        assert screen.outside == []


async def test_an_offer_is_readable_at_the_other_desk(network: Network, folder: Path) -> None:
    csmc, bea = network.hubs["csmc-comas"], network.people["bea"]
    desk = await csmc.room("desk")
    async with BrowserPerson(bea) as screen:
        await screen.open_room(desk)
        await first_words_there(screen, bea, desk)
        referral = await offered(network)
        offer = await bea.expect(rf"{referral} · derivación", room=desk)
        await screen.see(f"{referral} · derivación")
        await readable(screen, folder, "offer")
        await bea.say(desk, re.findall(r"(\d+)\. aceptar", offer.body)[0], thread=offer)
        await bea.expect(f"{referral}: llegaron los datos", room=desk)
        await screen.see(f"{referral}: llegaron los datos")
        await screen.see("Alba Inventada")
        await readable(screen, folder, "accepted")


async def first_words_there(screen: BrowserPerson, bea: Person, room: str) -> None:
    for _ in range(10):
        await screen.say("!tk guardia sí")
        await bea.expect("de guardia", room=room)
        try:
            await screen.see("está de guardia", within=3)
        except AssertionError:
            continue
        return
    raise NotSeen("the hub never spoke to the browser's device")


async def offered(network: Network) -> str:
    """Ana refers somebody, in as few lines as it takes; returns the code."""
    hub, ana = network.hubs["cem-lima"], network.people["ana"]
    desk = await hub.room("desk")

    async def asks(words: str, answer: str) -> str:
        await ana.say(desk, words)
        return (await ana.expect(answer, room=desk)).body

    code = re.findall(r"C-\w{5}", await asks("!tk abrir Alba Inventada, mañana a las 9", r"Listo: C-"))[0]
    await asks(f"!tk anotar {code} salud mental: miedo (inventado)", "Anotado en")
    await asks(f"!tk anotar {code} contacto seguro: solo mensajes", "Anotado en")
    await asks(f"!tk consentimiento {code} oral a csmc-comas para salud mental campos lo necesario hasta 3 meses explicado", "anotado")
    preview = await asks(f"!tk derivar {code} a csmc-comas por salud mental", f"Vista previa · {code}")
    return str(re.findall(r"R-\w{5}", await asks(re.findall(r"(\d+)\. enviar", preview)[0], "en camino"))[0])
