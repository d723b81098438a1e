"""Does gitops_check.py refuse what it should? Each case breaks one thing in a copy: what is refused, how it is broken,
and, where several reasons are possible, a word of the right one."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def edit(file, pattern, words):
    text = file.read_text(encoding="utf-8")
    changed = re.sub(pattern, words, text, count=1, flags=re.MULTILINE)
    assert changed != text, f"{file} has no {pattern}"
    file.write_text(changed, encoding="utf-8")


def move(file, name):
    file.rename(file.with_name(name))


CASES = [
    ("stage: only its own values", lambda gitops: edit(gitops / "clusters/environment/Kustomization", r"spec\.sources\.0\.helm\.valueFiles\.2, ", "")),
    ("prod: only its own values", lambda gitops: edit(
        gitops / "clusters/environment/Kustomization", r"(kube-prometheus-stack\}\n.*), spec\.sources\.0\.helm\.valueFiles\.2", r"\1")),
    ("prod: its charts with its values", lambda gitops: edit(gitops / "values/prod/query-api.yaml", r"digest: .*", 'digest: ""')),
    ("dev: its charts with its values", lambda gitops: edit(gitops / "values/dev/command-api.yaml", r"^image:", "replica: 3\nimage:")),
    ("dev: Terraform's facts", lambda gitops: edit(gitops / "values/dev/cluster.yaml", r"region: .*", 'region: "eu-west-1"')),
    ("prod: the projectors' names", lambda gitops: move(min((gitops / "values/prod/projectors").glob("*.yaml")), "11111111.yaml")),
    ("prod: argocd-source-lint", lambda gitops: edit(gitops / "apps/keda.yaml", r"gitops/smoke/keda", "gitops/smoke/kada")),
    ("dev: the kinds of Argo CD", lambda gitops: edit(gitops / "apps/keda.yaml", r"^  project:", "  projekt:")),
    ("prod: its charts with its values", lambda gitops: edit(gitops / "values/prod/from-terraform/command-api.yaml", r"username: .*", 'username: "praxis"\nconfig: {PRAXIS_LOGS: info}'),
     "PRAXIS_LOGS is no setting of command-api"),
    ("dev: its charts with its values", lambda gitops: edit(
        gitops / "smoke/platform/networkpolicy.yaml", r"matchExpressions:\n.*", "matchLabels: {app.kubernetes.io/part-of: praxis}"),
     "not to its address"),
    ("stage: its charts with its values", lambda gitops: edit(gitops / "projects/praxis.yaml", r".*kind: ScaledObject.*\n", ""), "does not let it make ScaledObject"),
    ("prod: its charts with its values", lambda gitops: edit(gitops / "projects/platform.yaml", r".*namespace: monitoring.*\n", ""),
     "does not let it into monitoring"),
    ("dev: what controllers must be told", lambda gitops: edit(gitops / "argocd/values.yaml", r"^    controller.diff.server.side: .*\n", ""), "is None, not True"),
    ("stage: what controllers must be told", lambda gitops: edit(gitops / "apps/command-api.yaml", r"^ *refresh: true\n", ""), "command-api: tries"),
    ("prod: what controllers must be told", lambda gitops: edit(gitops / "root.yaml", r"- ServerSideApply=true", "- Validate=true"), "root: is not applied"),
    ("stage: rendering", lambda gitops: (gitops / "apps/reloader.yaml").unlink()),
]


def main():
    failed = 0
    for words, break_it, *says in CASES:
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            for part in ("gitops", "helm", "scripts/lib"):
                shutil.copytree(PROJECT / part, copy / part)
            shutil.copy(PROJECT / "scripts/cluster-values.sh", copy / "scripts")
            break_it(copy / "gitops")
            checker = [sys.executable, str(PROJECT / "scripts/infra-check/gitops_check.py"), folder, words.split(":", maxsplit=1)[0]]
            ended = subprocess.run(checker, capture_output=True, text=True, check=False)
            if ended.returncode == 0 or any(said not in ended.stdout for said in [f"FAIL {words}", *says]):
                failed += 1
                print(f"FAIL not refused: {words}\n{ended.stdout}{ended.stderr}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
