"""The exchange format of 1C, version 1.03, by which banks hand out statements: lines of `name=value` in sections.

What is wrong is named by its line, with what to do about it; a file with anything wrong is refused as a whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MARK = "1CClientBankExchange"
VERSION_NAME, VERSION = "ВерсияФормата", "1.03"
ENCODING_NAME, ACCOUNT_NAME = "Кодировка", "РасчСчет"
DOCUMENT, BALANCES, END = "СекцияДокумент", "СекцияРасчСчет", "КонецФайла"
LINE_LENGTH_MAX = 4_000

ENCODINGS = {"utf-8-sig": {"Windows", "DOS", "UTF-8", "UTF8"}, "cp1251": {"Windows"}, "cp866": {"DOS"}}
"""How a text may be encoded, and what its line of that name may say then: who writes UTF-8 leaves the old word."""

_END_OF = {DOCUMENT: "КонецДокумента", BALANCES: "КонецРасчСчет"}
_TWICE = frozenset({ACCOUNT_NAME, "Документ"})
"""A file may be of several accounts, and of several kinds of documents."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Misfit:
    """What does not fit on a line, and what would."""

    line: int
    remedy: str


class StatementRefused(Exception):
    """The statement does not fit; `misfits` are the first things that are wrong with it."""

    def __init__(self, *misfits: Misfit) -> None:
        super().__init__("; ".join(f"line {misfit.line}: {misfit.remedy}" for misfit in misfits))
        self.misfits = misfits


@dataclass(frozen=True)
class Section:
    """A part of the file: where it begins, of what kind it is, the head of none, and each value with its line."""

    line: int
    kind: str
    fields: dict[str, tuple[int, str]]

    def value(self, name: str) -> str:
        """What stands there; nothing where the section has no such line."""
        return self.fields.get(name, (0, ""))[1]

    def line_of(self, name: str) -> int:
        """Where that stands; of what is missing, where the section begins."""
        return self.fields.get(name, (self.line, ""))[0]


def refuse_unless(fits: bool, line: int, remedy: str) -> None:
    """StatementRefused with that line and remedy, unless it fits."""
    if not fits:
        raise StatementRefused(Misfit(line, remedy))


def lines_of(content: bytes) -> list[str]:
    """The lines in the encoding in which the file is readable; none is readable in two of them."""
    for encoding, words in ENCODINGS.items():
        try:
            text = content.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
        if said := re.search(rf"^{ENCODING_NAME}=(.*?)[ \t]*$", text, re.MULTILINE):
            remedy = f"{ENCODING_NAME}: the text is in another one than is said: export it anew"
            refuse_unless(said[1].strip() in words, text.count("\n", 0, said.start()) + 1, remedy)
            return text.split("\n")
    form = f"in the format {MARK} {VERSION}, with a line {ENCODING_NAME}, in Windows, DOS or UTF-8"
    raise StatementRefused(Misfit(1, f"export a statement {form}"))


def sections(lines: list[str]) -> Iterator[Section]:
    """The head, then each section; StatementRefused where they do not fit."""
    refuse_unless(lines[0].strip() == MARK, 1, f"begin the statement with the line {MARK}")
    current, head_is_over = Section(1, "", {}), False
    for number, line in _filled(lines):
        name, is_pair, value = (part.strip() for part in line.partition("="))
        if name in (END, *_END_OF):
            refuse_unless(not current.kind, number, f"end the section of line {current.line} first")
            if not head_is_over:
                yield current
            if name == END:
                refuse_unless(not any(each.strip() for each in lines[number:]), number, f"nothing stands after {END}")
                return
            current, head_is_over = Section(number, name, {}), True
        elif name in _END_OF.values():
            refuse_unless(_END_OF.get(current.kind) == name, number, f"{name} ends nothing here: remove it")
            yield current
            current = Section(number, "", {})
        else:
            refuse_unless(bool(is_pair and name), number, "give a name, the sign = and a value")
            refuse_unless(bool(current.kind) or not head_is_over, number, "this line stands in no section")
            refuse_unless(
                name not in current.fields or name in _TWICE, number, f"{name[:40]} stands there already: give it once"
            )
            current.fields[name] = (number, value)
    raise StatementRefused(Misfit(len(lines), f"the statement is cut off: it has no line {END}"))


def _filled(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Every line behind the first that has something on it, and its number."""
    for number, line in enumerate(lines[1:], 2):
        refuse_unless(len(line) <= LINE_LENGTH_MAX, number, f"the line has more than {LINE_LENGTH_MAX} characters")
        refuse_unless(not _CONTROL.search(line), number, "remove the control characters")
        if line.strip():
            yield number, line.strip()
