"""Chromium as Debian has it, and what is wrong with a page in its eyes."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HEIGHT = 800
CUT_OFF = "net::ERR_ABORTED"
"""By Chromium itself, as of the icon of a page that is loaded again at once."""
WAIT_MILLISECONDS_MAX = 60_000
expect.set_options(timeout=WAIT_MILLISECONDS_MAX)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser; a test without it is skipped, and says so."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on PATH: install Debian's chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True)
class Manner:
    """How a page is looked at."""

    script: bool = True
    lang: str = "ru"
    width: int = 1280
    dark: bool = False

    def options(self) -> dict[str, Any]:
        """Those of Playwright."""
        return {
            "java_script_enabled": self.script,
            "locale": {"ru": "ru-RU", "en": "en-GB"}[self.lang],
            "viewport": {"width": self.width, "height": HEIGHT},
            "color_scheme": "dark" if self.dark else "light",
        }


@dataclass
class Look:
    """A tab in which everything that goes wrong is noted."""

    page: Page
    manner: Manner
    complaints: list[str] = field(default_factory=list)
    asked: set[Request] = field(default_factory=set)
    """What the page in it has asked for; the page before may still say that something was cut off."""

    def begun(self, request: Request) -> None:
        """Note that the page asks for something."""
        self.asked.add(request)

    def failed(self, request: Request) -> None:
        """Complain of what the page could not load; not of what it still loaded when it was left."""
        if request in self.asked and request.failure != CUT_OFF:
            self.complaints.append(f"{request.url} {request.failure}")

    async def findings(self, *, with_axe: bool = True) -> list[str]:
        """What is wrong with the page as it stands: errors, what the policy blocked, what does not fit, and axe's.

        axe is a script, and waits for ever where none runs; it takes as long as all the rest of a look.
        """
        wide = await self.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
        found = [*self.complaints, *([f"it is {wide} px wider than the window"] if wide > 0 else [])]
        axe = (await Axe().run(self.page)).response["violations"] if self.manner.script and with_axe else []
        return found + [
            f"{each['id']}: {node['html']} {node['failureSummary']}" for each in axe for node in each["nodes"]
        ]

    async def bytes_loaded(self) -> int:
        """Of the page and of all that came with it."""
        return await self.page.evaluate(BYTES_LOADED)


async def follow(page: Page, selector: str) -> None:
    """Click on what leads to another page, and wait until that is there."""
    async with page.expect_navigation():
        await page.click(selector)


BYTES_LOADED = """() => ["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind)).reduce(
    (sum, loaded) => sum + loaded.encodedBodySize, 0)"""


@asynccontextmanager
async def look(browser: Browser, manner: Manner, url: str = "", session: str | None = None) -> AsyncIterator[Look]:
    """A tab of a browser of its own, with somebody's session."""
    context: BrowserContext = await browser.new_context(base_url=url or None, **manner.options())
    context.set_default_timeout(WAIT_MILLISECONDS_MAX)
    try:
        if session:
            await log_in(context, url, session)
        page = await context.new_page()
        looking = Look(page, manner)
        page.on("console", lambda said: looking.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: looking.complaints.append(str(error)))
        page.on("request", looking.begun)
        page.on("requestfailed", looking.failed)
        yield looking
    finally:
        await context.close()


async def log_in(context: BrowserContext, url: str, session: str) -> None:
    """Give a browser somebody's session."""
    name, _, value = session.partition("=")
    cookie = {"name": name, "value": value, "url": url.replace("http:", "https:"), "secure": True}
    await context.add_cookies([cookie])  # pyright: ignore[reportArgumentType]


class Tabs:
    """A tab for each manner, kept between looks: to open one takes longer than to show a page in it."""

    def __init__(self, browser: Browser, url: str, kept: AsyncExitStack) -> None:
        self._browser = browser
        self._url = url
        self._kept = kept
        self._looks: dict[Manner, Look] = {}

    async def look(self, manner: Manner, session: str) -> Look:
        """The tab as a new one would be: without a page, a complaint, or anybody's session but this."""
        if manner not in self._looks:
            self._looks[manner] = await self._kept.enter_async_context(look(self._browser, manner, self._url))
        looking = self._looks[manner]
        await looking.page.goto("about:blank")
        looking.complaints.clear()
        looking.asked.clear()
        await looking.page.context.clear_cookies()
        await log_in(looking.page.context, self._url, session)
        return looking
