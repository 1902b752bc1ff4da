"""What messages say, and a seller's own texts: filled in, or refused with the line named."""

from pathlib import Path

import pytest

from services.billing.sending.texts import DEFAULTS, texts
from services.process.operator_error import OperatorError

VALUES = {
    "customer": "ООО «Ромашка»", "seller": "ООО «Часы»", "contract_number": "17/24", "contract_date": "1 марта 2024 г.",
    "month": "март 2026 года", "documents": "— Акт № 17/24-2026-03",
}  # fmt: skip


def refusals(file: Path, written: str) -> tuple[str, ...]:
    file.write_text(written, encoding="utf-8")
    with pytest.raises(OperatorError) as refused:
        texts(file)
    return tuple(sentence.partition(", ")[2].partition(", ")[2] for sentence in refused.value.sentences)


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_what_comes_with_hourbook_is_whole_in_each_language(lang):
    subject, body = DEFAULTS[lang].written(VALUES, signing=True, replacement=True)

    assert "17/24" in subject
    assert VALUES["documents"] in body
    assert DEFAULTS[lang].signing in body
    assert DEFAULTS[lang].replacement in body
    assert "{" not in subject + body


def test_a_paragraph_that_is_not_wanted_leaves_no_gap():
    _, body = DEFAULTS["ru"].written(VALUES, signing=False, replacement=False)

    assert "\n\n\n" not in body
    assert DEFAULTS["ru"].signing not in body


def test_a_seller_changes_what_it_wants_and_leaves_the_rest(tmp_path):
    file = tmp_path / "texts.toml"
    file.write_text('[ru]\nsubject = "Закрывающие за {month}"\n', encoding="utf-8")

    read = texts(file)

    assert read["ru"].written(VALUES, signing=True, replacement=False)[0] == "Закрывающие за март 2026 года"
    assert read["ru"].body == DEFAULTS["ru"].body
    assert read["en"] == DEFAULTS["en"]


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ('[ru]\nsubject = "{mouth}"\n', 2, "{mouth}"),
        ('[en]\nsubject = "a"\n\nbody = """\n{documents}\n{total}\n"""\n', 6, "{total}"),
        ('[ru]\nsubject = "{month}"\n[en]\nsubject = "{month!r}"\n', 4, "{month!r}"),
        ('[ru]\nsubject = "{month:>10}"\n', 2, "{month:>10}"),
        ('[ru]\nsubject = "{}"\n', 2, "{}"),
        ('[ru]\nsubject = "{month.__class__}"\n', 2, "{month.__class__}"),
        ('[ru]\nsubject = "{month"\n', 2, "brace"),
        ('[ru]\nsubject = "  "\n', 2, "one line"),
        ('[ru]\nsubject = """a\nb"""\n', 2, "one line"),
        ('[ru]\nsubject = 1\n', 2, "quotation marks"),
        ('[ru]\n\nbody = "no list"\n', 3, "{documents}"),
        ('[ru]\nsigning = "{documents}"\n', 2, "{documents}"),
        ('[ru]\n# a remark\ntitle = "x"\n', 3, "is not known"),
        ('[ru]\nsubject = "a"\n[de]\nsubject = "b"\n', 3, "no language"),
        ('ru = "a"\n', 1, "write [ru]"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_line(tmp_path, written, line, said):
    (sentence,) = refusals(tmp_path / "texts.toml", written)

    assert sentence.startswith(f"line {line}: ")
    assert said in sentence


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    found = refusals(tmp_path / "texts.toml", '[ru]\nsubject = "{a}"\n[en]\nsubject = "{b}"\n')

    assert [sentence[:7] for sentence in found] == ["line 2:", "line 4:"]


def test_a_customers_name_with_braces_is_no_placeholder():
    subject, body = DEFAULTS["ru"].written({**VALUES, "customer": "{seller}"}, signing=False, replacement=False)

    assert "заказчик: {seller}." in body
    assert subject
