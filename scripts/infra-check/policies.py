"""Our own rules for rendered manifests: what schemas and the Pod Security Standard leave open, and what ADR 40 names.

Usage: policies.py [--environment ENV] [--secrets FILE]... MANIFESTS
       --environment  dev, stage or prod: the latter two demand digests
       --secrets      manifests whose ExternalSecrets say which keys there are

A rule is a function that yields faults. `policies_test.py` has, for each, a manifest that it refuses.
"""

import argparse
import functools
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPONENTS = ("command-api", "query-api", "projector", "web", "migrate")
# ADR 40: which key a program's setting is read from. None: a program that has no such secrets.
KEYS = {
    "command-api": {
        "PRAXIS_EVENTS_URL_FILE": "command-api-events-url",
        "PRAXIS_KEK_FILE": "kek",
        "PRAXIS_CLAIMS_KEY_FILE": "claims-key",
        "PRAXIS_JWT_PUBLIC_KEYS_FILE": "public-keys",
        "PRAXIS_JWT_PRIVATE_KEY_FILE": "private-key",
        "PRAXIS_KAFKA_PASSWORD_FILE": "kafka-password",
    },
    "query-api": {
        "PRAXIS_EVENTS_URL_FILE": "query-api-events-url",
        "PRAXIS_VIEWS_URL_FILE": "query-api-views-url",
        "PRAXIS_KEK_FILE": "kek",
        "PRAXIS_JWT_PUBLIC_KEYS_FILE": "public-keys",
    },
    "projector": {
        "PRAXIS_EVENTS_URL_FILE": "projector-events-url",
        "PRAXIS_VIEWS_URL_FILE": "projector-views-url",
        "PRAXIS_KEK_FILE": "kek",
        "PRAXIS_KAFKA_PASSWORD_FILE": "kafka-password",
    },
    "migrate": {
        "PRAXIS_EVENTS_URL_FILE": "migrate-events-url",
        "PRAXIS_VIEWS_URL_FILE": "migrate-views-url",
    },
    "web": {},
}
MOUNT = "/run/secrets/praxis/"
RULES = {}


def rule(check):
    RULES[check.__name__.replace("_", "-")] = check
    return check


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


@functools.cache
def settings():
    """Of each setting in docs/configuration.md: (its programs, those that demand it)."""
    found, name = {}, None
    for line in (ROOT / "docs/configuration.md").read_text().splitlines():
        if heading := re.match(r"## `(PRAXIS_\w+)`", line):
            name = heading[1]
            found[name] = ([], [])
        elif row := re.match(r"\| (Read by|Required by) \| (.*) \|", line):
            found[name][row[1] == "Required by"].extend(row[2].split(", "))
    return found


def variables(manifests, container):
    """Name and value of each environment variable; None for a value that is not in the manifests."""
    found = {entry["name"]: entry.get("value") for entry in container.get("env", [])}
    configured = {one["metadata"]["name"]: one.get("data") or {} for one in manifests.of("ConfigMap")}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            found.update(configured.get(source["configMapRef"]["name"], {}))
    return found


# Images


@rule
def image_by_digest(manifests):
    if manifests.environment == "dev":
        return
    for name, _, spec, _ in manifests.workloads:
        for container in containers(spec):
            if not re.search(r"@sha256:[0-9a-f]{64}$", container["image"]):
                yield f"{name}: {container['image']} is named without a digest in {manifests.environment}"


@rule
def image_by_version(manifests):
    for name, _, spec, _ in manifests.workloads:
        for container in containers(spec):
            _, _, tag = container["image"].partition("@")[0].rpartition("/")[2].partition(":")
            if tag in ("", "latest"):
                yield f"{name}: {container['image']} says no version"


# What a container may do, and how much it may take


@rule
def root_file_system_read_only(manifests):
    for name, _, spec, _ in manifests.workloads:
        for container in containers(spec):
            if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
                yield f"{name}: container {container['name']} may write to its root file system"


@rule
def resources(manifests):
    for name, _, spec, _ in manifests.workloads:
        for container in containers(spec):
            asked, limit = (container.get("resources", {}).get(part, {}) for part in ("requests", "limits"))
            for missing in [f"request of {what}" for what in ("cpu", "memory") if what not in asked]:
                yield f"{name}: container {container['name']} has no {missing}"
            if "memory" not in limit:
                yield f"{name}: container {container['name']} has no limit of memory"


@rule
def no_service_account_token(manifests):
    for name, _, spec, _ in manifests.workloads:
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name}: the token of its service account is mounted"


# Network


@rule
def network_policy(manifests):
    for name, labels, _, _ in manifests.workloads:
        types = set()
        for policy in manifests.of("NetworkPolicy"):
            if selects(policy["spec"].get("podSelector"), labels) and policy["spec"].get("podSelector"):
                types.update(policy["spec"].get("policyTypes", []))
        for missing in sorted({"Ingress", "Egress"} - types):
            yield f"{name}: no NetworkPolicy of its own says what is allowed as {missing}"


@rule
def network_policy_names_peers(manifests):
    for policy in manifests.of("NetworkPolicy"):
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for allowed in policy["spec"].get(direction) or []:
                if not allowed.get(peers) or not allowed.get("ports"):
                    yield f"{title(policy)}: {direction} is open to everybody, or on every port"
                for peer in allowed.get(peers) or []:
                    if peer.get("ipBlock", {}).get("cidr", "").endswith("/0"):
                        yield f"{title(policy)}: {direction} is open to the whole internet"


@rule
def network_policy_reaches_services(manifests):
    """The VPC CNI judges what leaves a pod before a Service's address becomes that of a pod. It opens that address only
    where the peer's selector matches the labels that the Service itself selects by, not those of the pods."""
    for policy in manifests.of("NetworkPolicy"):
        peers = [peer["podSelector"] for allowed in policy["spec"].get("egress") or [] for peer in allowed.get("to", [])
                 if set(peer) == {"podSelector"}]
        for service in manifests.of("Service"):
            wanted = service["spec"].get("selector")
            if not wanted or service["spec"].get("clusterIP") == "None":
                continue
            pods = [labels for _, labels, _, _ in manifests.services if selects({"matchLabels": wanted}, labels)]
            for peer in peers:
                if any(selects(peer, labels) for labels in pods) and not selects(peer, wanted):
                    yield f"{title(policy)}: lets out to pods of {title(service)}, but on EKS not to its address"


@rule
def https_only(manifests):
    for ingress in manifests.of("Ingress"):
        annotations = ingress["metadata"].get("annotations", {})
        listen = json.loads(annotations.get("alb.ingress.kubernetes.io/listen-ports", '[{"HTTP": 80}]'))
        if any(set(port) != {"HTTPS"} for port in listen):
            yield f"{title(ingress)}: the load balancer also listens to {listen}"
    for route in manifests.of("HTTPRoute"):
        for parent in route["spec"]["parentRefs"]:
            if "https" not in parent.get("sectionName", ""):
                yield f"{title(route)}: joins listeners that need not speak HTTPS"


@rule
def backends_exist(manifests):
    services = {one["metadata"]["name"]: one["spec"]["ports"] for one in manifests.of("Service")}

    def missing(service, port):
        return not any(port in (known["port"], known.get("name")) for known in services.get(service, []))

    for route in manifests.of("HTTPRoute"):
        for backend in [backend for rule in route["spec"]["rules"] for backend in rule["backendRefs"]]:
            if missing(backend["name"], backend["port"]):
                yield f"{title(route)}: leads to {backend['name']}:{backend['port']}, which is no Service here"
    for ingress in manifests.of("Ingress"):
        annotations = ingress["metadata"].get("annotations", {})
        for path in [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]:
            service = path["backend"]["service"]
            targets = [(service["name"], service["port"].get("name", service["port"].get("number")))]
            if service["port"].get("name") == "use-annotation":
                action = json.loads(annotations.get(f"alb.ingress.kubernetes.io/actions.{service['name']}", "{}"))
                groups = action.get("forwardConfig", {}).get("targetGroups", [])
                targets = [(group["serviceName"], group["servicePort"]) for group in groups]
            if not targets or any(missing(*target) for target in targets):
                yield f"{title(ingress)}: {path['path']} leads to {targets or 'nothing'}, which is no Service here"


@rule
def ports_exist(manifests):
    """Ports by name, in probes, Services, NetworkPolicies and ServiceMonitors."""
    for name, labels, spec, _ in manifests.workloads:
        known = {port.get("name") for container in containers(spec) for port in container.get("ports", [])}
        asked = []
        for container in containers(spec):
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                for action in ("httpGet", "tcpSocket", "grpc"):
                    asked.append((probe, container.get(probe, {}).get(action, {}).get("port")))
        for service in manifests.of("Service"):
            if service["spec"].get("selector") and selects({"matchLabels": service["spec"]["selector"]}, labels):
                for port in service["spec"]["ports"]:
                    asked.append((title(service), port.get("targetPort", port["port"])))
        for policy in manifests.of("NetworkPolicy"):
            if policy["spec"].get("podSelector") and selects(policy["spec"]["podSelector"], labels):
                for allowed in policy["spec"].get("ingress") or []:
                    asked.extend((title(policy), port.get("port")) for port in allowed.get("ports", []))
        for where, port in asked:
            if isinstance(port, str) and port not in known:
                yield f"{name}: {where} asks for a port {port}, which it has not"


@rule
def services_select_pods(manifests):
    for service in manifests.of("Service"):
        selector = service["spec"].get("selector")
        if not selector or not any(selects({"matchLabels": selector}, labels) for _, labels, _, _ in manifests.services):
            yield f"{title(service)}: selects no pods"


@rule
def service_monitors_find_services(manifests):
    for monitor in manifests.of("ServiceMonitor"):
        found = [
            one for one in manifests.of("Service") if selects(monitor["spec"]["selector"], one["metadata"]["labels"])
        ]
        ports = {port.get("name") for one in found for port in one["spec"]["ports"]}
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint.get("port") not in ports:
                yield f"{title(monitor)}: no Service it selects has a port {endpoint.get('port')}"


# Availability


@rule
def disruption_budget(manifests):
    for name, labels, _, workload in manifests.services:
        if workload["kind"] == "DaemonSet" or manifests.replicas_max(workload) < 2:
            continue
        budgets = [
            one["spec"] for one in manifests.of("PodDisruptionBudget") if selects(one["spec"]["selector"], labels)
        ]
        if len(budgets) != 1:
            yield f"{name}: may have several replicas, and {len(budgets)} disruption budgets"
        for budget in budgets:
            if budget.get("maxUnavailable") in (0, "0%"):
                yield f"{name}: its disruption budget lets no node be drained"


@rule
def spread(manifests):
    for name, labels, spec, workload in manifests.services:
        if manifests.replicas_max(workload) < 2:
            continue
        over = {
            constraint["topologyKey"]
            for constraint in spec.get("topologySpreadConstraints", [])
            if selects(constraint.get("labelSelector"), labels)
        }
        for missing in sorted({"topology.kubernetes.io/zone", "kubernetes.io/hostname"} - over):
            yield f"{name}: its pods may all share one {missing.rpartition('/')[2]}"
        for constraint in spec.get("topologySpreadConstraints", []):
            if constraint["whenUnsatisfiable"] == "DoNotSchedule" and constraint.get("nodeTaintsPolicy") != "Honor":
                yield f"{name}: when nodes of one {constraint['topologyKey'].rpartition('/')[2]} fail, no other takes over"


@rule
def probes(manifests):
    for name, _, spec, _ in manifests.services:
        for container in spec["containers"]:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe not in container:
                    yield f"{name}: container {container['name']} has no {probe}"


@rule
def stops_in_time(manifests):
    """Ours only: preStop, and a program's own grace (30 s, the projector 60 s) within that of the pod."""
    for name, labels, spec, workload in manifests.services:
        component = component_of(labels)
        if component is None:
            continue
        grace = 60 if component == "projector" else 30
        for container in spec["containers"]:
            sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            if sleep < 1:
                yield f"{name}: is told to stop while balancers still send to it: no preStop"
            elif spec.get("terminationGracePeriodSeconds", 30) < sleep + grace:
                yield f"{name}: is killed before {sleep} s of preStop and {grace} s of its own are over"


@rule
def config_checksum(manifests):
    for name, _, spec, workload in manifests.services:
        read = [source for container in containers(spec) for source in container.get("envFrom", [])]
        annotations = workload["spec"]["template"]["metadata"].get("annotations", {})
        if read and not re.fullmatch(r"[0-9a-f]{64}", annotations.get("checksum/config", "")):
            yield f"{name}: a changed ConfigMap would not reach its pods: no checksum"


@rule
def has_helm_test(manifests):
    for name, labels, _, _ in manifests.services:
        tests = [
            one for one in manifests.of("Pod") if one["metadata"].get("annotations", {}).get("helm.sh/hook") == "test"
        ]
        if component_of(labels) and not tests:
            yield f"{name}: nothing for `helm test` to run"


# Scaling


@rule
def one_scaler(manifests):
    for name, _, _, workload in manifests.services:
        scalers = manifests.scalers_of(workload)
        if len(scalers) > 1:
            yield f"{name}: scaled by {' and '.join(map(title, scalers))} at once"
        if scalers and "replicas" in workload["spec"]:
            yield f"{name}: sets replicas although {title(scalers[0])} does"


@rule
def scaler_behaviour(manifests):
    for scaler in manifests.of("HorizontalPodAutoscaler", "ScaledObject"):
        spec = scaler["spec"]
        if scaler["kind"] == "ScaledObject":
            spec = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {})
        elif scaler["apiVersion"] != "autoscaling/v2":
            yield f"{title(scaler)}: is not of autoscaling/v2"
        if set(spec.get("behavior", {})) != {"scaleUp", "scaleDown"}:
            yield f"{title(scaler)}: says not how fast it scales up and down"


@rule
def within_partitions(manifests):
    for name, labels, spec, workload in manifests.services:
        if component_of(labels) != "projector":
            continue
        configured = variables(manifests, spec["containers"][0]).get("PRAXIS_KAFKA_PARTITIONS", "12")
        if manifests.replicas_max(workload) > int(configured):
            yield f"{name}: up to {manifests.replicas_max(workload)} replicas on {configured} partitions"
        if workload["spec"]["strategy"]["rollingUpdate"]["maxSurge"] != 0:
            yield f"{name}: a rollout adds consumers beyond its replicas"


@rule
def scales_on_own_group(manifests):
    for scaler in manifests.of("ScaledObject"):
        fingerprint = scaler["metadata"]["labels"].get("praxis.dev/fingerprint")
        for trigger in scaler["spec"]["triggers"]:
            group = trigger["metadata"].get("consumerGroup")
            # A generation reads with a group of its own: projector/bin/src/main.rs.
            if trigger["type"] == "kafka" and not re.fullmatch(rf"praxis-views-{fingerprint}-[1-9]\d*", group):
                yield f"{title(scaler)}: looks at the lag of {group}, not at that of its own fingerprint {fingerprint}"


# Secrets


@rule
def no_secret_in_environment(manifests):
    for name, _, spec, _ in manifests.workloads:
        for container in containers(spec):
            if any("secretRef" in source for source in container.get("envFrom", [])):
                yield f"{name}: container {container['name']} has a whole Secret in its environment"
            for entry in container.get("env", []):
                if "secretKeyRef" in entry.get("valueFrom", {}):
                    yield f"{name}: the secret {entry['name']} is a variable; mount it as a file"
            for variable, value in variables(manifests, container).items():
                if f"{variable}_FILE" in secret_files() or re.search(r"://[^/@\s]+:[^/@\s]+@", value or ""):
                    yield f"{name}: the secret {variable} is a variable; mount it as a file"


def secret_files():
    return {setting for keys in KEYS.values() for setting in keys}


@rule
def secret_keys_exist(manifests):
    for name, _, spec, _ in manifests.workloads:
        for volume in spec.get("volumes", []):
            sources = [
                source["secret"] for source in volume.get("projected", {}).get("sources", []) if "secret" in source
            ]
            sources += [dict(volume["secret"], name=volume["secret"]["secretName"])] if "secret" in volume else []
            for source in sources:
                known = manifests.secret_keys.get(source["name"])
                if known is None:
                    yield f"{name}: mounts the Secret {source['name']}, which no ExternalSecret makes"
                    continue
                for item in source.get("items", []):
                    if item["key"] not in known:
                        yield f"{name}: mounts {source['name']}/{item['key']}, a key that no ExternalSecret brings"
    for authentication in manifests.of("TriggerAuthentication"):
        for reference in authentication["spec"]["secretTargetRef"]:
            if reference["key"] not in manifests.secret_keys.get(reference["name"], ()):
                yield f"{title(authentication)}: reads {reference['name']}/{reference['key']}, which no ExternalSecret brings"


@rule
def secrets_of_adr_40(manifests):
    """A program has exactly its keys, each as the file its setting names."""
    for name, labels, spec, _ in manifests.workloads:
        component = component_of(labels)
        if component is None:
            continue
        mounted = {
            item["path"]
            for volume in spec.get("volumes", [])
            for source in volume.get("projected", {}).get("sources", [])
            for item in source.get("secret", {}).get("items", [])
        }
        files = {}
        for container in containers(spec):
            files |= {key: value for key, value in variables(manifests, container).items() if key.endswith("_FILE")}
            if not all(
                mount.get("readOnly") for mount in container.get("volumeMounts", []) if mount["name"] == "secrets"
            ):
                yield f"{name}: may write where its secrets are"
        for setting, path in files.items():
            if path != MOUNT + KEYS[component].get(setting, "\0"):
                yield f"{name}: {setting} is {path}; ADR 40 gives {component} {KEYS[component].get(setting, 'no such file')}"
        if component != "migrate" and mounted != {path.removeprefix(MOUNT) for path in files.values()}:
            yield f"{name}: mounts {sorted(mounted)}, but reads {sorted(files.values())}"


# Names and settings


@rule
def settings_exist(manifests):
    for name, labels, spec, _ in manifests.workloads:
        component = component_of(labels)
        if component in (None, "web"):
            continue
        program = "praxis" if component == "migrate" else component
        for container in spec["containers"]:
            given = {setting.removesuffix("_FILE") for setting in variables(manifests, container)}
            for setting in sorted(given):
                if program not in settings().get(setting, ([], []))[0]:
                    yield f"{name}: {setting} is no setting of {program} (docs/configuration.md)"
            for setting, (_, required) in settings().items():
                if program in required and setting not in given:
                    yield f"{name}: {setting} is missing, without which {program} does not start"


@rule
def names_of_adr_40(manifests):
    for name, labels, spec, workload in manifests.workloads:
        component = component_of(labels)
        if component is None:
            continue
        release = workload["metadata"]["labels"].get("app.kubernetes.io/instance", "")
        wanted = dict(labels, **{"app.kubernetes.io/part-of": "praxis"})
        for label in ("app.kubernetes.io/version", "app.kubernetes.io/managed-by"):
            wanted.setdefault(label, "…")
        if wanted != labels:
            yield f"{name}: lacks labels: {sorted(set(wanted.items()) - set(labels.items()))}"
        if spec.get("serviceAccountName") != release:
            yield f"{name}: its service account is called {spec.get('serviceAccountName')}, not {release}"
        if not any(account["metadata"].get("name") == release for account in manifests.of("ServiceAccount")):
            yield f"{name}: there is no ServiceAccount {release}"
        if workload["kind"] == "Deployment":
            if workload["metadata"]["name"] != release:
                yield f"{name}: is not called as its release {release}"
            if not any(one["metadata"]["name"] == release for one in manifests.of("Service")):
                yield f"{name}: there is no Service {release}"
            ports = {port["name"]: port["containerPort"] for port in spec["containers"][0]["ports"]}
            if not ports.items() <= {"http": 8080, "admin": 9090}.items():
                yield f"{name}: its ports are {ports}, not http 8080 and admin 9090"
        if component == "projector":
            fingerprint = labels.get("praxis.dev/fingerprint", "")
            if not re.fullmatch(r"[0-9a-f]{16}", fingerprint) or release != f"projector-{fingerprint[:8]}":
                yield f"{name}: is called {release}, and its fingerprint is {fingerprint or 'missing'}"
        images = {"migrate": "praxis"}
        for container in containers(spec):
            if not re.search(rf"/praxis/{images.get(component, component)}[:@]", container["image"]):
                yield f"{name}: runs {container['image']}, not the image of {component}"


def load(path):
    return list(yaml.load_all(pathlib.Path(path).read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def faults(manifests):
    """(rule, fault) for each that was found."""
    return [(name, fault) for name, check in RULES.items() for fault in check(manifests)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", choices=("dev", "stage", "prod"), default="dev")
    parser.add_argument("--secrets", action="append", default=[], metavar="FILE")
    parser.add_argument("manifests")
    arguments = parser.parse_args()
    secrets = [one for path in arguments.secrets for one in load(path) if one and one["kind"] == "ExternalSecret"]
    manifests = Manifests(load(arguments.manifests), arguments.environment, secrets)
    found = faults(manifests)
    for name, fault in found:
        print(f"{name}: {fault}")
    print(f"{len(RULES)} rules, {len(manifests.workloads)} workloads, {len(found)} faults")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
