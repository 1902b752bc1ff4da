"""Chromium for tests that need no Hourbook: one tab, without a network."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.pages.browser import CHROMIUM


@contextmanager
def offline_page() -> Iterator[Page]:
    """A tab that reaches files, and what a test hands it; a test without Chromium is skipped, and says so."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on PATH: install Debian's chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser.new_context(offline=True).new_page()
        finally:
            browser.close()
