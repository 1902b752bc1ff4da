"""The program `hourbook`, run as an operator runs it."""

import os
import subprocess
import sys
from pathlib import Path


def program(*arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """What it printed, and its exit code; `settings` are added to the environment."""
    line = [sys.executable, "-m", "services", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=200, env=os.environ | settings)
