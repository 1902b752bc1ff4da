"""`make campaign-schemathesis`: whatever is asked by whom, no answer is a failure, and every answer is as OpenAPI says.

It runs Schemathesis, which has an environment of its own, on real processes that have played a part of the sample: as
nobody and with the key of each role. Who has not the right of a route is never answered 2xx there.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from uvicorn.importer import import_from_string

from infra.data_folder import free_port
from services.access.caller import Caller, credential_in
from services.access.guard import table
from services.access.rights import RIGHTS_OF
from services.operating.door_keys import ROLES_OF, file_of
from services.operating.up import running

PLAYED_LINES = 300
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
SAMPLE = Path(__file__).parents[2] / "infra" / "sample" / "commands.ndjson"
CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance,no_failure,no_trespass"
SETTINGS = {
    "HOURBOOK_ACCESS": "closed",
    "HOURBOOK_REFUSALS_PER_SECOND": "1000000",  # what is refused is what is looked at
    "HOURBOOK_REQUESTS_PER_SECOND": "1000000",
}


def main(schemathesis: str, examples: int) -> int:
    """The exit code of the campaign: 1 where any of its runs found something."""
    os.environ |= SETTINGS
    with tempfile.TemporaryDirectory(prefix="hourbook-") as name:
        data = Path(name)
        data.chmod(0o711)
        with running(data, free_port(), sandbox=True) as hourbook:
            with SAMPLE.open("rb") as lines, Caller(hourbook.url, hourbook.key_file).client() as client:
                client.post("/v1/commands", content=b"".join(islice(lines, PLAYED_LINES))).raise_for_status()
            found = [
                _run(schemathesis, examples, f"{hourbook.url}/openapi.json", data, who, credential)
                for who, credential in _callers(data)
            ]
    return max(found)


def _callers(data: Path) -> Iterator[tuple[str, str]]:
    """Nobody, and a key of each role; the owner's last, for it changes most."""
    yield "nobody", ""
    for name in sorted(ROLES_OF, key=lambda name: name == "owner"):
        yield name, credential_in(file_of(data, name))


def _run(schemathesis: str, examples: int, document: str, data: Path, who: str, credential: str) -> int:
    print(f"as {who}:", flush=True)
    line = [
        str(Path(schemathesis).absolute()), "run", document, "--checks", CHECKS, "--phases", "examples,fuzzing",
        "--max-examples", str(examples), "--continue-on-failure", "--request-timeout", "20", "--no-color",
        "--exclude-path", "/v1/alerts/stream", "--exclude-path", "/v1/commands", "--suppress-health-check", "all",
        "--warnings", "off",
    ]  # fmt: skip
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": str(HOOKS), "HOURBOOK_CREDENTIAL": credential, "HOURBOOK_FORBIDDEN": _forbidden(who),
    }  # fmt: skip
    return subprocess.run(line, check=False, cwd=data, env=environment).returncode


def _forbidden(who: str) -> str:
    """The routes, as method and path, whose right the caller has not."""
    needs = table(import_from_string("services.app:create_app")())
    rights = frozenset().union(*(RIGHTS_OF[role] for role in ROLES_OF.get(who, ())))
    return json.dumps(
        [
            f"{method} {path}"
            for (method, path), need in needs.items()
            if not need.public and (who == "nobody" or (need.right is not None and need.right not in rights))
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
