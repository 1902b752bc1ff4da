"""Why each task cost what it cost: everything that happened to it, kept as it was recorded (rules 5, 6, 8)."""

from services.projections.following.tracking import REST_SECONDS, Projection
from services.projections.tasks.projection import project
from services.projections.tasks.schema import SCHEMA, TABLES

TASKS = Projection(name="tasks", schema=SCHEMA, tables=TABLES, project=project, rest_seconds=REST_SECONDS, version=5)
