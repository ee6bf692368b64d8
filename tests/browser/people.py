"""People at their browsers, each with cookies of their own, and everything that a browser complains of."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Response

SCREEN = {"width": 1280, "height": 800}
TELLS_OF_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
    console.error(`CSP: ${event.violatedDirective} stopped ${event.blockedURI}`);
});
"""


@dataclass
class Person:
    """One person at one browser. ``problems`` is what no page should ever do: fail, or have something stopped."""

    name: str
    context: BrowserContext
    base: str
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(TELLS_OF_VIOLATIONS)
        self.page = self.context.new_page()
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self._trouble(f"error in a script: {error}"))
        self.page.on("response", self._answered)

    def _told(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):  # a status: see below
            self._trouble(message.text)

    def _answered(self, response: Response) -> None:
        is_page = response.request.is_navigation_request()
        if response.status >= 500 or (response.status >= 400 and not is_page):
            self._trouble(f"{response.status} for {response.url}")

    def _trouble(self, what: str) -> None:
        self.problems.append(f"{self.name} at {self.page.url}: {what}")

    def visit(self, path: str) -> int:
        """Go to an address; return the status that it answered with."""
        response = self.page.goto(f"{self.base}{path}")
        return response.status if response else 0

    def sees(self) -> str:
        """Return the text that the page shows."""
        return self.page.locator("body").inner_text()

    def sign_in(self, email: str, password: str) -> None:
        """Sign in as somebody who has no second factor, or who will be asked for it next."""
        self.visit("/console/login/")
        self.page.fill("[name=username]", email)
        self.page.fill("[name=password]", password)
        self.page.locator("form [type=submit]").first.click()
        self.page.wait_for_load_state()

    def path(self) -> str:
        """Return what stands in the address bar, without the host."""
        return self.page.url.removeprefix(self.base)

    def photograph(self, path: Path) -> Path:
        """Keep what the page looks like."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path, full_page=True)
        return path


class People:
    """Everybody at a browser during one test."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.browser, self.base, self.everybody = browser, base, list[Person]()

    def __call__(self, name: str, **options: Any) -> Person:
        """Return somebody at a fresh browser; the options are those of a context of Playwright's."""
        context = self.browser.new_context(**{"viewport": SCREEN, "reduced_motion": "reduce", **options})
        context.set_default_timeout(15_000)
        self.everybody.append(Person(name, context, self.base))
        return self.everybody[-1]

    def problems(self) -> list[str]:
        return [problem for person in self.everybody for problem in person.problems]

    def leave(self) -> None:
        for person in self.everybody:
            person.context.close()
