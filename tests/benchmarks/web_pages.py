"""What the web pages cost, with a thousand customers: processor time, bytes, and the wait for the largest paint."""

import json
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any, NamedTuple

import httpx
from playwright.sync_api import Browser, sync_playwright

from tests.benchmarks import sides
from tests.benchmarks.figures import Figure
from tests.benchmarks.http_load import TASK
from tests.pages.browser import BYTES_LOADED, CHROMIUM

CUSTOMERS = 1000
TASKS_OF_FIRST, TASKS_OF_OTHERS = 300, 2
REQUESTS = 100
LOOKS = 5
PAGES = (
    "/", "/customers", "/customers/acc-0", "/customers/acc-0/tasks", "/customers/acc-0/statement",
    "/months/2026-03", "/documents?month=2026-03",
)  # fmt: skip
ADDED_MS, VIEW_BYTES, PAINT_MS = 20, 100_000, 1000
LARGEST_PAINT = """() => new Promise(done => new PerformanceObserver(
    seen => done(seen.getEntries().at(-1).startTime)).observe({type: "largest-contentful-paint", buffered: true}))"""


class View(NamedTuple):
    """A page as Chromium shows it for the first time."""

    size_bytes: int
    paint_ms: float


def cost_of_pages(url: str) -> Iterator[Figure]:
    """Of each measure the page that does worst. Bytes and paint need Chromium."""
    _fill(url)
    added = sides.run("", "page_cost.py", url, REQUESTS, *PAGES)
    yield _worst("what a page adds, p95", added, ADDED_MS, "ms")
    if CHROMIUM is None:
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        views = {page: [_look(browser, url + page) for _ in range(LOOKS)] for page in PAGES}
        browser.close()
    sizes = {page: max(view.size_bytes for view in each) for page, each in views.items()}
    paints = {page: median(view.paint_ms for view in each) for page, each in views.items()}
    yield _worst("bytes of a first view", sizes, VIEW_BYTES, "B")
    yield _worst("largest contentful paint", paints, PAINT_MS, "ms")


def _worst(measure: str, found: Mapping[str, float], bound: float, unit: str) -> Figure:
    page = max(found, key=lambda page: found[page])
    against = f"a bound of {bound:,} {unit}"
    return Figure(f"{measure}: {page}", against, "everything", found[page], bound, unit, 1, at_most=True)


def _look(browser: Browser, address: str) -> View:
    """In a browser that has seen nothing of the site before."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    view = View(page.evaluate(BYTES_LOADED), page.evaluate(LARGEST_PAINT))
    context.close()
    return view


def _fill(url: str) -> None:
    """A thousand customers with hours and some work; the first with much of it."""
    opening = {"command": "OpenAccount", "contract_date": "2026-01-01"}
    purchase = {
        "command": "PurchasePackage", "package_id": "p", "plan": "hours-100",
        "purchased_at": "2026-03-01T12:00:00+03:00",
    }  # fmt: skip
    lines: list[dict[str, Any]] = []
    for number in range(CUSTOMERS):
        name = {"customer_name": f"ООО «Ока {number}»", "contract_number": f"{number}/26"}
        tasks = range(TASKS_OF_FIRST if number == 0 else TASKS_OF_OTHERS)
        deeds = [
            opening | name,
            purchase,
            *({"command": "CloseTask", "task_id": f"T-{task}", **TASK} for task in tasks),
        ]
        lines += [{"account_id": f"acc-{number}", **deed} for deed in deeds]
    content = "\n".join(json.dumps(line | {"idempotency_key": f"pages-{n}"}) for n, line in enumerate(lines))
    with httpx.Client(base_url=f"{url}/v1", timeout=300, trust_env=False) as client:
        answers = [json.loads(line) for line in client.post("/commands", content=content.encode()).text.splitlines()]
        refused = [answer for answer in answers if answer["status"] != 201]
        if refused:
            raise RuntimeError(f"the customers could not be set up: {refused[0]}")
        at_least = {"Hourbook-Min-Position": str(max(answer["position"] for answer in answers))}
        while client.get("/projections", headers=at_least).status_code == httpx.codes.SERVICE_UNAVAILABLE:
            continue
