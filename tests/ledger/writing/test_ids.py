"""Ids of events and of requests are given once, by whatever processes."""

import subprocess
import sys

import pytest

FORKS = """
import os
from services.ledger.writing.submissions import new_id
from services.process.request_id import request_id
{given}
for _ in range(3):
    if os.fork() == 0:
        print({given}, flush=True)
        os._exit(0)
    os.wait()
print({given})
"""


@pytest.mark.parametrize("given", ["new_id()", "request_id({})"])
def test_processes_that_are_forks_of_one_give_ids_of_their_own(given: str):
    """As the parts of `up` are, and a part that is started again."""
    line = [sys.executable, "-c", FORKS.replace("{given}", given)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert len(set(done.stdout.split())) == 4
