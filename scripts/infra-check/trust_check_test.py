"""Does trust_check.py refuse what it should? Each case breaks one thing in a copy."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from gitops_check_test import PROJECT, edit

TRUST = "terraform/bootstrap/trust.json"
DEPLOY, RELEASE = ".github/workflows/deploy.yml", ".github/workflows/release.yml"
TERRAFORM, ENVIRONMENT = ".github/workflows/terraform.yml", ".github/workflows/terraform-environment.yml"
CASES = (
    ("roles", "there is no role", TRUST, r"-github-deploy", "-github-deployer"),
    ("roles", "does not take environment:terraform-<env>-plan", TRUST, r"environment:terraform-<env>-plan", "pull_request"),
    ("roles", "does not take any ref, by workflow_call", ENVIRONMENT, r"    environment: terraform-\$\{\{ inputs.environment \}\}\n", ""),
    ("roles", "does not take ref:refs/heads/feature/**", RELEASE, r"branches: \[main\]", 'branches: [main, "feature/**"]'),
    ("roles", "does not take any ref, by workflow_dispatch", RELEASE, r"on:\n", "on:\n  workflow_dispatch:\n"),
    ("subjects", "takes ref:refs/heads/*, which is no job's", TRUST, r"ref:refs/heads/main", "ref:refs/heads/*"),
    ("subjects", "takes pull_request, which is no job's", TRUST, r'\["environment:<env>"', '["pull_request", "environment:<env>"'),
    ("tokens", "without id-token", DEPLOY, r"      id-token: write.*\n", ""),
    ("variables", "in env of the workflow", RELEASE, r"vars.REGISTRY_REGION \}\}.amazonaws", "vars.AWS_REGION }}.amazonaws"),
    ("variables", "is not in the account REGISTRY_ACCOUNT_ID", DEPLOY, r"(role-to-assume: .*)vars.AWS_ACCOUNT_ID", r"\1vars.REGISTRY_ACCOUNT_ID"),
    ("variables", "in runs-on", DEPLOY, r"vars.DEPLOY_RUNNER &&", "vars.AWS_REGION &&"),
    ("asked", "whether it is there or not", RELEASE, r"    if: vars.DEPLOY_ON_MAIN .*\n", ""),
    ("home", "update-kubeconfig writes", DEPLOY, r"          KUBECONFIG: .*\n", ""),
    ("home", "auth setup-git writes", DEPLOY, r"(GIT_CONFIG_GLOBAL: ).*", r"\1/root/.gitconfig"),
    ("permissions", "grants id-token: none", TERRAFORM, r"      id-token: write.*\n", ""),
)


def main():
    failed = 0
    for check, words, path, pattern, replacement in CASES:
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            shutil.copytree(PROJECT / ".github", copy / ".github")
            (copy / TRUST).parent.mkdir(parents=True)
            shutil.copy(PROJECT / TRUST, copy / TRUST)
            edit(copy / path, pattern, replacement)
            checker = [sys.executable, str(PROJECT / "scripts/infra-check/trust_check.py"), folder]
            ended = subprocess.run(checker, capture_output=True, text=True, check=False)
            if ended.returncode == 0 or f"FAIL {check}" not in ended.stdout or words not in ended.stdout:
                failed += 1
                print(f"FAIL not refused: {check}: {words}\n{ended.stdout}{ended.stderr}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
