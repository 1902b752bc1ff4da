"""Ids of events are given once, by whatever processes."""

import subprocess
import sys

FORKS = """
import os
from services.ledger.writing.submissions import new_id
for _ in range(3):
    if os.fork() == 0:
        print(new_id(), flush=True)
        os._exit(0)
    os.wait()
print(new_id())
"""


def test_processes_that_are_forks_of_one_give_ids_of_their_own():
    """As the parts of `up` are, and a part that is started again."""
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, check=True)
    assert len(set(done.stdout.split())) == 4
