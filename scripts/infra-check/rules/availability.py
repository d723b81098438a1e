"""What keeps a service there: disruptions, spread, probes, rollouts, scaling."""

import re

from manifests import component_of, containers, selects, title, variables
from rules.registry import rule


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
