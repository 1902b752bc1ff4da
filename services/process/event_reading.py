"""Events as a ledger wrote them, read without judging anew what it judged before it wrote them.

Types are held to; the bounds and forms of the contracts are not, which takes a third of the time.
"""

from collections.abc import Callable
from typing import Any, cast

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts.events import EVENT_TYPES, Event


def reader(model: type[Event]) -> Callable[[str | msgspec.Raw], Event]:
    """Reads the data of one type of event; TypeError for a field that pydantic would read in another way."""
    fields = [(name, field.annotation, *_default(name, field)) for name, field in model.model_fields.items()]
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


def _default(name: str, field: FieldInfo) -> tuple[Any, ...]:
    """What stands for a field that is absent; nothing for one that has to be there."""
    if field.validation_alias or field.default_factory_takes_validated_data:
        raise TypeError(f"{name}: an event is read by the names of its fields, each by itself")
    if field.is_required():
        return ()
    if field.default_factory is not None:
        return (msgspec.field(default_factory=cast("Callable[[], Any]", field.default_factory)),)
    return (field.default,)


def _part(model: type[BaseModel], value: Any) -> BaseModel:
    return model.model_validate(value)


_put = object.__setattr__

READERS = {name: reader(model) for name, model in EVENT_TYPES.items()}
"""By the type that the envelope names."""
