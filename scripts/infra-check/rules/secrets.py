"""Where secrets come from, and that none is a variable."""

import re

from manifests import component_of, containers, title, variables
from rules.registry import rule

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
