"""Where both sides sign a workbook."""

from collections.abc import Mapping, Sequence

from xlsxwriter.worksheet import Worksheet

from contracts.reports import Party
from services.documents.sheets import Book, height_of

_TO_SIGN = 8
"""Points above a line for the hand that signs."""


def sign(
    book: Book,
    sheet: Worksheet,
    row: int,
    parties: tuple[Party, Party],
    places: Mapping[str, tuple[int, int]],
    widths: Sequence[float],
) -> None:
    """Position, signature and name of each person who signs; blank lines for what is not known.

    `parties`: seller and customer; `places`: the first and last column of each role. Both sides stand in the same rows,
    each as high as the longer text needs.
    """
    words = book.formats.words
    sides = [_signatory(book, role, party) for role, party in zip(places, parties, strict=True)]
    for number, both in enumerate(zip(*sides, strict=True), row):
        heights: list[float] = []
        for (first, last), (text, style) in zip(places.values(), both, strict=True):
            book.block(sheet, number, first, last, text, style)
            heights.append(height_of(text, sum(widths[first : last + 1])))
        sheet.set_row(number, max(heights) + (_TO_SIGN if both[0][1] == "signature" else 0))
    for first, last in places.values():
        book.block(sheet, row + len(sides[0]), first, last, words["stamp"], "caption")


def _signatory(book: Book, role: str, party: Party) -> list[tuple[str, str]]:
    """What stands on one side, line by line, and how."""
    words = book.formats.words
    authority = f"{words['authority']}: {party.signatory_authority}" if party.signatory_authority else ""
    lines = [(f"{words[role]}: {party.name}", "strong"), (authority, "quiet")]
    for caption, known in (("position", party.signatory_position), ("signature", None), ("name", party.signatory_name)):
        lines += [(known or "", "signature"), (words[caption], "caption")]
    return lines
