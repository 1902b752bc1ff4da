"""A report that is shown: of a closed month only with the figures that were frozen (rule 10.1)."""

import logging

from asyncpg import Connection

from contracts.reports import MonthlyReport
from services.process.problem_responses import ProblemError
from services.projections.monthly_reports.frozen import differing_figures
from services.projections.monthly_reports.queries import Asked, report
from services.projections.read_models import SOON, Projections

logger = logging.getLogger(__name__)


async def checked_report(
    projections: Projections, connection: Connection, position: int, asked: Asked
) -> MonthlyReport:
    """The report, or `figures-differ`, which health reports until the figures are right again."""
    made = await report(connection, asked, position, projections.seller)
    if fault := differing_figures(made):

        async def still_differing(connection: Connection) -> str | None:
            return differing_figures(await report(connection, asked, position, projections.seller))

        projections.refused_documents[asked.account_id, asked.month] = still_differing
        logger.critical("%s The document is refused.", fault)
        raise ProblemError("figures-differ", fault, headers=SOON | {"Hourbook-Position": str(position)})
    return made
