"""The page of proofs before a real ledger: what it says of receipts, events and names, and what it remembers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.end_to_end.guarded_service import OWN, Holder
from tests.pages.browser import Look, Manner, look
from tests.pages.conftest import Counter

CUSTOMER = Holder("customer", scoped=True)
VISITED = "#visit[data-done]"


@asynccontextmanager
async def proofs(browser: Browser, counter: Counter, manner: Manner | None = None) -> AsyncIterator[Look]:
    """The page as a customer has it, once the visit has been compared with earlier ones."""
    async with look(browser, manner or Manner(lang="en"), counter.url, counter.sessions[CUSTOMER]) as looking:
        await visited(looking.page)
        yield looking


async def visited(page: Page) -> None:
    await page.goto("/proofs")
    await page.wait_for_selector(VISITED, state="attached")


async def judged(page: Page, text: str) -> str:
    """What the page says of a text that is pasted, by the keyboard."""
    await page.get_by_label("or paste text").fill(text)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    verdict = page.locator("#verdict:not([aria-busy]) .judgement")
    await verdict.first.wait_for()
    return await page.locator("#verdict").inner_text()


async def receipts(counter: Counter) -> list[str]:
    """Of every command of a customer's account, each once, when a checkpoint covers them."""
    found: list[str] = []
    async with counter.guarded.client(counter.guarded.keys[CUSTOMER]) as client:
        while (answer := await client.get(f"/v1/accounts/{OWN}/receipts/{len(found) + 1}")).status_code in {200, 503}:
            found += [answer.text] if answer.status_code == 200 else []
    return list(dict.fromkeys(found))


async def test_every_receipt_of_a_real_ledger_is_genuine_and_an_edited_one_is_not(counter: Counter, browser: Browser):
    given = await receipts(counter)
    assert len(given) > 3
    async with proofs(browser, counter) as looking:
        for receipt in given:
            said = await judged(looking.page, receipt)
            assert "✓ Genuine" in said, said
            for step in ("Form", "Events", "Path to the root", "Keys", "Signature", "This browser's memory"):
                assert f"✓ {step}" in said
        edited = json.loads(given[0])
        edited["proofs"][0]["path"].reverse()
        said = await judged(looking.page, json.dumps(edited))
        assert "✗ Not genuine" in said
        assert "leads to another root" in said
        assert not await looking.findings()


async def test_a_file_is_judged_without_a_network_once_the_page_is_open(
    counter: Counter, browser: Browser, tmp_path: Path
):
    (tmp_path / "receipt.json").write_text((await receipts(counter))[0], "utf-8")
    async with proofs(browser, counter, Manner(lang="ru", width=360)) as looking:
        await looking.page.context.set_offline(True)
        await looking.page.get_by_label("Перетащите файл").set_input_files(tmp_path / "receipt.json")
        await looking.page.locator("#verdict .judgement.good").wait_for()
        assert "✓ Верно" in await looking.page.inner_text("#verdict")


async def test_a_file_that_is_too_large_or_cannot_be_read_is_said_to_be_so(
    counter: Counter, browser: Browser, tmp_path: Path
):
    """A large one is not even read: its bytes are asked of nobody. A folder that is dropped cannot be."""
    (tmp_path / "large").write_bytes(bytes((16 << 20) + 1))
    (tmp_path / "folder").write_text("x")
    async with proofs(browser, counter) as looking:
        await looking.page.evaluate(
            """() => {
              window.read = 0;
              Blob.prototype.arrayBuffer = async () => { window.read += 1; throw new DOMException(); };
            }"""
        )
        for name, read in (("large", 0), ("folder", 1)):
            await looking.page.get_by_label("Drop a file").set_input_files(tmp_path / name)
            await looking.page.locator("#verdict .wrong", has_text="cannot be read").wait_for()
            assert await looking.page.evaluate("window.read") == read
        assert not await looking.findings(with_axe=False)


async def test_an_event_is_judged_by_the_receipt_of_its_command(counter: Counter, browser: Browser):
    line = json.loads((await receipts(counter))[0])["lines"][0]
    async with proofs(browser, counter) as looking:
        assert "this event stands in it byte for byte" in await judged(looking.page, line)
        other = line.replace('"data":{', '"data":{"remark":1,', 1)
        assert "✗ The same event" in await judged(looking.page, other)
        await looking.page.context.set_offline(True)
        assert "– Not judged" in await judged(looking.page, line)


async def test_a_name_is_shown_to_be_the_one_in_an_event(counter: Counter, browser: Browser):
    async with counter.guarded.client(counter.guarded.keys[CUSTOMER]) as client:
        named = (await client.get(f"/v1/accounts/{OWN}/personal-data")).json()[0]
    whole = next(each for each in await receipts(counter) if f'"position":{named["position"]},' in each)
    line = json.dumps(named, ensure_ascii=False, separators=(",", ":"))
    async with proofs(browser, counter) as looking:
        assert "– Not judged" in await judged(looking.page, line)
        await judged(looking.page, whole)
        assert f"names: {named['text']}" in await judged(looking.page, line)
        assert "✗ Name" in await judged(looking.page, line.replace(named["text"], "Somebody else"))


async def test_the_browser_is_a_witness_of_what_it_saw_on_earlier_visits(counter: Counter, browser: Browser):
    """Two visits agree; a past that was changed in between is shown, and stays shown, with both notes."""
    older = (await receipts(counter))[0]
    async with proofs(browser, counter) as looking:
        page = looking.page
        said = await judged(page, older)
        assert "agrees with" in said or "for the first time" in said
        await visited(page)
        assert await page.locator(".alarm").count() == 0
        await page.evaluate(
            """() => {
              const said = JSON.parse(localStorage.getItem("hourbook-witness"));
              const trees = Object.values(said.trees)[0];
              trees.unshift({...trees[0], size: "1", root: "00".repeat(32)});
              trees[1].follows = false;
              localStorage.setItem("hourbook-witness", JSON.stringify(said));
            }"""
        )
        await visited(page)
        assert "does not contain the earlier one" in await page.inner_text(".alarm")
        await visited(page)
        assert await page.locator(".alarm pre").count() == 2
        await page.get_by_role("button", name="Forget everything").click()
        assert await page.locator(".alarm").count() == 0


async def test_a_checkpoint_is_judged_by_the_keys_of_the_ledger(counter: Counter, browser: Browser):
    async with counter.guarded.client(counter.guarded.keys[CUSTOMER]) as client:
        note = (await client.get("/v1/audit/checkpoint")).text
    async with proofs(browser, counter) as looking:
        assert "✓ Genuine" in await judged(looking.page, note)
        forged = note.replace("\ntime 20", "\ntime 19")
        assert "✗ Signature" in await judged(looking.page, forged)


async def test_a_browser_without_ed25519_says_that_it_cannot_judge(counter: Counter, browser: Browser):
    receipt = (await receipts(counter))[0]
    async with look(browser, Manner(lang="en"), counter.url, counter.sessions[CUSTOMER]) as looking:
        await looking.page.add_init_script(
            "crypto.subtle.importKey = async () => { throw new DOMException('', 'NotSupportedError') }"
        )
        await visited(looking.page)
        said = await judged(looking.page, receipt)
        assert "– Not judged" in said
        assert "cannot check signatures of Ed25519" in said


@pytest.mark.parametrize("lang", ["ru", "en"])
async def test_without_script_the_page_says_how_to_judge_a_receipt(counter: Counter, browser: Browser, lang: str):
    async with look(browser, Manner(script=False, lang=lang), counter.url, counter.sessions[CUSTOMER]) as looking:
        await looking.page.goto("/proofs")
        said = await looking.page.inner_text("main")
        assert "hourbook audit receipt" in said
        assert "verify.py --receipt" in said


async def test_a_receipt_is_downloaded_as_it_was_given_out(counter: Counter, browser: Browser):
    receipt = json.loads((await receipts(counter))[0])
    async with proofs(browser, counter) as looking:
        await looking.page.get_by_label("Customer (id)").fill(OWN)
        await looking.page.get_by_label("Key of the command").fill(receipt["command_id"])
        async with looking.page.expect_download() as download:
            await looking.page.keyboard.press("Enter")
        file = await (await download.value).path()
        assert json.loads(file.read_text("utf-8"))["lines"] == receipt["lines"]
