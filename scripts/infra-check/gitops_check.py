"""Is what Argo CD would be told sound, for each environment? Usage: gitops_check.py [PROJECT [ENV]]; the tools of install.sh
and kubectl are on the PATH. Renders gitops/clusters/<env> and every chart of ours with the values it names, in order.
Last line: 'N passed, N failed'."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

import policies

ENVIRONMENTS = ("dev", "stage", "prod")
HERE = pathlib.Path(__file__).resolve().parent
CLUSTER_WIDE = ("Namespace", "PriorityClass", "ClusterSecretStore", "ClusterRole", "ClusterRoleBinding")
# What the controllers of others must be told, as nothing here shows that they were not: (file, keys, value, why).
TOLD = (
    ("gitops/argocd/values.yaml", ("configs", "params", "controller.diff.server.side"), True,
     "defaults of a CRD are drift to its own comparison, and self-heal would never rest"),
    ("gitops/values/common/keda.yaml", ("prometheus", "operator", "enabled"), True,
     "praxis-platform watches its metrics, which it does not tell by default"),
)


def run(*command, **options):
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if ended.returncode:
        raise ValueError((ended.stdout + ended.stderr).strip()[-1500:])
    return ended.stdout


def expanded(application_set, project):
    """The Applications that Argo CD would make of the files; the few words of its templates that we use."""
    pattern = application_set["spec"]["generators"][0]["git"]["files"][0]["path"]
    files = sorted(project.glob(pattern))
    if not files:
        raise ValueError(f"{pattern} matches no file")
    for file in files:
        folder = file.parent.relative_to(project)
        words = {
            'trimSuffix ".yaml" .path.filename': file.stem,
            ".path.filename": file.name,
            ".path.path": str(folder),
            "dir .path.path": str(folder.parent),
            "base (dir .path.path)": folder.parent.name,
        }

        def word(match, words=words):
            if match[1] not in words:
                raise ValueError(f"this check does not know {match[0]}")
            return words[match[1]]

        def filled(value, word=word):
            if isinstance(value, dict):
                return {key: filled(inner) for key, inner in value.items()}
            if isinstance(value, list):
                return [filled(inner) for inner in value]
            return re.sub(r"\{\{ *(.*?) *\}\}", word, value) if isinstance(value, str) else value

        template = filled(application_set["spec"]["template"])
        template["metadata"]["namespace"] = "argocd"
        yield {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **template}


def paths_of(application, project):
    """The files of values of the first source, in order."""
    source = application["spec"]["sources"][0]
    for name in source.get("helm", {}).get("valueFiles", []):
        path = project / name.removeprefix("$values/") if name.startswith("$values/") else project / source["path"] / name
        if not path.is_file():
            raise ValueError(f"{application['metadata']['name']}: there is no {name}")
        yield path


def forbidden(application, made, projects):
    """What an Application makes, of our charts and smoke Jobs, and its AppProject does not let it."""
    allowed = projects[application["spec"]["project"]]
    namespaces = {each["namespace"] for each in allowed["destinations"]}
    for each in made:
        group, kind = each["apiVersion"].rpartition("/")[0], each["kind"]
        kinds = allowed.get("clusterResourceWhitelist" if kind in CLUSTER_WIDE else "namespaceResourceWhitelist")
        if kinds is not None and {"group": group, "kind": kind} not in kinds:
            yield application["metadata"]["name"], f"its project {application['spec']['project']} does not let it make {kind}"
        namespace = each["metadata"].get("namespace", application["spec"]["destination"]["namespace"])
        if kind not in CLUSTER_WIDE and namespace not in namespaces:
            yield application["metadata"]["name"], f"its project {application['spec']['project']} does not let it into {namespace}"


def renders(applications, projects, environment, project, out):
    """Every chart of ours takes the values that its Application names, and makes objects that Kubernetes knows, that its
    project allows and that policies.py lets pass, each release by itself and all of them side by side."""
    releases, found = {}, []
    for application in applications:
        source, *others = application["spec"]["sources"]
        values = list(paths_of(application, project))
        smoke = [each for other in others if "path" in other for file in sorted((project / other["path"]).glob("*.yaml"))
                 for each in policies.load(file)]
        found += forbidden(application, smoke, projects)
        if "path" not in source:
            continue
        release = source["helm"]["releaseName"]
        text = run("helm", "template", release, project / source["path"], "--namespace", "praxis", "--kube-version",
                   "1.35.0", *(f"--values={path}" for path in values))
        file = out / f"{release}.yaml"
        file.write_text(text, encoding="utf-8")
        run(sys.executable, HERE / "manifest_check.py", "-k", "1.35", file)
        releases[release] = [each for each in policies.load(file) if each]
        found += forbidden(application, releases[release], projects)
    secrets = [each for each in releases["platform"] if each["kind"] == "ExternalSecret"]
    found += [fault for objects in releases.values()
              for fault in policies.faults(policies.Manifests(objects, environment, secrets))]
    everything = [each for objects in releases.values() for each in objects]
    for file in sorted((project / "gitops/smoke").glob("*/*.yaml")):
        everything += policies.load(file)
    reach = policies.RULES["network-policy-reaches-services"]
    found += [("side by side", fault) for fault in reach(policies.Manifests(everything, environment))]
    if found:
        raise ValueError("\n     ".join(f"{name}: {fault}" for name, fault in found))


def controllers_are_told(objects, project):
    """TOLD; and what each Application must say for a cluster to come to rest, and to take the commit that mends it."""
    wrong = []
    for name, keys, wanted, why in TOLD:
        value = yaml.safe_load((project / name).read_text(encoding="utf-8"))
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value != wanted:
            wrong.append(f"{name}: {'.'.join(keys)} is {value}, not {wanted}: {why}")
    root = yaml.safe_load((project / "gitops/root.yaml").read_text(encoding="utf-8"))
    for each in [root, *objects]:
        name, policy = each["metadata"]["name"], each["spec"]["syncPolicy"]
        if not policy["automated"].get("selfHeal"):
            wrong.append(f"{name}: does not heal itself")
        if "ServerSideApply=true" not in policy.get("syncOptions", []):
            wrong.append(f"{name}: is not applied by the server, by which it is compared")
        if not policy["retry"].get("refresh"):
            wrong.append(f"{name}: tries a commit that failed again and again, and not the one that mends it")
    if wrong:
        raise ValueError("\n     ".join(wrong))


def names_only(environment, objects):
    """A path of another environment is one that gitops/clusters/environment does not replace."""
    for each in objects:
        for other in re.findall(r"values[-/](\w+)", json.dumps(each["spec"])):
            if other in ENVIRONMENTS and other != environment:
                raise ValueError(f"{each['kind']} {each['metadata']['name']} names values of {other}")


def facts_are_used(environment, project, out):
    """from-terraform/ is what cluster-values.sh makes of cluster.yaml."""
    folder = project / "gitops/values" / environment
    facts = out / "facts.json"
    facts.write_text(json.dumps(yaml.safe_load((folder / "cluster.yaml").read_text(encoding="utf-8"))), encoding="utf-8")
    run(project / "scripts/cluster-values.sh", environment, "--facts", facts, "--check", "--into", folder)


def projectors_are_named_by_their_fingerprint(environment, project):
    for file in (project / "gitops/values" / environment / "projectors").glob("*"):
        fingerprint = yaml.safe_load(file.read_text(encoding="utf-8"))["fingerprint"]
        if file.name != f"{fingerprint[:8]}.yaml":
            raise ValueError(f"{file.name} is of fingerprint {fingerprint}")


def lint(objects, project, out):
    """argocd-source-lint in a repository that has the rendered Applications and the address they name: elsewhere it takes
    every source for somebody else's and looks at none."""
    tree = out / "tree"
    (tree / "applications").mkdir(parents=True)
    for folder in ("helm", "gitops/values", "gitops/smoke", "gitops/argocd"):
        shutil.copytree(project / folder, tree / folder)
    for each in objects:
        (tree / "applications" / f"{each['kind']}-{each['metadata']['name']}.yaml").write_text(yaml.safe_dump(each), encoding="utf-8")
    address = next(source["repoURL"] for each in objects if each["kind"] == "Application"
                   for source in each["spec"]["sources"] if "path" in source)
    for command in (["init", "-q", "-b", "main"], ["remote", "add", "origin", address], ["add", "-A"],
                    ["-c", "user.name=check", "-c", "user.email=check@example.org", "commit", "-qm", "rendered"]):
        run("git", "-C", tree, *command)
    told = subprocess.run(["argocd-source-lint", str(tree), "--format", "json"], capture_output=True, text=True, check=False)
    findings = json.loads(told.stdout)["findings"]
    # One chart is the release of several Applications, under other names each time; the linter sees only the folder.
    findings = [each for each in findings if each["rule_id"] != "double-coverage" or not each["file"].startswith("helm/praxis-service/")]
    for each in findings:
        if address in each["message"] and "external repo" in each["message"]:
            raise ValueError("the linter takes our own sources for somebody else's")
    bad = [f"{each['rule_id']}: {each['message']} ({each['file']})" for each in findings if each["severity"] in ("error", "warning")]
    if bad:
        raise ValueError("\n     ".join(bad))


def main():
    project = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parents[1]).resolve()
    passed = failed = 0
    for environment in sys.argv[2:] or ENVIRONMENTS:
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder)
            try:
                objects = list(yaml.safe_load_all(run("kubectl", "kustomize", project / "gitops/clusters" / environment)))
                sets = [each for each in objects if each["kind"] == "ApplicationSet"]
                projects = {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "AppProject"}
                applications = [each for each in objects if each["kind"] == "Application"]
                applications += [made for each in sets for made in expanded(each, project)]
            except (ValueError, KeyError) as error:
                failed += 1
                print(f"FAIL {environment}: rendering\n     {error}")
                continue
            (out / "objects.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
            checks = {
                "the kinds of Argo CD": lambda: run(sys.executable, HERE / "manifest_check.py", "-k", "1.35", out / "objects.yaml"),
                "only its own values": lambda: names_only(environment, objects),
                "its charts with its values": lambda: renders(applications, projects, environment, project, out),
                "what controllers must be told": lambda: controllers_are_told(applications, project),
                "Terraform's facts": lambda: facts_are_used(environment, project, out),
                "the projectors' names": lambda: projectors_are_named_by_their_fingerprint(environment, project),
                "argocd-source-lint": lambda: lint([each for each in objects if each["kind"] == "AppProject"] + applications, project, out),
            }
            for name, check in checks.items():
                try:
                    check()
                    passed += 1
                except ValueError as error:
                    failed += 1
                    print(f"FAIL {environment}: {name}\n     {error}")
    print(f"{passed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
