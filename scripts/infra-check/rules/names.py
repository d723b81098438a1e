"""What ADR 40 and docs/configuration.md name."""

import functools
import pathlib
import re

from manifests import component_of, containers, variables
from rules.registry import rule

ROOT = pathlib.Path(__file__).resolve().parents[3]


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
