"""Which images run, and what a container may do and take."""

import re

from manifests import containers
from rules.registry import rule


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
