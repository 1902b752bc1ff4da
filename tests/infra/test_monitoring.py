"""What watches Hourbook from outside names metrics that it has, and alerts when it should."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import prometheus_client
import pytest
from uvicorn.importer import import_from_string

INFRA = Path(__file__).parents[2] / "infra"
RULES = INFRA / "prometheus" / "hourbook.rules.yaml"
TESTS = INFRA / "prometheus" / "hourbook.rules.test.yaml"
DASHBOARD = INFRA / "grafana" / "dashboards" / "operations.json"
NAME = re.compile(r"\bhourbook_\w+")


def offered() -> set[str]:
    """The names of all series that processes of Hourbook have."""
    import_from_string("services.app:create_app")
    kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",), "gauge": ("",)}
    return {
        family.name + ending
        for family in prometheus_client.REGISTRY.collect()
        if family.name.startswith("hourbook")
        for ending in kinds[family.type]
    }


def expressions() -> list[str]:
    """What rules and dashboard ask."""
    rules = re.findall(r"^        expr: (.+(?:\n {10}.+)*)", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [*rules, *(target["expr"] for panel in panels for target in panel["targets"])]


def test_every_metric_that_is_watched_exists():
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert len(asked) > 15
    assert asked - offered() == set()


def test_every_alert_has_a_test_and_says_what_to_do():
    text = RULES.read_text(encoding="utf-8")
    alerts = re.findall(r"- alert: (\w+)", text)
    assert len(alerts) == text.count("action: ") == text.count("summary: ")
    fired = re.findall(r"alertname: (\w+)\n +exp_alerts:", TESTS.read_text(encoding="utf-8"))
    assert set(alerts) - set(fired) == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_alerts_fire_when_they_should():
    line = ["promtool", "test", "rules", TESTS.name]
    tested = subprocess.run(line, cwd=TESTS.parent, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr
