"""`make campaign-schemathesis`: whatever is asked, no answer is a failure, and every answer is as OpenAPI says.

It runs Schemathesis, which has an environment of its own, on real processes that have played a part of the sample.
"""

import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import httpx

from infra.data_folder import free_port
from services.operating.up import running

PLAYED_LINES = 300
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
SAMPLE = Path(__file__).parents[2] / "infra" / "sample" / "commands.ndjson"
CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance,no_failure"


def main(schemathesis: str, examples: int) -> int:
    """The exit code of the campaign."""
    with tempfile.TemporaryDirectory(prefix="hourbook-") as name:
        Path(name).chmod(0o711)
        with running(Path(name), free_port(), sandbox=True) as hourbook:
            with SAMPLE.open("rb") as lines:
                played = b"".join(islice(lines, PLAYED_LINES))
            httpx.post(f"{hourbook.url}/v1/commands", content=played, timeout=60, trust_env=False).raise_for_status()
            line = [
                str(Path(schemathesis).absolute()), "run", f"{hourbook.url}/openapi.json", "--checks", CHECKS,
                "--phases", "examples,fuzzing", "--max-examples", str(examples), "--continue-on-failure",
                "--request-timeout", "20", "--no-color", "--exclude-path", "/v1/alerts/stream",
                "--exclude-path", "/v1/commands", "--suppress-health-check", "all", "--warnings", "off",
            ]  # fmt: skip
            environment = os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)}
            return subprocess.run(line, check=False, cwd=name, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
