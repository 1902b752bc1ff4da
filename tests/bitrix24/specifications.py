"""The vendor's specifications of the portal's methods, where they are at hand; what disagrees with them is named.

BITRIX24_SPECIFICATIONS names the folder, with `methods/<name>.json`; without it one beside the project is taken.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from services.bitrix24.portal_records import camel

FOLDER = Path(os.environ.get("BITRIX24_SPECIFICATIONS", Path(__file__).parents[3] / "shared" / "bitrix24"))
AT_HAND = (FOLDER / "methods").is_dir()
_OPERATOR = re.compile(r"^[!<>=%@]+")
_TYPES = {
    "integer": (int, str),
    "int": (int, str),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
    "boolean": (bool,),
}


@cache
def specification(method: str) -> Mapping[str, Any]:
    """What the vendor says of a method."""
    return json.loads((FOLDER / "methods" / f"{method}.json").read_text(encoding="utf-8"))


def unlike_request(method: str, params: Mapping[str, Any]) -> Iterator[str]:
    """What the specification does not know, or wants in another order or type."""
    if method == "batch":
        return
    told = {each["name"]: each for each in specification(method)["params"]}
    unknown = params.keys() - told.keys()
    yield from (f"{method}: unknown parameter {name}" for name in sorted(unknown))
    if [name for name in told if name in params] != [name for name in params if name in told]:
        yield f"{method}: the parameters are in another order: {list(params)}"
    for name in params.keys() & told.keys():
        types = (*_TYPES[told[name]["type"]], *((dict,) if (method, name) == ("user.get", "FILTER") else ()))
        if not isinstance(params[name], types):
            yield f"{method}: {name} is {type(params[name]).__name__}, not {told[name]['type']}"
        yield from _unlike_parts(method, told[name], params[name])
    required = {each["name"] for each in told.values() if each["required"] is True}
    yield from (f"{method}: {name} is missing" for name in sorted(required - params.keys()))


def _unlike_parts(method: str, told: Mapping[str, Any], given: Any) -> Iterator[str]:
    """Names inside of an object: those of its table, else those that answers have in camel case."""
    if not isinstance(given, dict):
        return
    if "ref" in told:
        table = specification(method)["defs"][told["ref"].rpartition("/")[2]]
        names = {field["name"] for field in table["fields"]}
        known = [name for name in given if _OPERATOR.sub("", name) not in names]
        yield from (f"{method}: {told['name']} has no {name}" for name in known)
    elif told["name"] in {"filter", "order"} and "entityFields" in specification(method):
        fields = {field.lower() for field in specification(method)["entityFields"]}
        for name in given:
            if camel(_OPERATOR.sub("", name)).lower() not in fields:
                yield f"{method}: {told['name']} has no {name}"


def unlike_answer(method: str, result: Any) -> Iterator[str]:
    """Where an answer's records have what the example has not, or in another type."""
    told = specification(method)
    if "resultExample" not in told:
        return
    examples, given = (list(_records(part)) for part in (told["resultExample"]["result"], result))
    known = {name: value for example in examples for name, value in example.items()}
    fields = set(told.get("entityFields", ()))
    for record in given:
        for name, value in record.items():
            if name not in known and name not in fields and not name.lower().startswith("uf"):
                yield f"{method}: the example has no {name}"
            elif _told(known.get(name)) and _told(value) and type(value) is not type(known[name]):
                yield f"{method}: {name} is {value!r}, in the example {known[name]!r}"


def _told(value: Any) -> bool:
    """Whether a value says what it is: the portal writes an empty one in several ways."""
    return value not in (None, "", [], False)


def _records(result: Any) -> Iterator[Mapping[str, Any]]:
    """The records of a result: a list, or a list inside of an object; a plain value has none."""
    if isinstance(result, dict):
        result = next((part for part in result.values() if isinstance(part, list)), [])
    yield from (each for each in result if isinstance(each, dict)) if isinstance(result, list) else ()
