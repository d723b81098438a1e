"""What Argo CD would send to the cluster of an environment, from files alone. Usage: render.py PROJECT ENV FOLDER; kubectl and
helm are on the PATH.

Writes FOLDER/NN-<application>.yaml in the order of the sync waves; hooks apart in FOLDER/hooks/<application>.yaml, what only
`helm test` makes in FOLDER/tests/<application>.yaml; and FOLDER/argocd.yaml, the Applications and projects themselves. Of charts that are not ours only the values are in this
repository, so what they make is not here.
"""

import pathlib
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "infra-check"))
from gitops_check import expanded, paths_of, run  # noqa: E402  (found by the line above)


# What has no namespace of all that our charts and folders make.
CLUSTER_WIDE = ("Namespace", "PriorityClass", "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore")


def placed(each, namespace):
    """Where an object names no namespace, Argo CD puts it into that of the Application."""
    if each["kind"] not in CLUSTER_WIDE:
        each["metadata"].setdefault("namespace", namespace)
    return each


def wave(each):
    return int(each["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0"))


def folder_objects(source):
    """A path without a chart: a Kustomization, or all files in it."""
    folder = PROJECT / source["path"]
    if (folder / "Kustomization").exists():
        text = run("kubectl", "kustomize", patched(folder, source))
    else:
        text = "\n---\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.yaml")))
    return [each for each in yaml.safe_load_all(text) if each]


def patched(folder, source):
    """The Application's own patches of a Kustomization, on top of it."""
    overlay = OUT / "overlay" / folder.name
    overlay.mkdir(parents=True, exist_ok=True)
    base = overlay / "base"
    base.mkdir(exist_ok=True)
    for file in folder.iterdir():
        (base / file.name).write_bytes(file.read_bytes())
    (overlay / "Kustomization").write_text(
        yaml.safe_dump({"resources": ["base"], "patches": source.get("kustomize", {}).get("patches", [])}), encoding="utf-8")
    return overlay


def objects_of(application):
    namespace = application["spec"]["destination"].get("namespace")
    for source in application["spec"]["sources"]:
        if "path" not in source:
            continue
        if "helm" in source:
            values = (f"--values={path}" for path in paths_of(application, PROJECT))
            text = run("helm", "template", source["helm"]["releaseName"], PROJECT / source["path"], "--namespace", namespace,
                       "--kube-version", "1.35.0", *values)
            objects = [each for each in yaml.safe_load_all(text) if each]
        else:
            objects = folder_objects(source)
        yield from (placed(each, namespace) for each in objects)


def write(file, objects):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump_all(objects, width=1000), encoding="utf-8")


def part(each):
    annotations = each["metadata"].get("annotations", {})
    return "hooks" if "argocd.argoproj.io/hook" in annotations else "tests" if "helm.sh/hook" in annotations else "."


def main(environment):
    ours = list(yaml.safe_load_all(run("kubectl", "kustomize", PROJECT / "gitops/clusters" / environment)))
    applications = [each for each in ours if each["kind"] == "Application"]
    for each in ours:
        if each["kind"] == "ApplicationSet":
            applications += ({**application, "metadata": {**each["metadata"], **application["metadata"]}}
                             for application in expanded(each, PROJECT))
    write(OUT / "argocd.yaml", ours)
    for number, application in enumerate(sorted(applications, key=wave)):
        name, objects = application["metadata"]["name"], list(objects_of(application))
        # Argo CD sends the waves within an Application one after another too.
        write(OUT / f"{number:02}-{name}.yaml", sorted((each for each in objects if part(each) == "."), key=wave))
        for folder in ("hooks", "tests"):
            objects_there = [each for each in objects if part(each) == folder]
            if objects_there:
                write(OUT / folder / f"{name}.yaml", objects_there)


PROJECT, OUT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[3])
main(sys.argv[2])
