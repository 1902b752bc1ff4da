"""What watches Hourbook from outside names metrics that it has, and alerts when it should."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import yaml
from uvicorn.importer import import_from_string

INFRA = Path(__file__).parents[2] / "infra"
RULES = INFRA / "prometheus" / "hourbook.rules.yaml"
TESTS = sorted((INFRA / "prometheus").glob("*.test.yaml"))
DASHBOARD = INFRA / "grafana" / "dashboards" / "operations.json"
ALERTS = INFRA.parent / "docs" / "alerts.md"
NAME = re.compile(r"\bhourbook_\w+")
RECORDED = re.compile(r"\bhourbook:\w+:\w+")


def offered() -> set[str]:
    """The names of all series that processes of Hourbook have."""
    import_from_string("services.app:create_app")
    import_from_string("services.bitrix24.metrics:TASKS")
    kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",), "gauge": ("",)}
    return {
        family.name + ending
        for family in prometheus_client.REGISTRY.collect()
        if family.name.startswith("hourbook")
        for ending in kinds[family.type]
    }


def expressions() -> list[str]:
    """What rules and dashboard ask."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [*(rule["expr"] for rule in rules()), *(target["expr"] for panel in panels for target in panel["targets"])]


def rules() -> list[dict[str, Any]]:
    """All of them: what is recorded, and alerts."""
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def test_every_metric_that_is_watched_exists():
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert len(asked) > 15
    assert asked - offered() == set()


def test_every_ratio_that_is_asked_is_recorded():
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {name for expression in expressions() for name in RECORDED.findall(expression)}
    assert asked == recorded


@pytest.mark.parametrize(
    ("histogram", "seconds"), [("hourbook_http_answer_seconds", 0.1), ("hourbook_projection_delay_seconds", 1.0)]
)
def test_an_objective_is_a_bucket(histogram: str, seconds: float):
    offered()
    (buckets,) = (
        collector._upper_bounds
        for collector in prometheus_client.REGISTRY._collector_to_names
        if getattr(collector, "_name", None) == histogram
    )
    assert seconds in buckets
    asked = [expression for expression in expressions() if f"{histogram}_bucket" in expression and "le=" in expression]
    assert asked
    assert all(f'le="{seconds}"' in expression for expression in asked)


def test_every_alert_has_a_section_that_says_what_it_means_and_what_to_do():
    page = ALERTS.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (Hourbook\w+)\n\n(.+?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    alerts = {rule["alert"]: rule["annotations"] for rule in rules() if "alert" in rule}
    assert set(sections) == set(alerts)
    for name, annotations in alerts.items():
        assert annotations["runbook"] == f"docs/alerts.md#{name.lower()}"
        meaning, _, remedy = sections[name].partition("**Do:**")
        assert meaning.strip(), name
        assert remedy.strip(), name


def test_every_alert_has_a_test_and_says_what_to_do():
    text = RULES.read_text(encoding="utf-8")
    alerts = re.findall(r"- alert: (\w+)", text)
    assert len(alerts) == text.count("action: ") == text.count("summary: ")
    fired = re.findall(r"alertname: (\w+)\n +exp_alerts:", "".join(file.read_text("utf-8") for file in TESTS))
    assert set(alerts) - set(fired) == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("folder", ["prometheus", "compose"])
def test_prometheus_understands_its_settings(folder: str, tmp_path: Path):
    for file in (RULES, INFRA / folder / "prometheus.yaml"):
        shutil.copy(file, tmp_path)
    line = ["promtool", "check", "config", "prometheus.yaml"]
    checked = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_alerts_fire_when_they_should():
    line = ["promtool", "test", "rules", *(file.name for file in TESTS)]
    tested = subprocess.run(line, cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr
