"""What commands print is what was said: brackets of a name or a text are no markup."""

import pytest
from rich.table import Table

from services.process.terminal import console, say

HOSTILE = "[/x] [red]Настройка[/red] [link=https://elsewhere.example]"


def test_a_sentence_and_a_cell_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]):
    table = Table("name", width=120)
    table.add_row(HOSTILE)
    console.print(table, width=120)
    say(HOSTILE)
    printed = capsys.readouterr()
    assert HOSTILE in printed.out
    assert HOSTILE in printed.err
