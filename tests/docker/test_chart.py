from __future__ import annotations

import math
import re
import subprocess
import sys
from importlib.util import find_spec
from itertools import chain

import kubernetes_validate
import pytest
import yaml

from gateway.api.health import router
from tests.docker.helm import CHART, KUBERNETES, ROOT, Refused, documents
from tests.docker.manifests import MODES, values_of
from tests.docker.values import PLAIN, WORLDS

PYTHON = "/opt/pointsman/bin/python"
#: What the Secret has, by docs/how-to/deploy-on-kubernetes.md.
SECRET = {"OPENAI_API_KEY": "a", "POINTSMAN_API_KEYS": "b", "REDIS_URL": "redis://redis:6379/0"}
#: Custom resources have their schema in the cluster.
CUSTOM = {"ServiceMonitor"}


@pytest.fixture(params=WORLDS)
def world(request, helm):
    """Return a mode, the values on top of it, and the objects that come of them."""
    mode, values, kubernetes = WORLDS[request.param]
    return mode, values, rendered(helm, mode, values, kubernetes)


def rendered(helm, mode, values=None, kubernetes=KUBERNETES):
    return documents(helm.render(values_of(mode), values=values, kubernetes=kubernetes))


def one(objects, kind):
    (found,) = [item for item in objects if item["kind"] == kind]
    return found


def pod(objects):
    return one(objects, "Deployment")["spec"]["template"]["spec"]


def containers(objects):
    spec = pod(objects)
    return [*spec.get("initContainers", []), *spec["containers"]]


def gateway(objects):
    (found,) = [container for container in containers(objects) if container["name"] == "pointsman"]
    return found


def config(objects):
    return yaml.safe_load(one(objects, "ConfigMap")["data"]["gateway.yaml"])


@pytest.mark.parametrize("mode", MODES)
def test_helm_finds_nothing_wrong(helm, mode):
    """Also not what is merely unusual."""
    assert "0 chart(s) failed" in helm.lint(values_of(mode))


@pytest.mark.parametrize("name", WORLDS)
def test_objects_are_good_by_the_schemas_of_their_kubernetes(helm, name):
    """No field that the server does not know, none of the wrong type, none that is missing."""
    mode, values, kubernetes = WORLDS[name]
    for item in rendered(helm, mode, values, kubernetes):
        if item["kind"] not in CUSTOM:
            kubernetes_validate.validate(item, kubernetes, strict=True)


@pytest.mark.parametrize(
    ("field", "value"), [("replicas", "two"), ("replica", 2), ("strategy", {"type": "Rolling", "rollingUpdate": 1})]
)
def test_the_schemas_find_what_is_wrong(helm, field, value):
    """A check that lets everything pass would say nothing."""
    deployment = one(rendered(helm, "deployment"), "Deployment")
    deployment["spec"][field] = value

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, KUBERNETES, strict=True)


def test_no_two_objects_have_one_name(world):
    """One would replace the other."""
    _, _, objects = world
    names = [(item["kind"], item["metadata"]["name"]) for item in objects]

    assert sorted(set(names)) == sorted(names)


def test_every_container_is_confined(world):
    """No root, no privileges, nothing to write to but volumes, the runtime's own filter of system calls."""
    _, _, objects = world
    for container in containers(objects):
        held = container["securityContext"]
        assert held["runAsNonRoot"] is True
        assert held["runAsUser"] > 1000
        assert held["allowPrivilegeEscalation"] is False
        assert held["readOnlyRootFilesystem"] is True
        assert {"drop": ["ALL"]} == held["capabilities"]
        assert {"type": "RuntimeDefault"} == held["seccompProfile"]
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


def test_pods_have_no_token_and_share_nothing_with_their_node(world):
    """The gateway has no business with the cluster's API."""
    _, _, objects = world
    spec = pod(objects)

    assert spec["automountServiceAccountToken"] is False
    assert set() == {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec)
    assert [] == [volume for volume in spec["volumes"] if "hostPath" in volume]


def test_volumes_and_mounts_meet(world):
    """What is mounted is there; the configuration is a whole folder, or changes of it would not arrive."""
    _, _, objects = world
    mounts = gateway(objects)["volumeMounts"]

    assert {volume["name"] for volume in pod(objects)["volumes"]} == {mount["name"] for mount in mounts}
    assert [] == [mount for mount in mounts if "subPath" in mount]
    assert {"/etc/pointsman", "/var/lib/pointsman", "/tmp"} <= {mount["mountPath"] for mount in mounts}  # noqa: S108 - the container's


def test_a_pod_has_the_time_to_drain(world):
    """The grace period is longer than the wait before SIGTERM, the drain, and in a sidecar the application's own end."""
    mode, values, objects = world
    hook = gateway(objects).get("lifecycle", {}).get("preStop", {})
    (waited,) = re.findall(r"\d+", str(hook)) or ["0"]
    app_s = 30 if mode == "sidecar" else 0
    needed = int(waited) + math.ceil(config(objects)["server"]["drain_s"]) + app_s

    assert values.get("preStopSeconds", 5) == int(waited)
    assert needed < pod(objects)["terminationGracePeriodSeconds"]


def probed(container):
    """Yield the path that each probe asks for, and whether the kubelet itself asks."""
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = container[kind]
        if "httpGet" in probe:
            assert "http" == probe["httpGet"]["port"]
            yield kind, probe["httpGet"]["path"]
        else:
            *command, url = probe["exec"]["command"]
            assert [PYTHON, "-m", "gateway.probe"] == command
            assert url.startswith("http://127.0.0.1:8080/")
            yield kind, url.removeprefix("http://127.0.0.1:8080")


def test_probes_ask_for_what_is_there(world):
    """Life and readiness are different questions: a gateway that drains is not to be killed."""
    _, _, objects = world
    paths = {route.path for route in router.routes}

    found = dict(probed(gateway(objects)))
    assert {"startupProbe": "/readyz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} == found
    assert set(found.values()) <= paths
    assert find_spec("gateway.probe") is not None


def test_a_loopback_address_is_probed_from_inside(world):
    """The kubelet asks the pod's address, where a sidecar does not listen; nor is its port announced."""
    mode, _, objects = world
    container = gateway(objects)
    is_sidecar = mode == "sidecar"

    assert ("127.0.0.1" if is_sidecar else "0.0.0.0") == config(objects)["server"]["host"]
    assert ("exec" if is_sidecar else "httpGet") in container["readinessProbe"]
    assert is_sidecar == ("ports" not in container)


def test_the_configuration_is_good(world, tmp_path):
    """`pointsman check` finds nothing to complain of in the ConfigMap, mounted as the pod has it."""
    _, _, objects = world
    for name, text in one(objects, "ConfigMap")["data"].items():
        (tmp_path / name).write_text(text)
    ended = subprocess.run(
        [sys.executable, "-m", "gateway", "check", "--strict", str(tmp_path / "gateway.yaml")],
        cwd=ROOT,
        env=SECRET,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "") == (ended.returncode, ended.stderr), ended.stdout
    assert str(config(objects)["store"]["path"]).startswith("/var/lib/pointsman/")


def test_selectors_find_the_pods(world):
    """Those of the Deployment, the Service, the budget, the policy; the autoscaler names the Deployment."""
    _, _, objects = world
    deployment = one(objects, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    spreads = pod(objects).get("topologySpreadConstraints", [])
    selectors = chain(
        (
            item["spec"]["selector"].get("matchLabels", item["spec"]["selector"])
            for item in objects
            if "selector" in item.get("spec", {})
        ),
        (item["spec"]["podSelector"]["matchLabels"] for item in objects if item["kind"] == "NetworkPolicy"),
        (spread["labelSelector"]["matchLabels"] for spread in spreads),
    )

    assert all(selector and selector.items() <= labels for selector in selectors)
    for scaler in (item for item in objects if item["kind"] == "HorizontalPodAutoscaler"):
        assert deployment["metadata"]["name"] == scaler["spec"]["scaleTargetRef"]["name"]
        assert "replicas" not in deployment["spec"]


def test_the_monitor_finds_the_service(helm):
    """It goes by the Service's labels and the name of its port."""
    objects = rendered(helm, "deployment")
    monitor, service = one(objects, "ServiceMonitor")["spec"], one(objects, "Service")

    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["endpoints"]
    assert (service["spec"]["ports"][0]["name"], "/metrics") == (endpoint["port"], endpoint["path"])


def test_a_sidecar_lets_nobody_in_and_goes_to_few(helm):
    """Names, providers at 443, and Redis where it is used; not the cloud's metadata."""
    objects = rendered(helm, "sidecar", {"redis": {"enabled": True}})
    spec = one(objects, "NetworkPolicy")["spec"]

    assert (["Ingress", "Egress"], []) == (spec["policyTypes"], spec["ingress"])
    ports = [sorted({port["port"] for port in rule["ports"]}) for rule in spec["egress"]]
    assert [[53], [443], [6379]] == ports
    assert "169.254.0.0/16" in spec["egress"][1]["to"][0]["ipBlock"]["except"]


def test_a_native_sidecar_starts_before_the_application_and_ends_after_it(helm):
    """It is an init container that goes on; otherwise it is a container like the other."""
    native = pod(rendered(helm, "sidecar"))
    plain = pod(rendered(helm, "sidecar", PLAIN))

    assert [("pointsman", "Always")] == [(one["name"], one["restartPolicy"]) for one in native["initContainers"]]
    assert ["app"] == [one["name"] for one in native["containers"]]
    assert "initContainers" not in plain
    assert ["pointsman", "app"] == [one["name"] for one in plain["containers"]]


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ({"policies": {"auto": {"description": "another"}}}, True),
        ({"config": {"limits": {"timeout_s": 5}}}, True),
        ({"config": {"server": {"max_body_bytes": 1000}}}, False),
        ({"config": {"store": {"text": True}}}, False),
        ({"redis": {"enabled": True}}, False),
    ],
)
def test_pods_are_replaced_for_what_a_running_gateway_cannot_take(helm, values, same):
    """All else it reloads by itself when the ConfigMap changes."""

    def template(values):
        return one(rendered(helm, "sidecar", values), "Deployment")["spec"]["template"]

    assert same == (template({}) == template(values))


@pytest.mark.parametrize(
    ("values", "kubernetes", "message"),
    [
        ({"mode": "both"}, "1.37.0", "/mode"),
        ({"replica": 3}, "1.37.0", "'replica' not allowed"),
        ({"config": {"server": {"host": "0.0.0.0"}}}, "1.37.0", "/config/server/host"),
        ({"config": {"policies": ["auto.yaml"]}}, "1.37.0", "/config/policies"),
        ({"policies": {"gateway": {}}}, "1.37.0", "invalid propertyName 'gateway'"),
        ({"image": {"digest": "sha256:12"}}, "1.37.0", "/image/digest"),
        ({"resources": {"limits": {"memory": None}}}, "1.37.0", "/resources/limits"),
        ({"terminationGracePeriodSeconds": 65}, "1.37.0", "terminationGracePeriodSeconds is 65"),
        ({"mode": "sidecar", "terminationGracePeriodSeconds": 95}, "1.37.0", "take 95; give more"),
        ({"mode": "sidecar"}, "1.28.0", "sidecar.native needs Kubernetes 1.29"),
        ({}, "1.26.0", "incompatible with Kubernetes v1.26.0"),
    ],
)
def test_wrong_values_are_refused(helm, values, kubernetes, message):
    """The message says which, and where it can what to do."""
    with pytest.raises(Refused, match=re.escape(message)):
        helm.render(values_of("deployment"), values=values, kubernetes=kubernetes)


def test_nothing_is_served_that_nobody_chose(helm):
    """Without providers and models there is no gateway; the chart has none of its own, which others would inherit."""
    with pytest.raises(Refused, match="missing properties 'providers', 'models'"):
        helm.render()


def test_the_chart_has_the_version_of_the_package():
    """The image's tag is the chart's appVersion."""
    project = (ROOT / "pyproject.toml").read_text()
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert re.search(r'^version = "(.+)"$', project, re.MULTILINE)[1] == chart["appVersion"]
