"""Events as a ledger wrote them, read without judging anew what it judged before it wrote them.

Types are held to; the bounds and forms of the contracts are not, which takes a third of the time.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from pydantic import BaseModel

from contracts.events import EVENT_TYPES, Event


def _reader(model: type[Event]) -> Callable[[str | msgspec.Raw], Event]:
    fields = [
        (name, field.annotation, *([] if field.is_required() else [field.default]))
        for name, field in model.model_fields.items()
    ]
    shape = msgspec.defstruct(model.__name__, fields, kw_only=True)
    decode = msgspec.json.Decoder(shape, dec_hook=_part).decode
    names = set(model.model_fields)

    def read(data: str | msgspec.Raw) -> Event:
        """As `model_construct` does it, for an event that has all its fields."""
        event = model.__new__(model)
        _put(event, "__dict__", msgspec.structs.asdict(decode(data)))
        _put(event, "__pydantic_fields_set__", names)
        _put(event, "__pydantic_extra__", None)
        _put(event, "__pydantic_private__", None)
        return event

    return read


def _part(model: type[BaseModel], value: Any) -> BaseModel:
    return model.model_validate(value)


_put = object.__setattr__

READERS = {name: _reader(model) for name, model in EVENT_TYPES.items()}
"""By the type that the envelope names."""
