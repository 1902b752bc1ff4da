"""The portal's tasks, read with all that belongs to them, and judged by the terms that the ledger goes by."""

from collections.abc import Sequence

import httpx
from pydantic import TypeAdapter

from contracts.terms import TermsVersion
from services.bitrix24.judgement import Judgement, judged, people_named
from services.bitrix24.portal import Portal
from services.bitrix24.portal_tasks import PortalTask, people, work_on
from services.bitrix24.settings import Connector
from services.process.address import document

_VERSIONS = TypeAdapter(tuple[TermsVersion, ...])


async def judgements(
    portal: Portal, hourbook: httpx.AsyncClient, connector: Connector, tasks: Sequence[PortalTask]
) -> dict[int, Judgement | None]:
    """What each task is to the ledger, by its number; PortalFault where anything could not be read."""
    works = await work_on(portal, tasks)
    known = await people(portal, {each for work in works for each in people_named(work)})
    terms = _VERSIONS.validate_python(document(await hourbook.get("/v1/terms"))["versions"])
    return {work.task.id: judged(work, connector, known, terms) for work in works}
