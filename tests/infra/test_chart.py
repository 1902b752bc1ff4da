"""The Helm chart: as Kubernetes understands it with several values, with every part, and with settings that exist."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from helm_python import Chart
from helm_python.chart import lint
from helm_python.errors import HelmError

from services.operating.nats_logins import permissions
from services.operating.parts import COMMANDS
from services.operating.start_conditions import KNOWN
from services.process.version import VERSION
from tests.infra.test_compose import BACKUPS, OPTIONAL, SERVICES
from tests.test_documentation import ROOT, blocks

FOLDER = ROOT / "infra" / "helm" / "hourbook"

PORTAL = {"bitrix24": {"enabled": True}, "nats": {"replicas": 3}}
MAIL = {"settings": {"HOURBOOK_SMTP_URL": "smtp://office@mail.example:587", "HOURBOOK_LOGS": "4"}}
EVERYTHING = MAIL | PORTAL
BACKUP = {
    "backup": {"enabled": True},
    "files": {"seller.toml": "[party]"},
    "image": {"tag": "7", "digest": f"sha256:{'0a' * 32}"},
}
OF_BACKUPS = ("--every", "--keep", "--data", "--scratch")
VALUES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "with mail, files and a mirror": MAIL | {
        "image": {"repository": "mirror.example/hourbook", "digest": f"sha256:{'0a' * 32}"},
        "imagePullSecrets": [{"name": "mirror"}],
        "files": {"seller.toml": '[party]\nname = "ООО «Сопровождение»"\n'},
        "secrets": {"mail": "hourbook-mail"},
        "allowedHosts": ["hours.example"],
    },
    "with a portal and three copies": PORTAL,
    "with backups": BACKUP,
    "closed": {
        "network": {
            "callers": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
            "prometheus": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}],
            "postgres": {"peers": [{"ipBlock": {"cidr": "10.0.0.0/24"}}], "port": 5433},
        },
        "storage": {"size": "1Gi", "className": "fast"},
        "migration": {"makeLogins": False},
    },
    "as docs/installing.md shows them": yaml.safe_load(blocks(ROOT / "docs" / "installing.md", "yaml")[0]),
    "without policies, for one node": {
        "network": {"policies": False},
        "parts": {part: {"replicas": 1} for part in COMMANDS},
    },
}  # fmt: skip
WRONG: dict[str, dict[str, Any]] = {
    "two connectors": {"parts": {"bitrix24": {"replicas": 2}}},
    "no backup kept": {"backup": {"keep": 0}},
    "a backup each second": {"backup": {"everyHours": 0}},
    "two copies": {"nats": {"replicas": 2}},
    "copies in words": {"nats": {"replicas": "3"}},
    "two signers": {"parts": {"expiry": {"replicas": 2}}},
    "an unknown value": {"imagee": {}},
    "an unknown part": {"parts": {"ledger": {"replicas": 1, "resources": {}}}},
    "a setting of somebody else": {"settings": {"DATABASE_URL": "postgresql://in-the-open"}},
    "a port": {"network": {"nats": {"port": 70_000}}},
    "a digest": {"image": {"digest": "latest"}},
}


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that Kubernetes would be given."""
    with Chart.load(FOLDER) as chart:
        files = chart.render(values, name="hours", namespace="books", is_install=True)
    texts = (text for name, text in files.items() if name.endswith(".yaml"))
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each deployment and the migration run."""
    templates = {
        each["metadata"]["name"]: each["spec"]["template"] for each in objects if each["kind"] in {"Deployment", "Job"}
    }
    return {name.removeprefix("hours-"): template["spec"] for name, template in templates.items()}


@pytest.fixture(params=VALUES, scope="module")
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """Those of each example of values."""
    return rendered(VALUES[request.param])


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_lint_finds_nothing(values: dict[str, Any]):
    found = lint(FOLDER, values, strict=True)
    assert found["errors"] == []
    assert [each for each in found["messages"] if each["severity"] > 1] == []


def test_kubernetes_understands_every_object(objects: list[dict[str, Any]]):
    assert len(objects) > 15
    for each in objects:
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_every_part_has_a_deployment_with_its_command():
    found = pods(rendered(EVERYTHING))
    assert set(found) == {*COMMANDS, "migration"}
    for part, line in COMMANDS.items():
        (container,) = found[part]["containers"]
        assert tuple(container["args"][: len(line)]) == line
        assert part == "service" or container["args"][-2:] == ["--metrics-port", "8000"]
        assert container["resources"]["requests"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["path"].startswith("/health/")
        assert container["readinessProbe"]["httpGet"]["path"].startswith("/health/ready")
    assert set(pods(rendered({}))) == {*COMMANDS, "migration"} - OPTIONAL


def test_every_setting_is_one_and_every_file_that_it_names_is_mounted():
    for part, pod in pods(rendered(EVERYTHING)).items():
        (container,) = pod["containers"]
        settings = {each["name"]: each["value"] for each in container["env"]}
        assert not set(settings) - KNOWN, part
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        named = [value for value in settings.values() if value.startswith("/")]
        assert all(any(Path(each).is_relative_to(mount) for mount in mounts) for each in named), part
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_a_part_is_shown_the_logins_that_compose_shows_it():
    for part, pod in pods(rendered(EVERYTHING)).items():
        logins = next((each["secret"] for each in pod["volumes"] if each["name"] == "logins"), {"items": ()})
        shown = {item["key"] for item in logins.get("items", ())}
        given = {name for name in SERVICES.get(part, {}).get("secrets", ()) if name.endswith((".database", ".nats"))}
        assert shown == given, part
        assert (part == "migration") == ("items" not in logins)


def test_nobody_is_root_and_nothing_can_be_written_but_volumes(objects: list[dict[str, Any]]):
    for part, pod in pods(objects).items():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        for container in pod["containers"]:
            allowed = container["securityContext"]
            assert allowed["readOnlyRootFilesystem"] is True, part
            assert allowed["allowPrivilegeEscalation"] is False
            assert allowed["capabilities"] == {"drop": ["ALL"]}


def test_the_migration_comes_before_new_pods():
    (job,) = (each for each in rendered({}) if each["kind"] == "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["migrate", "--logins", "/run/secrets/logins"]


def test_policies_name_whom_the_values_name():
    policies = {each["metadata"]["name"]: each["spec"] for each in rendered(VALUES["closed"])
                if each["kind"] == "NetworkPolicy"}  # fmt: skip
    callers, own = VALUES["closed"]["network"]["callers"], policies["hours"]["podSelector"]
    (entrance,) = policies["hours-service"]["ingress"]
    assert entrance["from"] == [*callers, *VALUES["closed"]["network"]["prometheus"], {"podSelector": own}]
    (metrics,) = policies["hours-metrics"]["ingress"]
    assert metrics["from"] == VALUES["closed"]["network"]["prometheus"]
    ports = [each["ports"][0]["port"] for each in policies["hours"]["egress"]]
    assert ports == [53, 5433, 4222, 8000, 443, 587]
    assert not [each for each in rendered({"network": {"policies": False}}) if each["kind"] == "NetworkPolicy"]


def test_the_connector_alone_reaches_a_portal_at_another_port_and_is_shown_its_own_key():
    portal = {"peers": [{"ipBlock": {"cidr": "10.0.7.1/32"}}], "port": 8443}
    found = rendered(PORTAL | {"network": {"portal": portal, "outside": []}})
    policies = {each["metadata"]["name"]: each["spec"] for each in found if each["kind"] == "NetworkPolicy"}
    assert policies["hours-bitrix24"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "bitrix24"
    assert policies["hours-bitrix24"]["egress"] == [{"ports": [{"port": 8443}], "to": portal["peers"]}]
    assert [each["ports"][0]["port"] for each in policies["hours"]["egress"]] == [53, 5432, 4222, 8000]
    shown = {
        volume["name"]: [item["key"] for item in volume["secret"].get("items", ())]
        for volume in pods(found)["bitrix24"]["volumes"]
        if "secret" in volume
    }
    assert shown == {"portal": [], "keys": ["connector.key"]}
    assert "hours-bitrix24" not in {each["metadata"]["name"] for each in rendered({})}


def test_copies_of_streams_are_a_value_and_the_settings_go_before_it():
    def copies(values: dict[str, Any]) -> list[str]:
        (container,) = pods(rendered(values))["relay"]["containers"]
        return [each["value"] for each in container["env"] if each["name"] == "HOURBOOK_NATS_REPLICAS"]

    assert copies(PORTAL) == ["3"]
    assert copies({}) == []
    assert copies(PORTAL | {"settings": {"HOURBOOK_NATS_REPLICAS": "5"}}) == ["5"]


def test_one_pod_archives_backs_up_and_drills_as_compose_does():
    found = rendered(BACKUP)
    pod = pods(found)["backup"]
    containers = {each["name"]: each for each in pod["containers"]}
    assert set(containers) == set(BACKUPS)
    (claim,) = (
        volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"] if volume["name"] == "backups"
    )
    assert claim in {each["metadata"]["name"] for each in found if each["kind"] == "PersistentVolumeClaim"}
    volumes = {volume["name"] for volume in pod["volumes"]}
    for name, container in containers.items():
        assert container["image"] == "hourbook-backup:7"
        given = dict(zip(container["args"], container["args"][1:], strict=False))
        there = dict(zip(SERVICES[name]["command"], SERVICES[name]["command"][1:], strict=False))
        assert container["args"][0] == name
        assert {option: given.get(option) for option in OF_BACKUPS} == {
            option: there.get(option) for option in OF_BACKUPS
        }
        settings = {each["name"]: each["value"] for each in container["env"]}
        assert not set(settings) - KNOWN
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert set(mounts.values()) == volumes
        named = [*settings.values(), given["--data"], given.get("--scratch", "/tmp")]
        assert all(any(Path(each).is_relative_to(mount) or Path(mount).is_relative_to(each) for mount in mounts)
                   for each in named)  # fmt: skip
    (logins,) = (each["secret"]["items"] for each in pod["volumes"] if each["name"] == "logins")
    assert logins == [{"key": "backup.database", "path": "owner.database"}]
    assert "backup" not in pods(rendered(EVERYTHING))


def test_every_deployment_has_a_budget_and_pods_of_its_own():
    found = rendered(EVERYTHING)
    selectors = {
        kind: [each["spec"]["selector"]["matchLabels"] for each in found if each["kind"] == kind]
        for kind in ("Deployment", "PodDisruptionBudget")
    }
    assert selectors["Deployment"] == selectors["PodDisruptionBudget"]
    assert len({each["app.kubernetes.io/component"] for each in selectors["Deployment"]}) == len(COMMANDS)


@pytest.mark.parametrize("values", WRONG.values(), ids=WRONG)
def test_values_that_make_no_sense_are_refused(values: dict[str, Any]):
    with Chart.load(FOLDER) as chart, pytest.raises(HelmError):
        chart.validate_schema(chart.merge_values(values))


def test_the_chart_is_of_this_version_and_names_every_secret():
    told = yaml.safe_load((FOLDER / "Chart.yaml").read_text(encoding="utf-8"))
    assert told["version"] == told["appVersion"] == VERSION
    shown = [item["key"] for pod in pods(rendered({})).values() for volume in pod["volumes"]
             for item in volume.get("secret", {}).get("items", ())]  # fmt: skip
    assert {each.removesuffix(".nats") for each in shown if each.endswith(".nats")} == set(permissions(1))
