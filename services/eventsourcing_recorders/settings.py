"""Where the tables are and how long anything may take, by the names of the library's own PostgreSQL module."""

from typing import Annotated, Literal, Self

from eventsourcing.utils import Environment
from pydantic import BaseModel, Field, ValidationError

Seconds = Annotated[float, Field(ge=0, le=86_400)]


class PostgresSettings(BaseModel):
    """An application that moves here from `eventsourcing.postgres` keeps its environment. Timeouts are in seconds."""

    database: str = Field(alias="POSTGRES_DBNAME")
    host: str = Field(alias="POSTGRES_HOST")
    port: int = Field(5432, alias="POSTGRES_PORT", gt=0, lt=65_536)
    user: str = Field(alias="POSTGRES_USER")
    password: str = Field(alias="POSTGRES_PASSWORD", repr=False)
    schema_name: str = Field("eventsourcing", alias="POSTGRES_SCHEMA")
    log_id: int = Field(0, alias="LOG_ID", ge=0, lt=2**31)
    originator_id_type: Literal["uuid", "text"] = Field("uuid", alias="ORIGINATOR_ID_TYPE")
    connections_kept: int = Field(5, alias="POSTGRES_POOL_SIZE", ge=0)
    connections_besides: int = Field(10, alias="POSTGRES_MAX_OVERFLOW", ge=0)
    connection_idle_seconds: Seconds = Field(600, alias="POSTGRES_CONN_MAX_AGE")
    connect_seconds: Seconds = Field(5, alias="POSTGRES_CONNECT_TIMEOUT", gt=0)
    lock_seconds: Seconds = Field(10, alias="POSTGRES_LOCK_TIMEOUT")
    statement_seconds: Seconds = Field(20, alias="POSTGRES_STATEMENT_TIMEOUT", gt=0)
    idle_in_transaction_seconds: Seconds = Field(5, alias="POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT")

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """An application's name may stand before each variable. OSError, as in the library, names what is wrong."""
        variables = [field.alias for field in cls.model_fields.values() if field.alias]
        given = {name: value for name in variables if (value := environment.get(name))}
        try:
            return cls.model_validate(given)
        except ValidationError as invalid:
            faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in invalid.errors())
            raise OSError(f"The environment does not say how to reach PostgreSQL. {'; '.join(faults)}") from None

    @property
    def connections_max(self) -> int:
        """At most so many connections are open at once."""
        return max(1, self.connections_kept + self.connections_besides)
