"""Does each rule of policies.py refuse what it is for?

A rule that cannot fail would not be noticed by manifests that are good. So each has cases: a rendered release, which
passes, and one change to it, which exactly this rule must refuse.

Usage: policies_test.py DIRECTORY    the rendered manifests, as <chart>/<release>.yaml
"""

import copy
import pathlib
import sys

import policies

PLATFORM = "praxis-platform/*"
COMMAND, QUERY, PROJECTOR = (
    "praxis-service/command-api-prod",
    "praxis-service/query-api-dev",
    "praxis-service/projector-prod",
)
MIGRATE = "praxis-migrate/migrate-prod"
CASES = []


def refused(rule, base):
    """Registers a change to the manifests of `base` that `rule` refuses."""

    def register(change):
        CASES.append((rule, base, change))
        return change

    return register


def one(objects, kind):
    return next(found for found in objects if found["kind"] == kind)


def pod(objects):
    return one(objects, "Deployment")["spec"]["template"]["spec"]


def container(objects):
    return pod(objects)["containers"][0]


def without(objects, kind):
    objects[:] = [found for found in objects if found["kind"] != kind]


@refused("image-by-digest", COMMAND)
def a_service_of_prod_without_a_digest(objects):
    container(objects)["image"] = container(objects)["image"].partition("@")[0]


@refused("image-by-digest", MIGRATE)
def a_first_container_of_prod_without_a_digest(objects):
    first = one(objects, "Job")["spec"]["template"]["spec"]["initContainers"][0]
    first["image"] = first["image"].partition("@")[0]


@refused("image-by-version", QUERY)
def the_latest_image(objects):
    container(objects)["image"] = container(objects)["image"].rpartition(":")[0] + ":latest"


@refused("image-by-version", QUERY)
def an_image_of_no_version(objects):
    container(objects)["image"] = "registry.example:5000/praxis/query-api@sha256:" + "0" * 64


@refused("root-file-system-read-only", COMMAND)
def a_writable_root(objects):
    container(objects)["securityContext"]["readOnlyRootFilesystem"] = False


@refused("root-file-system-read-only", MIGRATE)
def a_writable_root_of_a_first_container(objects):
    del one(objects, "Job")["spec"]["template"]["spec"]["initContainers"][0]["securityContext"][
        "readOnlyRootFilesystem"
    ]


@refused("resources", COMMAND)
def no_limit_of_memory(objects):
    del container(objects)["resources"]["limits"]


@refused("resources", COMMAND)
def no_request_of_cpu(objects):
    del container(objects)["resources"]["requests"]["cpu"]


@refused("no-service-account-token", COMMAND)
def a_mounted_token(objects):
    del pod(objects)["automountServiceAccountToken"]


@refused("network-policy", MIGRATE)
def no_network_policy(objects):
    without(objects, "NetworkPolicy")


@refused("network-policy", COMMAND)
def a_network_policy_for_one_direction(objects):
    for policy in objects:
        if policy["kind"] == "NetworkPolicy":
            policy["spec"]["policyTypes"] = ["Ingress"]


@refused("network-policy-names-peers", COMMAND)
def a_way_out_to_everybody(objects):
    del one(objects, "NetworkPolicy")["spec"]["egress"][0]["to"]


@refused("network-policy-names-peers", COMMAND)
def a_way_in_from_the_internet(objects):
    one(objects, "NetworkPolicy")["spec"]["ingress"][0]["from"] = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]


@refused("network-policy-reaches-services", COMMAND)
def a_way_out_by_a_label_of_the_pods_only(objects):
    policy = next(one for one in objects if one["kind"] == "NetworkPolicy" and one["metadata"]["name"].endswith("-test"))
    policy["spec"]["egress"][0]["to"][0]["podSelector"] = {"matchLabels": {"app.kubernetes.io/part-of": "praxis"}}


@refused("https-only", COMMAND)
def a_listener_for_http(objects):
    ports = '[{"HTTP": 80}, {"HTTPS": 443}]'
    one(objects, "Ingress")["metadata"]["annotations"]["alb.ingress.kubernetes.io/listen-ports"] = ports


@refused("https-only", QUERY)
def a_route_to_any_listener(objects):
    del one(objects, "HTTPRoute")["spec"]["parentRefs"][0]["sectionName"]


@refused("backends-exist", QUERY)
def a_route_to_no_service(objects):
    one(objects, "HTTPRoute")["spec"]["rules"][0]["backendRefs"][0]["port"] = 80


@refused("backends-exist", COMMAND)
def an_ingress_without_its_action(objects):
    del one(objects, "Ingress")["metadata"]["annotations"]["alb.ingress.kubernetes.io/actions.commands"]


@refused("ports-exist", COMMAND)
def a_probe_of_no_port(objects):
    container(objects)["readinessProbe"]["httpGet"]["port"] = "metrics"


@refused("ports-exist", COMMAND)
def a_network_policy_for_no_port(objects):
    one(objects, "NetworkPolicy")["spec"]["ingress"][0]["ports"][0]["port"] = "https"


@refused("services-select-pods", QUERY)
def a_service_of_nobody(objects):
    one(objects, "Service")["spec"]["selector"]["app.kubernetes.io/instance"] = "query"


@refused("services-select-pods", QUERY)
def a_service_that_selects_nothing(objects):
    del one(objects, "Service")["spec"]["selector"]


@refused("service-monitors-find-services", COMMAND)
def a_monitor_of_no_port(objects):
    one(objects, "ServiceMonitor")["spec"]["endpoints"][0]["port"] = "metrics"


@refused("service-monitors-find-services", COMMAND)
def a_monitor_of_no_service(objects):
    one(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] = "commands"


@refused("disruption-budget", PROJECTOR)
def no_disruption_budget(objects):
    without(objects, "PodDisruptionBudget")


@refused("disruption-budget", PROJECTOR)
def a_budget_that_lets_no_node_be_drained(objects):
    one(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] = 0


@refused("spread", COMMAND)
def all_in_one_zone(objects):
    constraints = pod(objects)["topologySpreadConstraints"]
    constraints[:] = [found for found in constraints if "zone" not in found["topologyKey"]]


@refused("spread", COMMAND)
def a_failed_zone_that_counts(objects):
    for constraint in pod(objects)["topologySpreadConstraints"]:
        del constraint["nodeTaintsPolicy"]


@refused("probes", COMMAND)
def no_startup_probe(objects):
    del container(objects)["startupProbe"]


@refused("probes", COMMAND)
def no_readiness_probe(objects):
    del container(objects)["readinessProbe"]


@refused("stops-in-time", COMMAND)
def no_pre_stop(objects):
    del container(objects)["lifecycle"]


@refused("stops-in-time", PROJECTOR)
def a_projector_killed_in_its_batch(objects):
    pod(objects)["terminationGracePeriodSeconds"] = 60


@refused("config-checksum", COMMAND)
def no_checksum_of_the_settings(objects):
    del one(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]


@refused("has-helm-test", COMMAND)
def no_helm_test(objects):
    without(objects, "Pod")


@refused("one-scaler", PROJECTOR)
def hpa_and_keda_at_once(objects):
    name = one(objects, "Deployment")["metadata"]["name"]
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": name}, "maxReplicas": 3}
    spec["behavior"] = {"scaleUp": {}, "scaleDown": {}}
    objects.append(
        {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": {"name": name}, "spec": spec}
    )


@refused("one-scaler", COMMAND)
def replicas_beside_an_autoscaler(objects):
    one(objects, "Deployment")["spec"]["replicas"] = 2


@refused("scaler-behaviour", COMMAND)
def an_autoscaler_of_any_pace(objects):
    del one(objects, "HorizontalPodAutoscaler")["spec"]["behavior"]


@refused("scaler-behaviour", COMMAND)
def an_old_autoscaler(objects):
    one(objects, "HorizontalPodAutoscaler")["apiVersion"] = "autoscaling/v1"


@refused("within-partitions", PROJECTOR)
def more_projectors_than_partitions(objects):
    one(objects, "ScaledObject")["spec"]["maxReplicaCount"] = 13


@refused("within-partitions", PROJECTOR)
def a_projector_more_while_rolling_out(objects):
    one(objects, "Deployment")["spec"]["strategy"]["rollingUpdate"]["maxSurge"] = 1


@refused("scales-on-own-group", PROJECTOR)
def the_lag_of_a_group_that_nobody_reads_with(objects):
    trigger = one(objects, "ScaledObject")["spec"]["triggers"][0]["metadata"]
    trigger["consumerGroup"] = "praxis-views-5f0c1d2e3a4b5c6d"


@refused("no-secret-in-environment", COMMAND)
def a_secret_as_a_variable(objects):
    reference = {"secretKeyRef": {"name": "praxis-application", "key": "kek"}}
    container(objects)["env"].append({"name": "PRAXIS_LOG", "valueFrom": reference})


@refused("no-secret-in-environment", COMMAND)
def an_address_with_a_password(objects):
    one(objects, "ConfigMap")["data"]["PRAXIS_OTLP_ENDPOINT"] = "http://praxis:praxis@collector:4318"


@refused("no-secret-in-environment", COMMAND)
def a_whole_secret_as_variables(objects):
    container(objects)["envFrom"].append({"secretRef": {"name": "praxis-jwt"}})


@refused("secret-keys-exist", MIGRATE)
def a_secret_that_nobody_makes(objects):
    volume = one(objects, "Job")["spec"]["template"]["spec"]["volumes"][0]
    volume["projected"]["sources"][0]["secret"]["name"] = "praxis-databases"


@refused("secret-keys-exist", PROJECTOR)
def a_password_that_nobody_brings(objects):
    one(objects, "TriggerAuthentication")["spec"]["secretTargetRef"][0]["key"] = "kafka-user"


@refused("secrets-of-adr-40", COMMAND)
def the_rights_of_another_program(objects):
    wanted = next(entry for entry in container(objects)["env"] if entry["name"] == "PRAXIS_EVENTS_URL_FILE")
    wanted["value"] = "/run/secrets/praxis/projector-events-url"


@refused("secrets-of-adr-40", QUERY)
def a_key_that_is_not_needed(objects):
    items = next(source["secret"]["items"] for source in pod(objects)["volumes"][0]["projected"]["sources"])
    items.append({"key": "command-api-events-url", "path": "command-api-events-url"})


@refused("settings-exist", COMMAND)
def a_misspelt_setting(objects):
    one(objects, "ConfigMap")["data"]["PRAXIS_LOGS"] = "info"


@refused("settings-exist", QUERY)
def a_setting_of_another_program(objects):
    one(objects, "ConfigMap")["data"] = {"PRAXIS_QUEUE_MEMBERS_MAX": "100"}


@refused("settings-exist", PROJECTOR)
def a_missing_setting(objects):
    del one(objects, "ConfigMap")["data"]["PRAXIS_KAFKA_BROKERS"]


@refused("names-of-adr-40", COMMAND)
def another_port(objects):
    container(objects)["ports"][0]["containerPort"] = 9091


@refused("names-of-adr-40", COMMAND)
def an_account_that_is_not_there(objects):
    without(objects, "ServiceAccount")


@refused("names-of-adr-40", COMMAND)
def a_label_less(objects):
    del one(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/part-of"]


@refused("names-of-adr-40", PROJECTOR)
def a_projector_of_another_fingerprint(objects):
    labels = one(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    labels["praxis.dev/fingerprint"] = "0" * 16


@refused("names-of-adr-40", QUERY)
def the_image_of_another_program(objects):
    container(objects)["image"] = container(objects)["image"].replace("query-api", "command-api")


def environment_of(base):
    return base.rpartition("-")[2]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    directory, wrong = pathlib.Path(sys.argv[1]), []
    secrets = [
        found
        for file in directory.glob(f"{PLATFORM}.yaml")
        for found in policies.load(file)
        if found and found["kind"] == "ExternalSecret"
    ]
    for rule, base, change in CASES:
        objects = [found for found in policies.load(directory / f"{base}.yaml") if found]
        good = policies.faults(policies.Manifests(copy.deepcopy(objects), environment_of(base), secrets))
        change(objects)
        found = {name for name, _ in policies.faults(policies.Manifests(objects, environment_of(base), secrets))}
        if good:
            wrong.append(f"{base} is not good to begin with: {good}")
        if found != {rule}:
            wrong.append(f"{change.__name__}: {rule} should refuse it; refused by {sorted(found) or 'none'}")
    wrong += [
        f"{rule}: has no case that it refuses" for rule in sorted(set(policies.RULES) - {case[0] for case in CASES})
    ]
    print("\n".join(wrong))
    print(f"{len(CASES)} cases of {len(policies.RULES)} rules, {len(wrong)} wrong")
    sys.exit(bool(wrong))


main()
