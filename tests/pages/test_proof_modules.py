"""The verifier in the browser: what it says of true and of changed receipts is what verify.py says."""

import base64
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Page, Route

from services import pages
from services.auditing.handed_out import verify
from tests.auditing.paper_log import LEDGER_ID, Signer
from tests.pages.alone import offline_page
from tests.pages.mutated_receipts import CHANGES, NEUTRAL, STRANGER, Change, meaning
from tests.pages.paper_receipts import Tree, all_receipts, history

MODULES = Path(*pages.__path__) / "static" / "proofs"
ADDRESS = "https://hourbook.test"
CAMPAIGN = os.environ.get("HYPOTHESIS_PROFILE") == "campaign"
MUTATIONS = 1200 if CAMPAIGN else 300
STEP = 1 if CAMPAIGN else 7
"""Through the true receipts, those of all commands of both samples: the campaign looks at each of them."""
JUDGE_ALL = """async ({receipts, held}) => {
  const { judgeReceipt } = await import("/receipt.js");
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const found = [];
  for (const receipt of receipts) found.push((await judgeReceipt(bytes(receipt), held)).judgement.holds);
  return found;
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of Chromium that has the modules, and no network."""

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(f"{ADDRESS}/")
        if name:
            route.fulfill(path=MODULES / name, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")

    with offline_page() as opened:
        opened.route("**/*", answer)
        opened.goto(f"{ADDRESS}/")
        yield opened


def in_browser(page: Page, receipts: list[str], held: dict[str, list[str]] | None = None) -> list[bool | None]:
    """Its verdicts, all in one call."""
    encoded = [base64.b64encode(text.encode("utf-8", "surrogateescape")).decode() for text in receipts]
    return page.evaluate(JUDGE_ALL, {"receipts": encoded, "held": held or {}})


def by_verify(folder: Path, receipts: list[str]) -> list[bool]:
    """The verdicts of verify.py."""
    return [is_genuine(folder, text) for text in receipts]


def is_genuine(folder: Path, text: str) -> bool:
    """As `verify.py --receipt FILE` decides it."""
    file = folder / "receipt.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    try:
        verify.Receipt.parse(file).check([])
    except (*verify.UNREADABLE, verify.Wrong):
        return False
    return True


def changed(changes: tuple[Change, ...], count: int) -> list[tuple[str, str, str]]:
    """Name, true receipt, and what one of the changes, each in its turn, makes of it: never the same twice."""
    random, seen, found = Random(14), set(all_receipts()), []
    while len(found) < count:
        change = changes[len(found) % len(changes)]
        receipt = random.choice(all_receipts())
        try:
            text = change(receipt, random)
        except (IndexError, ValueError):  # such as paths to exchange where there is one alone
            continue
        if text not in seen:
            seen.add(text)
            found.append((change.__name__, receipt, text))
    return found


def test_every_true_receipt_is_shown_as_true(page: Page, tmp_path: Path):
    receipts = list(all_receipts())[::STEP]
    assert len(receipts) > 1000 // STEP
    assert Counter(in_browser(page, receipts)) == {True: len(receipts)}
    assert all(by_verify(tmp_path, receipts))


def test_mutations_are_shown_as_false(page: Page, tmp_path: Path):
    mutations = changed(CHANGES, MUTATIONS)
    texts = [text for _, _, text in mutations]
    verdicts, expected = in_browser(page, texts), by_verify(tmp_path, texts)
    assert [each for each, said, right in zip(mutations, verdicts, expected, strict=True) if said != right] == []
    true = [(name, receipt, text) for (name, receipt, text), said in zip(mutations, verdicts, strict=True) if said]
    assert [(name, text) for name, receipt, text in true if meaning(text) != meaning(receipt)] == []
    assert len(mutations) - len(true) >= MUTATIONS * 5 // 6


def test_what_changes_nothing_of_the_meaning_stays_true(page: Page, tmp_path: Path):
    variants = changed(NEUTRAL, 120)
    texts = [text for _, _, text in variants]
    assert [name for name, receipt, text in variants if meaning(text) != meaning(receipt)] == []
    assert Counter(in_browser(page, texts)) == {True: len(texts)}
    assert all(by_verify(tmp_path, texts))


def test_a_receipt_of_another_key_than_the_one_that_is_held_is_false(page: Page):
    """What a browser kept of a ledger's keys is what a later receipt of that ledger has to go back to."""
    receipt = all_receipts()[0]
    own, stranger = (base64.b64encode(signer.public).decode() for signer in (Signer.of(1), STRANGER))
    assert in_browser(page, [receipt], {LEDGER_ID: [own]}) == [True]
    assert in_browser(page, [receipt], {LEDGER_ID: [stranger]}) == [False]
    assert in_browser(page, [receipt], {"another-ledger": [stranger]}) == [True]


def test_trees_that_begin_with_another_and_trees_that_do_not(page: Page):
    """Each proof of consistency holds for its trees, and for none in which a leaf, a size or the path is other."""
    leaves = [row.leaf() for row in history("the whole trade").rows[:70]]
    tree, forged = Tree(leaves), Tree([bytes(32), *leaves[1:]])
    pairs = [(old, new) for new in (1, 2, 3, 7, 8, 33, 64, 70) for old in range(1, new + 1)]
    asked = [
        {
            "old": {"size": old, "root": first.root(0, old).hex()},
            "new": {"size": new, "root": second.root(0, new).hex()},
            "path": path(tree.consistency(old, new)),
        }
        for old, new in pairs
        for first, second, path in (
            (tree, tree, list),
            (forged, tree, list),
            (tree, forged, list),
            (tree, tree, lambda path: [*path, "00" * 32]),
            (tree, tree, lambda path: path[:-1] if path else ["00" * 32]),
        )
    ]  # fmt: skip
    verdicts = page.evaluate(
        """async (asked) => {
          const { requireConsistent } = await import("/tree.js");
          const { fromHex } = await import("/bytes.js");
          const tree = ({size, root}) => ({size: BigInt(size), root: fromHex(root)});
          return Promise.all(asked.map(({old, new: young, path}) =>
            requireConsistent(tree(old), tree(young), path.map(fromHex)).then(() => true, () => false)));
        }""",
        asked,
    )
    assert verdicts == [True, False, False, False, False] * len(pairs)


def test_the_examples_of_the_format(page: Page):
    line = (
        '{"position":1,"event_id":"00000000-0000-4000-8000-000000000001","account_id":"a","version":1,"command_id":"k",'
        '"fingerprint":"ff","type":"WorkResumed","schema_version":1,"recorded_at":"1970-01-01T00:00:01.000002Z","data":{}}'
    )
    found = page.evaluate(
        """async (text) => {
          const { leafData, leafHash, readLine } = await import("/line.js");
          const { toHex, utf8 } = await import("/bytes.js");
          const { committed } = await import("/name.js");
          const line = readLine(text), salt = Uint8Array.from({length: 16}, (_, n) => n * 17);
          const names = ["sha256-2:", "sha256:"].map((form) => committed(form, salt, utf8("Anna")));
          return [leafData(0n, line).length, toHex(await leafHash(0n, line)), ...(await Promise.all(names))];
        }""",
        line,
    )
    format_page = Path(verify.__file__).with_name("FORMAT.md").read_text("utf-8")
    assert found[0] == 128
    assert all(hash_.removeprefix("sha256-2:") in format_page for hash_ in found[1:])


def test_numbers_past_what_a_float_holds_are_hashed_as_they_stand(page: Page):
    """Lines that differ in the last digit of a long number have leaves of their own, those of verify.py."""
    row = history("the whole trade").rows[0]
    lines = [
        replace(row, data=f'{{"minutes":{number},"reason":"\\u00e9\\/é \\ud83d\\ude00"}}').line().decode()
        for number in ("9007199254740992", "9007199254740993")
    ]
    leaves = page.evaluate(
        """async (lines) => {
          const { leafHash, readLine } = await import("/line.js");
          const { toHex } = await import("/bytes.js");
          return Promise.all(lines.map(async (line) => toHex(await leafHash(0n, readLine(line)))));
        }""",
        lines,
    )
    parsed = [verify.Line.parse(line.encode()) for line in lines]
    assert leaves == [verify.leaf_hash(0, line, line.position).hex() for line in parsed]
    assert len(set(leaves)) == 2
