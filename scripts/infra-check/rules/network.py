"""Who may speak with whom, and do names of ports and Services lead somewhere?"""

import json

from manifests import containers, selects, title
from rules.registry import rule


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
