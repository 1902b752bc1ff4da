"""Typst, with the fonts that come as wheels: the same bytes on every machine."""

import json
import logging
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typst

from services.documents.formats import printable

logger = logging.getLogger(__name__)

_TEMPLATES = Path(__file__).parent
FONT_PACKAGES = ("fontpkg_pt_sans", "manimgx_fonts", "manimgx_fonts_cjk")
"""PT Sans; Noto for emoji and other scripts; Noto for Chinese, Japanese and Korean."""

_LONG = 100_000
"""Characters of data: a report of about two hundred tasks."""


def pdf(template: str, document: Mapping[str, Any]) -> bytes:
    """The document set by a template. Data reach it as JSON, so that no text in them is ever markup."""
    data = json.dumps(_with_printable_texts(document), ensure_ascii=False)
    made = _compiled(str(_TEMPLATES / template), {"document": data})
    if len(data) > _LONG:
        _forget()
    return made


def _compiled(template: str | bytes, inputs: dict[str, str]) -> bytes:
    return typst.compile(
        template, root=str(_TEMPLATES), font_paths=_fonts(), sys_inputs=inputs, format="pdf", timestamp=0
    )


def _forget() -> None:
    """Typst keeps what it laid out for its next ten documents: hundreds of megabytes, after a few long ones."""
    for _ in range(11):
        _compiled(b" ", {})


@cache
def _fonts() -> typst.Fonts:
    """Those of the packages that are installed; nothing of the machine's own.

    Where a package is missing, typst sets its own fonts instead: they have Cyrillic and Latin, but other scripts are
    boxes.
    """
    places: list[str] = []
    for package in FONT_PACKAGES:
        if found := find_spec(package):
            places += found.submodule_search_locations or []
        else:
            logger.warning("the font package %s is not installed: documents are set without its fonts", package)
    return typst.Fonts(include_system_fonts=False, font_paths=places)


def _with_printable_texts(value: Any) -> Any:
    """The data with every text in them as documents show it."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: _with_printable_texts(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_printable_texts(inner) for inner in value]
    return value
