"""A person in a browser: Hydrogen served on 127.0.0.1, driven by Playwright in Debian's chromium.

    async with BrowserPerson(rosa) as screen:                 # logs in by the form; rosa signs the new device
        await screen.open_room(room)
        await bea.trusts(screen.user_id, screen.device_id)    # or bea's next message is not meant for it yet
        await screen.see("derivación")
        await screen.picture(folder / "desk.png")

The browser is a second device of a `Person` who is already there: she approves it by signing it, so that strict
senders give it their room keys. It sees what is said after that; older messages stay closed to it, as everywhere.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from aiohttp import web
from playwright.async_api import Browser, Page, Route, async_playwright

from deploy.demo.person import Person
from tests.jsclient.node import install

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Size:
    """A screen in CSS pixels."""

    width: int
    height: int


SIZES = {"desktop": Size(width=1280, height=800), "phone": Size(width=390, height=844)}


class BrowserError(AssertionError):
    """The browser cannot run, or did not show what was expected: the text says which."""


def find_chromium() -> str:
    """Path of Debian's browser. Raises BrowserError, which names the target that installs it."""
    for name in ("chromium", "chromium-browser"):
        if found := shutil.which(name):
            return found
    raise BrowserError("chromium is missing: run `make browser` (apt-get install chromium), then try again")


class BrowserPerson:
    """One Hydrogen session of `person`; an async context manager. `device_id` and `user_id` are those of the session."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.user_id = person.user_id
        self.device_id = ""
        self.outside: list[str] = []
        """Addresses outside this machine that the page asked for; all were refused."""
        self._stack = AsyncExitStack()
        self._page: Page | None = None
        self._session = ""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(install, HERE, then="build.mjs")
            origin = await _serve(HERE / "dist", stack)
            browser = await _chromium(stack)
            self._page = await self._new_page(browser)
            await self._log_in(origin)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    @property
    def page(self) -> Page:
        """The Playwright page, for what this class has no word for."""
        if self._page is None:
            raise BrowserError("the browser is not open")
        return self._page

    async def open_room(self, room: str) -> None:
        """Go to a room that the person has joined."""
        await self.page.evaluate("hash => { location.hash = hash }", f"#/session/{self._session}/room/{room}")
        await self.page.wait_for_selector(".RoomView .Timeline")

    async def see(self, text: str, *, within: float = 30.0) -> None:
        """Wait until a message that contains `text` is on the screen. Raises BrowserError with what is there instead."""
        try:
            await self.page.get_by_text(re.compile(re.escape(text))).last.wait_for(timeout=within * 1000)
        except Exception as error:
            shown = await self.page.locator("body").inner_text()
            raise BrowserError(f"`{text}` did not appear within {within:.0f} s. On the screen:\n{shown[-1500:]}") from error

    async def say(self, text: str) -> None:
        """Type into the room that is open and send."""
        await self.page.fill(".MessageComposer_input textarea", text)
        await self.page.press(".MessageComposer_input textarea", "Enter")

    async def picture(self, path: Path, *, size: Literal["desktop", "phone"] = "desktop") -> Path:
        """A PNG of what is on the screen at that size."""
        screen = SIZES[size]
        await self.page.set_viewport_size({"width": screen.width, "height": screen.height})
        await self.page.wait_for_timeout(400)  # the layout follows the new width in an animation
        await self.page.screenshot(path=path)
        return path

    async def overflow(self) -> int:
        """CSS pixels by which the page is wider than the screen: 0 when nobody has to scroll sideways."""
        return int(await self.page.evaluate("Math.max(0, document.documentElement.scrollWidth - window.innerWidth)"))

    async def _new_page(self, browser: Browser) -> Page:
        desktop = SIZES["desktop"]
        context = await browser.new_context(viewport={"width": desktop.width, "height": desktop.height}, locale="es-PE")
        await context.route("**/*", self._loopback_only)
        return await context.new_page()

    async def _loopback_only(self, route: Route) -> None:
        if re.match(r"(https?|ws)://(127\.0\.0\.1|localhost)[:/]|(blob|data):", route.request.url):
            await route.continue_()
        else:
            self.outside.append(route.request.url)
            await route.abort()

    async def _log_in(self, origin: str) -> None:
        page = self.page
        await page.goto(f"{origin}/index.html#/login")
        await page.fill("#homeserver", self.person.client.homeserver)
        await page.press("#homeserver", "Tab")
        await page.fill("#username", self.user_id)
        await page.fill("#password", self.person.password)
        await page.click(".PasswordLoginView button[type=submit]")
        await page.wait_for_url(re.compile(r"#/session/\d+"))
        self._session = re.findall(r"#/session/(\d+)", page.url)[0]
        self.device_id = await page.evaluate("JSON.parse(localStorage.getItem('hydrogen_sessions_v1'))[0].deviceId")
        await self._approved()

    async def _approved(self) -> None:
        """The person signs the new device as soon as the homeserver has its keys."""
        for _ in range(100):
            if self.device_id in await self.person.own_devices():
                await self.person.sign_device(self.device_id)
                return
            await asyncio.sleep(0.1)
        raise BrowserError("the browser logged in but published no device keys")


async def _serve(folder: Path, stack: AsyncExitStack) -> str:
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _chromium(stack: AsyncExitStack) -> Browser:
    playwright = await stack.enter_async_context(async_playwright())
    # No sandbox: as root, which is what CI is, chromium refuses to start with one. It only ever opens our own page.
    browser = await playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
    stack.push_async_callback(browser.close)
    return browser
