"""Does alertmanager_check.py refuse what it should? Each case breaks one thing in a copy."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from gitops_check_test import PROJECT, edit

COMMON = "common/kube-prometheus-stack.yaml"
CASES = {
    "dev: configuration": lambda values: edit(values / "dev/from-terraform/kube-prometheus-stack.yaml", r'"topic_arn"', '"topic"'),
    "stage: configuration": lambda values: edit(values / COMMON, r"receiver: page", "receiver: pager"),
    "prod: configuration": lambda values: edit(values / COMMON, r"\{\{ range \.Alerts \}\}", "{{ range }}"),
    "dev: routes": lambda values: edit(values / COMMON, r'severity = "critical"', 'severity = "page"'),
    "stage: routes": lambda values: edit(values / COMMON, r"receiver: ticket", "receiver: nobody"),
    "prod: routes": lambda values: edit(values / COMMON, r'alertname = "Watchdog"', 'alertname = "Watchdogs"'),
    "dev: receivers": lambda values: edit(values / "dev/from-terraform/kube-prometheus-stack.yaml", r"praxis-dev-heartbeat", "praxis-dev-alarms"),
    "dev: heartbeat": lambda values: edit(values / COMMON, r"repeat_interval: 4m", "repeat_interval: 24m"),
    "prod: heartbeat": lambda values: edit(values / "prod/from-terraform/kube-prometheus-stack.yaml", r'"send_resolved":false', '"send_resolved":true'),
    "prod: receivers": lambda values: edit(values / "prod/from-terraform/kube-prometheus-stack.yaml", r"praxis-prod-alarms", "praxis-dev-alarms"),
    "dev: inhibition": lambda values: edit(values / COMMON, r"PraxisErrorBudgetBurnsSlowly", "PraxisErrorBudgetBurnsSlow"),
    "stage: inhibition": lambda values: edit(values / COMMON, r"(source_matchers: .*)PraxisNoReplicaAvailable", r"\1PraxisReplicasNotReady"),
    "dev: message": lambda values: edit(values / COMMON, r"\.Annotations\.description", ".Labels"),
    "prod: message": lambda values: edit(values / COMMON, r"\.Annotations\.runbook_url", ".GeneratorURL"),
}


def main():
    failed = 0
    for words, break_it in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            for part in ("gitops/values", "helm/praxis-platform/rules"):
                shutil.copytree(PROJECT / part, copy / part)
            break_it(copy / "gitops/values")
            checker = [sys.executable, str(PROJECT / "scripts/infra-check/alertmanager_check.py"), folder]
            ended = subprocess.run(checker, capture_output=True, text=True, check=False)
            if ended.returncode == 0 or f"FAIL {words}" not in ended.stdout:
                failed += 1
                print(f"FAIL not refused: {words}\n{ended.stdout}{ended.stderr}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
