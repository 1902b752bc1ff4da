"""The program `hourbook`, run as an operator runs it."""

import subprocess
import sys
from pathlib import Path


def program(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What it printed, and its exit code."""
    line = [sys.executable, "-m", "services", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=200)
