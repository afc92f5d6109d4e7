"""The sets of values that the chart is tried with, on top of docker/helm/MODE.yaml."""

from __future__ import annotations

from typing import Any

FULL: dict[str, Any] = {
    "fullnameOverride": "gate",
    "image": {"repository": "registry.example/pointsman", "digest": f"sha256:{'0' * 64}", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "redis": {"enabled": True},
    "data": {
        "volume": {
            "ephemeral": {
                "volumeClaimTemplate": {
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
                }
            }
        }
    },
    "env": [{"name": "OMP_NUM_THREADS", "value": "1"}],
    "volumes": [{"name": "state", "configMap": {"name": "state"}}],
    "volumeMounts": [{"name": "state", "mountPath": "/state", "readOnly": True}],
    "preStopSeconds": 10,
    "terminationGracePeriodSeconds": 300,
    "podAnnotations": {"example.com/team": "search"},
    "podLabels": {"example.com/tier": "gateway"},
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "serviceAccount": {"name": "gateway", "annotations": {"example.com/role": "gateway"}},
    "networkPolicy": {
        "egress": [{"to": [{"podSelector": {"matchLabels": {"app": "vllm"}}}], "ports": [{"port": 8000}]}]
    },
    "service": {"type": "LoadBalancer", "port": 443, "annotations": {"example.com/internal": "true"}},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "podDisruptionBudget": {"maxUnavailable": "25%"},
}
LEAST: dict[str, Any] = {
    "redis": {"enabled": False},
    "serviceMonitor": {"enabled": False},
    "autoscaling": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "serviceAccount": {"create": False},
    "topologySpread": [],
    "preStopSeconds": 0,
}
PLAIN: dict[str, Any] = {"sidecar": {"native": False}}
#: By name: mode, values, version of Kubernetes.
WORLDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "deployment": ("deployment", {}, "1.37.0"),
    "deployment, all options": ("deployment", FULL, "1.37.0"),
    "deployment, least": ("deployment", LEAST, "1.37.0"),
    "deployment, Kubernetes 1.27": ("deployment", {}, "1.27.0"),
    "sidecar": ("sidecar", {}, "1.37.0"),
    "sidecar, all options": ("sidecar", FULL, "1.37.0"),
    "sidecar, not native": ("sidecar", PLAIN, "1.30.0"),
    "sidecar, Kubernetes 1.27": ("sidecar", PLAIN, "1.27.0"),
}
