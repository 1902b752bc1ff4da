"""`make campaign-schemathesis`: whatever is asked by whom, no answer is a failure, and every answer is as OpenAPI says.

It runs Schemathesis, which has an environment of its own, on real processes that have played a part of the sample: as
nobody, with the key of each role, and as the customer of one account. Who has not the right of a route, or not the
account that it names, is never answered 2xx there.
"""

import json
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

from uvicorn.importer import import_from_string

from contracts.access import Role
from infra.data_folder import free_port
from services.access.caller import Caller, credential_in
from services.access.guard import table
from services.access.principals import Principal
from services.operating.door_keys import ROLES_OF, file_of
from services.operating.up import running

PLAYED_LINES = 300
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
SAMPLE = Path(__file__).parents[2] / "infra" / "sample" / "commands.ndjson"
OWN = "c4-03"
PLAYED = {
    "account_id": [OWN, "c4-07"], "task_id": ["T00015", "T00102"], "package_id": ["P00019", "P00026"],
    "month": ["2026-01"], "file": ["2026-01.json", "2026-01.pdf"],
}  # fmt: skip
"""What there is: a generated name alone never leads further than to "not found"."""

CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance,no_failure,no_trespass"
ENDLESS = "GET /v1/alerts/stream"
CUSTOMER = {"name": "a customer", "roles": ["customer"], "accounts": [OWN]}
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
                customers = client.post("/v1/access/keys", json=CUSTOMER).raise_for_status().json()["credential"]
            keys = {name: credential_in(file_of(data, name)) for name in ROLES_OF} | {
                "customer": customers,
                "nobody": "",
            }
            found = [
                _run(schemathesis, examples, f"{hourbook.url}/openapi.json", data, who, keys[who])
                for who in sorted(keys, key=lambda who: who == "owner")  # the owner last, who changes most
            ]
    return max(found)


def _run(schemathesis: str, examples: int, document: str, data: Path, who: str, credential: str) -> int:
    print(f"as {who}:", flush=True)
    forbidden = _forbidden(who)
    line = [
        str(Path(schemathesis).absolute()), "run", document, "--checks", CHECKS, "--phases", "examples,fuzzing",
        "--max-examples", str(examples), "--continue-on-failure", "--request-timeout", "20", "--no-color",
        "--suppress-health-check", "all", "--warnings", "off",
    ]  # fmt: skip
    if ENDLESS not in forbidden:
        line += ["--exclude-path", ENDLESS.removeprefix("GET ")]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": str(HOOKS), "HOURBOOK_CREDENTIAL": credential, "HOURBOOK_PLAYED": json.dumps(PLAYED),
        "HOURBOOK_FORBIDDEN": json.dumps(forbidden), "HOURBOOK_OWN": json.dumps([OWN] if who == "customer" else None),
    }  # fmt: skip
    return subprocess.run(line, check=False, cwd=data, env=environment).returncode


def _forbidden(who: str) -> list[str]:
    """The routes, as method and path, whose right the caller has not."""
    needs = table(import_from_string("services.app:create_app")())
    roles, accounts = ROLES_OF.get(who, frozenset({Role.CUSTOMER})), None if who in ROLES_OF else frozenset({OWN})
    principal = None if who == "nobody" else Principal.with_roles(who, "key", roles, accounts)
    return [
        f"{method} {path}"
        for (method, path), need in needs.items()
        if not need.public and (principal is None or need.refusal(principal, OWN))
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
