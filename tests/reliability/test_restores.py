"""One restore of `make campaign-restores`."""

import asyncio
from pathlib import Path

import pytest

from infra.data_folder import free_port
from services.operating.up import another_service, running
from tests.conftest import reachable_folder
from tests.reliability.restores import Restores

PAUSE_SECONDS = 0.2
"""Clients that leave the processor to the parts: in the campaign they do not."""


@pytest.mark.timeout(900)
def test_what_a_restore_has_lost_is_listed_and_everything_else_goes_on(tmp_path: Path):
    with (
        reachable_folder() as folder,
        running(folder / "data", free_port()) as hourbook,
        another_service(hourbook, free_port()) as other,
    ):
        restores = Restores(hourbook, other, folder / "data", folder / "saved", PAUSE_SECONDS)
        assert asyncio.run(restores.put_back(lambda: 0.0, papers=tmp_path))
