"""The Helm chart: linted and rendered by Helm's own library, each object checked against Kubernetes' own schema."""

import importlib.util
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.deploy.helm import WHY_NOT, Chart, Refused, chart_at
from tests.deploy.reading import DEPLOY, IS_SECRET, OF_AWS, SETTINGS, longest_stop

from linocut.settings import Settings

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
CHART = DEPLOY / "helm" / "linocut"
LEAST: dict[str, Any] = {"existingSecret": "linocut", "storage": {"url": "s3://linocut"}}
RAY: dict[str, Any] = {**LEAST, "ray": {"enabled": True, "least": 2, "most": 7, "gpus": 1}}
ALL: dict[str, Any] = {
    **LEAST,
    "storage": {"url": "s3://linocut/here", "endpoint": "http://s3:7070"},
    "ingress": {"enabled": True, "className": "nginx", "host": "img.example.org", "tlsSecret": "certificate"},
    "networkPolicy": {"enabled": True, "from": [{"namespaceSelector": {}}]},
    "basesClaim": "bases",
    "imagePullSecrets": [{"name": "registry"}],
    "settings": {"LINOCUT_IMAGE_DAYS": "3"},
    "workers": {"nodeSelector": {"gpu": "yes"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]},
}
WAYS = {"least": LEAST, "ray": RAY, "all": ALL}
KUBERNETES = ("1.27", "1.34")


@pytest.fixture(scope="module")
def chart() -> Iterator[Chart]:
    """The chart, loaded."""
    with chart_at(CHART) as loaded:
        yield loaded


def objects(chart: Chart, values: dict[str, Any]) -> list[dict[str, Any]]:
    """What a release would make of these values."""
    rendered = chart.render(values)
    texts = (text for name, text in sorted(rendered.items()) if name.endswith(".yaml"))
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def pods(made: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The pods' templates by what they are for."""
    found = {}
    for one in made:
        spec = one.get("spec", {})
        templates = [spec["template"]] if isinstance(spec.get("template"), dict) else []
        if one["kind"] == "RayCluster":
            templates = [spec["headGroupSpec"]["template"], *(group["template"] for group in spec["workerGroupSpecs"])]
        for template in templates:
            found[template["metadata"]["labels"]["app.kubernetes.io/component"]] = template["spec"]
    return found


def test_helm_finds_nothing_wrong(chart: Chart) -> None:
    told = chart.ask("lint")
    assert told["errors"] == []
    assert [one for one in told["messages"] if one["severity"] > 1] == []


@pytest.mark.parametrize("way", WAYS)
def test_kubernetes_takes_every_object(chart: Chart, way: str) -> None:
    if importlib.util.find_spec("kubernetes_validate") is None:
        pytest.skip("NOT RUN: there is no kubernetes-validate (pip install 'linocut[deploy]')")
    import kubernetes_validate

    made = objects(chart, WAYS[way])
    native = [one for one in made if not one["apiVersion"].startswith("ray.io")]
    assert len(made) - len(native) == (1 if way == "ray" else 0)
    for one in native:
        for version in KUBERNETES:
            kubernetes_validate.validate(one, version, strict=True)
    native[0]["spec"]["replicaz"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(native[0], KUBERNETES[0], strict=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"existingSecret": "s"}, "storage.url is empty"),
        ({"storage": {"url": "s3://b"}}, "existingSecret is empty"),
        ({**LEAST, "storage": {"url": "/srv"}}, "does not match"),
        ({**LEAST, "nonsense": 1}, "'nonsense' not allowed"),
        ({**LEAST, "settings": {"LINOCUT_DATABASE_URL": "postgresql://"}}, "invalid propertyName"),
        ({**LEAST, "settings": {"LINOCUT_SMTP_PASSWORD": "x"}}, "invalid propertyName"),
        ({**LEAST, "terminationGracePeriodSeconds": 60}, "minimum"),
        ({**LEAST, "workers": {"replicas": 0}}, "set api.readinessPath to /healthz"),
        ({**LEAST, "ray": {"enabled": True, "least": 0}}, "set api.readinessPath to /healthz"),
        ({**LEAST, "ingress": {"enabled": True}}, "ingress.host is empty"),
    ],
)
def test_wrong_values_are_refused_with_a_sentence(chart: Chart, values: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        objects(chart, values)


def test_no_worker_at_first_is_a_choice(chart: Chart) -> None:
    made = pods(objects(chart, {**LEAST, "workers": {"replicas": 0}, "api": {"readinessPath": "/healthz"}}))
    (api,) = made["api"]["containers"]
    assert api["readinessProbe"]["httpGet"]["path"] == "/healthz"


@pytest.mark.parametrize("way", WAYS)
def test_every_pod_is_confined(chart: Chart, way: str) -> None:
    for name, pod in pods(objects(chart, WAYS[way])).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["enableServiceLinks"] is False, "a Service's variables look like settings"
        assert pod.get("automountServiceAccountToken", True) is (name == "ray-head"), name
        (container,) = pod["containers"]
        confined = container["securityContext"]
        assert (confined["readOnlyRootFilesystem"], confined["allowPrivilegeEscalation"]) == (True, False)
        assert confined["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        written = {one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")}
        assert written == {"/data", "/tmp"}, name


@pytest.mark.parametrize("way", WAYS)
def test_what_pods_are_told_is_read_and_holds_no_secret(chart: Chart, way: str) -> None:
    for name, pod in pods(objects(chart, WAYS[way])).items():
        (container,) = pod["containers"]
        told = {one["name"]: one["value"] for one in container.get("env", [])}
        assert set(told) <= SETTINGS | OF_AWS, name
        assert not [one for one in told if IS_SECRET.search(one)]
        if name != "ray-head":
            assert container["envFrom"] == [{"secretRef": {"name": "linocut"}}]
        given = {key.removeprefix("LINOCUT_").lower(): value for key, value in told.items() if key in SETTINGS}
        settings = Settings(**{key: value for key, value in given.items() if value})
        patience = pod.get("terminationGracePeriodSeconds")
        assert name in ("migrate", "ray-head") or patience >= longest_stop(settings) + 5, "5: the pause before it"


def test_the_api(chart: Chart) -> None:
    (api,) = pods(objects(chart, LEAST))["api"]["containers"]
    assert api["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert api["livenessProbe"]["httpGet"]["path"] == api["startupProbe"]["httpGet"]["path"] == "/healthz"
    assert api["args"] == ["serve"]
    told = {one["name"]: one["value"] for one in api["env"]}
    assert (told["LINOCUT_WORKERS"], told["LINOCUT_HOST"]) == ("0", "0.0.0.0")
    (one,) = [
        one for one in objects(chart, LEAST) if one["metadata"]["name"] == "rel-linocut-api" and "strategy" in str(one)
    ]
    assert one["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_the_migration_comes_first(chart: Chart) -> None:
    (job,) = [one for one in objects(chart, LEAST) if one["kind"] == "Job"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["migrate"]


def test_workers_with_ray_and_without(chart: Chart) -> None:
    plain, ray = objects(chart, LEAST), objects(chart, RAY)
    assert not [one for one in plain if one["kind"] == "RayCluster"]
    assert {"api", "worker", "migrate"} == set(pods(plain))
    assert {"api", "worker", "migrate", "ray-head", "controller"} == set(pods(ray))
    (cluster,) = [one for one in ray if one["kind"] == "RayCluster"]
    (group,) = cluster["spec"]["workerGroupSpecs"]
    assert (group["minReplicas"], group["maxReplicas"]) == (2, 7)
    assert cluster["spec"]["enableInTreeAutoscaling"] is True
    assert cluster["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0", "no worker on the head"
    (controller,) = pods(ray)["controller"]["containers"]
    told = {one["name"]: one["value"] for one in controller["env"]}
    assert (told["LINOCUT_CLUSTER_LEAST"], told["LINOCUT_CLUSTER_MOST"], told["LINOCUT_CLUSTER_GPUS"]) == (
        "2",
        "7",
        "1",
    )
    assert controller["args"] == ["serve", "--cluster", f"ray://{cluster['metadata']['name']}-head-svc:10001"]
    (one,) = [one for one in ray if one["metadata"]["name"] == "rel-linocut-controller"]
    assert (one["spec"]["replicas"], one["spec"]["strategy"]) == (1, {"type": "Recreate"}), (
        "two would start twice as many"
    )


def test_services_find_the_api_alone(chart: Chart) -> None:
    for values in WAYS.values():
        made = objects(chart, values)
        (service,) = [one for one in made if one["kind"] == "Service"]
        selector = service["spec"]["selector"]
        assert selector["app.kubernetes.io/component"] == "api"
        budgets = [one for one in made if one["kind"] == "PodDisruptionBudget"]
        assert [one["spec"]["selector"]["matchLabels"] for one in budgets] == [selector]


def test_every_value_is_described_and_in_the_schema(chart: Chart) -> None:
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())

    def missing(values: dict[str, Any], rules: dict[str, Any], where: str = "") -> list[str]:
        rules = schema["definitions"][rules["$ref"].rpartition("/")[2]] if "$ref" in rules else rules
        known = rules.get("properties", {})
        found = [f"{where}{name}" for name in values if name not in known]
        for name, value in values.items():
            if isinstance(value, dict) and known.get(name, {}).get("properties"):
                found += missing(value, known[name], f"{where}{name}.")
        return found

    values = chart.ask("values")
    assert missing(values, schema) == []
    readme = (CHART / "README.md").read_text()
    assert [name for name in values if f"`{name}" not in readme] == []
