"""The SQL in the program's source, as it is sent: with the constants of its module in their places."""

import ast
import re
from pathlib import Path

SERVICES = Path(__file__).parents[3] / "services"
BEGINNING = re.compile(r"\s*(SELECT|INSERT|WITH|UPDATE|DELETE)\b")
TABLE = re.compile(r"\bledger\.\w+")
OF_ONE_SERVER = "operating/backup/"
"""What is asked of a server that is backed up whole; nodes of Citus are backed up by its own means."""


def statements_on(tables_elsewhere: set[str]) -> dict[str, str]:
    """Every statement on tables of the ledger but those, by where it stands; what is a part of another is not one."""
    found = {
        where: text
        for where, text in statements_in(SERVICES).items()
        if not where.startswith(OF_ONE_SERVER) and {*TABLE.findall(text)} - tables_elsewhere
    }
    whole = set(found.values())
    return {where: text for where, text in found.items() if not any(text in other for other in whole if text != other)}


def statements_in(folder: Path) -> dict[str, str]:
    """Every statement of the modules in a folder, by where it stands."""
    return {
        f"{file.relative_to(SERVICES)}:{line}": text
        for file in sorted(folder.rglob("*.py"))
        for line, text in _texts(ast.parse(file.read_text(encoding="utf-8")))
        if BEGINNING.match(text)
    }


def _texts(module: ast.Module) -> list[tuple[int, str]]:
    constants: dict[str, str] = {}
    for statement in module.body:
        match statement:
            case ast.Assign([ast.Name(name)], value=value) if (text := _text(value, constants)) is not None:
                constants[name] = text
    parts = {id(part) for each in ast.walk(module) if isinstance(each, ast.JoinedStr) for part in each.values}
    nodes = [each for each in ast.walk(module) if isinstance(each, ast.Constant | ast.JoinedStr)]
    read = [(each.lineno, _text(each, constants)) for each in nodes if id(each) not in parts]
    return [(line, text) for line, text in read if text is not None]


def _text(node: ast.AST, constants: dict[str, str]) -> str | None:
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(_text(part, constants) or "" for part in parts)
        case ast.FormattedValue(ast.Name(name)):
            return constants.get(name)
    return None
