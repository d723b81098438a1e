"""The manifests that a release renders, as the rules ask about them."""

import functools
import pathlib

import yaml

COMPONENTS = ("command-api", "query-api", "projector", "web", "migrate")


class Manifests:
    """What one release renders, and what is known of its surroundings."""

    def __init__(self, objects, environment="dev", external_secrets=()):
        self.objects = [one for one in objects if one]
        self.environment = environment
        # The keys of each Secret, by its name.
        self.secret_keys = {
            secret["spec"].get("target", {}).get("name", secret["metadata"]["name"]): {
                entry["secretKey"] for entry in secret["spec"].get("data", [])
            }
            for secret in [*external_secrets, *self.of("ExternalSecret")]
        }

    def of(self, *kinds):
        return [one for one in self.objects if one["kind"] in kinds]

    @functools.cached_property
    def workloads(self):
        """(name, labels of the pods, their spec, the object), for everything that makes pods."""
        found = []
        for one in self.of("Deployment", "StatefulSet", "DaemonSet", "Job"):
            template = one["spec"]["template"]
            found.append((title(one), template["metadata"].get("labels", {}), template["spec"], one))
        for one in self.of("CronJob"):
            template = one["spec"]["jobTemplate"]["spec"]["template"]
            found.append((title(one), template["metadata"].get("labels", {}), template["spec"], one))
        for one in self.of("Pod"):
            found.append((title(one), one["metadata"].get("labels", {}), one["spec"], one))
        return found

    @property
    def services(self):
        """Those of the workloads that serve until they are stopped."""
        return [found for found in self.workloads if found[3]["kind"] in ("Deployment", "StatefulSet", "DaemonSet")]

    def scalers_of(self, workload):
        name = workload["metadata"]["name"]
        return [
            scaler
            for scaler in self.of("HorizontalPodAutoscaler", "ScaledObject")
            if scaler["spec"]["scaleTargetRef"]["name"] == name
        ]

    def replicas_max(self, workload):
        most = [workload["spec"].get("replicas", 1)]
        for scaler in self.scalers_of(workload):
            spec = scaler["spec"]
            most.append(spec["maxReplicas"] if "maxReplicas" in spec else spec.get("maxReplicaCount", 100))
        return max(most)


def title(one):
    return f"{one['kind']}/{one['metadata']['name']}"


def containers(spec):
    return spec.get("initContainers", []) + spec.get("containers", [])


def selects(selector, labels):
    selector = selector or {}
    if not all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for wanted in selector.get("matchExpressions", []):
        if wanted["operator"] != "In":
            raise ValueError(f"this check does not know the operator {wanted['operator']}")
        if labels.get(wanted["key"]) not in wanted["values"]:
            return False
    return True


def component_of(labels):
    name = labels.get("app.kubernetes.io/name", "")
    return name if name in COMPONENTS else None


def variables(manifests, container):
    """Name and value of each environment variable; None for a value that is not in the manifests."""
    found = {entry["name"]: entry.get("value") for entry in container.get("env", [])}
    configured = {one["metadata"]["name"]: one.get("data") or {} for one in manifests.of("ConfigMap")}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            found.update(configured.get(source["configMapRef"]["name"], {}))
    return found


def load(path):
    return list(yaml.load_all(pathlib.Path(path).read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
