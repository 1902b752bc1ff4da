"""What messages say: subject and text in both languages, which the seller may change by a TOML file."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from services.documents import Lang
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.toml_lines import line_with

VARIABLE = "HOURBOOK_MAIL_TEXTS_FILE"
TEXT_LENGTH_MAX = 20_000
PLACEHOLDERS = frozenset({"customer", "seller", "contract_number", "contract_date", "month"})
OF_THE_BODY = PLACEHOLDERS | {"documents", "signing", "replacement"}
_BLANK_LINES = re.compile(r"\n{3,}")


def _required(text: str, allowed: frozenset[str]) -> str:
    """The text, if it can be filled in; ValueError names the first thing that is wrong with it."""
    if len(text) > TEXT_LENGTH_MAX:
        raise ValueError(f"is longer than {TEXT_LENGTH_MAX} characters: shorten it")
    try:
        fields = [field for field in Formatter().parse(text) if field[1] is not None]
    except ValueError:
        raise ValueError("has a brace without its other: write {{ and }} for braces that are meant as such") from None
    for _, name, form, conversion in fields:
        if name not in allowed or form or conversion:
            shown = f"{{{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}}}"
            raise ValueError(f"has {shown}: use {', '.join(f'{{{each}}}' for each in sorted(allowed))}")
    return text


def _subject(text: str) -> str:
    if "\n" in text.strip("\n") or not text.strip():
        raise ValueError("is to be one line that is not empty")
    return _required(text.strip(), PLACEHOLDERS)


def _body(text: str) -> str:
    if "{documents}" not in text:
        raise ValueError("lacks {documents}, the list of what is attached: write it where the list is to stand")
    return _required(text, OF_THE_BODY)


def _paragraph(text: str) -> str:
    return _required(text.strip(), PLACEHOLDERS)


class Texts(BaseModel):
    """What a message says in one language.

    `signing` stands in the text where an act is attached, `replacement` where documents replace earlier ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Annotated[str, AfterValidator(_subject)]
    body: Annotated[str, AfterValidator(_body)]
    signing: Annotated[str, AfterValidator(_paragraph)]
    replacement: Annotated[str, AfterValidator(_paragraph)]

    def written(self, values: Mapping[str, str], *, signing: bool, replacement: bool) -> tuple[str, str]:
        """Subject and text with `values` filled in; `values` has every placeholder but the two paragraphs."""
        paragraphs = {
            "signing": self.signing.format_map(values) if signing else "",
            "replacement": self.replacement.format_map(values) if replacement else "",
        }
        body = self.body.format_map({**values, **paragraphs})
        return " ".join(self.subject.format_map(values).split()), _BLANK_LINES.sub("\n\n", body.strip()) + "\n"


DEFAULTS: Mapping[Lang, Texts] = {
    "ru": Texts(
        subject="Документы за {month} по договору № {contract_number}",
        body="""\
Здравствуйте!

Направляем документы за {month} по договору № {contract_number} от {contract_date}, заказчик: {customer}.

{documents}

{replacement}

{signing}

С уважением,
{seller}
""",
        signing="Просим подписать акт и вернуть нам один экземпляр.",
        replacement="Эти документы заменяют направленные ранее: месяц открывали для исправлений и закрыли заново.",
    ),
    "en": Texts(
        subject="Documents for {month} under contract No. {contract_number}",
        body="""\
Hello,

here are the documents for {month} under contract No. {contract_number} of {contract_date}, customer: {customer}.

{documents}

{replacement}

{signing}

Kind regards,
{seller}
""",
        signing="Please sign the act and return one copy to us.",
        replacement="They replace the documents sent before: the month was reopened for corrections and closed again.",
    ),
}


def texts(file: Path | None) -> Mapping[Lang, Texts]:
    """The texts of each language: what the file says, and what comes with Hourbook where it says nothing.

    OperatorError names the line of whatever does not fit.
    """
    if file is None:
        return DEFAULTS
    written = file.read_text(encoding="utf-8")
    given = tomllib.loads(written)
    wrong = [
        f"line {line_with(written, _table(name))}: {name} is no language with its texts: write [ru] and [en]"
        for name, said in given.items()
        if name not in DEFAULTS or not isinstance(said, dict)
    ]
    read: dict[Lang, Texts] = {}
    for lang, default in DEFAULTS.items() if not wrong else ():
        try:
            read[lang] = Texts.model_validate(default.model_dump() | given.get(lang, {}))
        except ValidationError as misfit:
            wrong += [_sentence(written, lang, error) for error in misfit.errors()]
    if wrong:
        raise OperatorError(*(f"{VARIABLE}, {file}, {each}." for each in wrong), exit_code=CANNOT_START)
    return read


def _sentence(written: str, lang: str, error: Mapping[str, Any]) -> str:
    key = str(error["loc"][0])
    said = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        said = f"is not known: use {', '.join(Texts.model_fields)}"
    elif error["type"] == "string_type":
        said = "is to be a text in quotation marks"
    placeholder = re.match(r"has (\{[^}]*\})", said)
    inside = [re.escape(placeholder[1])] if placeholder else []
    line = line_with(written, _table(lang), rf"^\s*{re.escape(key)}\s*=", *inside)
    return f"line {line}: {key} {said}"


def _table(name: str) -> str:
    return rf"^\s*(\[\s*{re.escape(name)}\b|{re.escape(name)}\b.*=)"
