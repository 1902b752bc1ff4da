"""Typst, with the fonts that come as wheels: the same bytes on every machine."""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typst

from services.documents.formats import printable

_TEMPLATES = Path(__file__).parent
_FONT_PACKAGES = ("fontpkg_pt_sans", "manimgx_fonts")
_UNBROKEN = re.compile(r"([\w/.,:;?&=%#+~@-]{18})(?=[\w/.,:;?&=%#+~@-])")
_ZERO_WIDTH_SPACE = "\u200b"
_LONG = 100_000
"""Characters of data: a report of about two hundred tasks."""


def pdf(template: str, document: Mapping[str, Any]) -> bytes:
    """The document set by a template. Data reach it as JSON, so that no text in them is ever markup."""
    data = json.dumps(_settable(document), ensure_ascii=False)
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
    """PT Sans, and Noto for emoji and other scripts; nothing of the machine's own."""
    places = (find_spec(package).submodule_search_locations for package in _FONT_PACKAGES)
    return typst.Fonts(include_system_fonts=False, font_paths=[place for found in places for place in found])


def _settable(value: Any) -> Any:
    """Every text printable, and a word of any length able to break at the edge of a cell."""
    if isinstance(value, str):
        return _UNBROKEN.sub(rf"\1{_ZERO_WIDTH_SPACE}", printable(value))
    if isinstance(value, Mapping):
        return {key: _settable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_settable(inner) for inner in value]
    return value
