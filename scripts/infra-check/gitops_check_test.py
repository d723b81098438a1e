"""Does gitops_check.py refuse what it should? Each case breaks one thing in a copy."""

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


CASES = {
    "stage: only its own values": lambda gitops: edit(gitops / "clusters/environment/Kustomization", r"spec\.sources\.0\.helm\.valueFiles\.2, ", ""),
    "prod: only its own values": lambda gitops: edit(
        gitops / "clusters/environment/Kustomization", r"(kube-prometheus-stack\}\n.*), spec\.sources\.0\.helm\.valueFiles\.2", r"\1"),
    "prod: its charts with its values": lambda gitops: edit(gitops / "values/prod/query-api.yaml", r"digest: .*", 'digest: ""'),
    "dev: its charts with its values": lambda gitops: edit(gitops / "values/dev/command-api.yaml", r"^image:", "replica: 3\nimage:"),
    "dev: Terraform's facts": lambda gitops: edit(gitops / "values/dev/cluster.yaml", r"region: .*", 'region: "eu-west-1"'),
    "prod: the projectors' names": lambda gitops: move(min((gitops / "values/prod/projectors").glob("*.yaml")), "11111111.yaml"),
    "prod: argocd-source-lint": lambda gitops: edit(gitops / "apps/keda.yaml", r"gitops/smoke/keda", "gitops/smoke/kada"),
    "dev: the kinds of Argo CD": lambda gitops: edit(gitops / "apps/keda.yaml", r"^  project:", "  projekt:"),
    "stage: rendering": lambda gitops: (gitops / "apps/reloader.yaml").unlink(),
}


def main():
    failed = 0
    for words, break_it in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            for part in ("gitops", "helm", "scripts/lib"):
                shutil.copytree(PROJECT / part, copy / part)
            shutil.copy(PROJECT / "scripts/cluster-values.sh", copy / "scripts")
            break_it(copy / "gitops")
            checker = [sys.executable, str(PROJECT / "scripts/infra-check/gitops_check.py"), folder, words.split(":", maxsplit=1)[0]]
            ended = subprocess.run(checker, capture_output=True, text=True, check=False)
            if ended.returncode == 0 or f"FAIL {words}" not in ended.stdout:
                failed += 1
                print(f"FAIL not refused: {words}\n{ended.stdout}{ended.stderr}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
