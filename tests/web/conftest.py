"""A real browser on a real playground. Where either is missing, these tests are skipped, and say which."""

import shutil
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 15  # seconds
SIZE = {"width": 1280, "height": 800}

sys.path.append(str(HERE.parent))  # where playground_server.py is


@pytest.fixture(scope="session")
def served():
    """A playground with the built page."""
    pytest.importorskip("uvicorn", reason="the web server is not installed (extra playground)")
    pytest.importorskip("websockets", reason="the web server is not installed (extra playground)")
    from chainrule.errors import DataError
    from chainrule.playground.server import read_page
    from playground_server import Served

    try:
        page = read_page()
    except DataError as error:
        pytest.skip(str(error))
    server = Served(page)
    yield server
    server.close()


@pytest.fixture(scope="session")
def browser(served):
    """Headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra web)")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page of the playground, and what a user does on it."""

    def __init__(self, page, served):
        self.page, self._served = page, served

    def open(self, **state):
        fragment = "&".join(f"{name}={value}" for name, value in state.items())
        address = self._served.addresses[-1]
        self.page.goto(f"{address}#{fragment}")
        self.page.wait_for_selector("[data-test=steps]")
        self.wait("document.querySelector('[data-test=steps]').textContent !== '–'")
        return self

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def tab(self, name):
        self.page.get_by_role("tab", name=name).click()

    def text(self, name):
        return self.page.locator(f"[data-test={name}]").first.inner_text()

    @property
    def steps(self):
        return int(self.text("steps").replace(",", ""))

    def wait(self, condition):
        """Until a condition in JavaScript holds. (The page's policy forbids playwright's own way of waiting.)"""
        end = time.monotonic() + PATIENCE
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, f"it never came true that {condition}"
            self.page.wait_for_timeout(25)

    def wait_for_steps(self, steps):
        self.wait(f"document.querySelector('[data-test=steps]').textContent.replaceAll(',', '') === '{steps}'")

    def wait_for_more_than(self, steps):
        self.wait(f"Number(document.querySelector('[data-test=steps]').textContent.replaceAll(',', '')) > {steps}")

    def train(self, steps):
        """Run at full speed for at least so many steps, then pause."""
        self.page.get_by_label("Speed").select_option("full")
        self.press("Run")
        self.wait_for_more_than(steps)
        self.press("Pause")
        self.page.get_by_role("button", name="Run", exact=True).wait_for()

    def pixels(self, selector):
        """A canvas as a string that another picture does not share."""
        return self.page.evaluate(f"document.querySelector('{selector}').toDataURL()")


@pytest.fixture
def visit(browser, served):
    """A page in a browser of its own; at the end nothing may have gone wrong in it."""
    context = browser.new_context(viewport=SIZE, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    yield Visit(page, served)
    context.close()
    assert troubles == []
