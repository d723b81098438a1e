"""Would the alerts reach somebody, in each environment? Usage: alertmanager_check.py [PROJECT]. amtool reads the Alertmanager
configuration as the chart would be given it, says where an alert of each severity goes, and writes a message.
Last line: 'N passed, N failed'."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ENVIRONMENTS = ("dev", "stage", "prod")
HERE = pathlib.Path(__file__).resolve().parent
RELEASE = "kube-prometheus-stack.yaml"
ROUTES = (
    ("page", ["alertname=PraxisNoReplicaAvailable", "severity=critical"]),
    ("ticket", ["alertname=PraxisReplicasNotReady", "severity=warning"]),
    ("ticket", ["alertname=SaysNoSeverity"]),
    ("nobody", ["alertname=CPUThrottlingHigh", "severity=info"]),
    ("nobody", ["alertname=InfoInhibitor", "severity=none"]),
    ("heartbeat", ["alertname=Watchdog", "severity=none"]),
)
# A label that no message may repeat: who it is about would be found in an e-mail.
MESSAGE = {
    "receiver": "page", "status": "firing", "groupLabels": {"alertname": "PraxisJobFailed"},
    "commonLabels": {"environment": "prod", "anything": "Asha Invented"}, "commonAnnotations": {}, "externalURL": "",
    "alerts": [{
        "status": "firing", "startsAt": "2026-01-02T03:04:05Z",
        "labels": {"alertname": "PraxisJobFailed", "environment": "prod", "anything": "Asha Invented"},
        "annotations": {"summary": "A summary", "description": "A description", "runbook_url": "docs/runbook/alerts.md#x"},
    }],
}


def merged(under, over):
    """As Helm merges files of values: maps by key, everything else whole."""
    if isinstance(under, dict) and isinstance(over, dict):
        return {key: merged(under[key], over[key]) if key in under and key in over else over.get(key, under.get(key))
                for key in under.keys() | over.keys()}
    return over


class Environment:
    def __init__(self, project, name, amtool, folder):
        self.project, self.name, self.amtool = project, name, amtool
        values = {}
        for each in ("common", name, f"{name}/from-terraform"):
            values = merged(values, yaml.safe_load((project / "gitops/values" / each / RELEASE).read_text(encoding="utf-8")))
        self.config = values["alertmanager"]["config"]
        for file, text in values["alertmanager"]["templateFiles"].items():
            (folder / file).write_text(text, encoding="utf-8")
        # The chart mounts them beside the configuration.
        self.glob = f"{folder}/{pathlib.Path(self.config['templates'][0]).name}"
        self.file = folder / "alertmanager.yaml"
        self.file.write_text(yaml.safe_dump({**self.config, "templates": [self.glob]}), encoding="utf-8")

    def told(self, *arguments):
        ended = subprocess.run([self.amtool, *map(str, arguments)], capture_output=True, text=True, check=False)
        if ended.returncode:
            raise ValueError((ended.stdout + ended.stderr).strip()[-1500:])
        return ended.stdout

    def configuration(self):
        self.told("check-config", self.file)

    def routes(self):
        for receiver, labels in ROUTES:
            self.told("config", "routes", "test", f"--config.file={self.file}", f"--verify.receivers={receiver}", *labels)

    def receivers(self):
        facts = yaml.safe_load((self.project / "gitops/values" / self.name / "cluster.yaml").read_text(encoding="utf-8"))
        told = {"nobody": [], "heartbeat": [facts["heartbeat_topic_arn"]]}
        for receiver in self.config["receivers"]:
            topics = [sns["topic_arn"] for sns in receiver.get("sns_configs", [])]
            if topics != told.get(receiver["name"], [facts["alarms_topic_arn"]]):
                raise ValueError(f"{receiver['name']} tells {topics or 'nobody'}")

    def heartbeat(self):
        """Often enough for CloudWatch's alarm, which counts in periods of five minutes; and an end is no beat."""
        route = next(each for each in self.config["route"]["routes"] if each["receiver"] == "heartbeat")
        minutes = sum(int(re.fullmatch(r"(\d+)m", route[each])[1]) for each in ("group_interval", "repeat_interval"))
        if minutes > 5:
            raise ValueError(f"a beat may take {minutes} minutes to follow the one before")
        if any(sns["send_resolved"] for each in self.config["receivers"] if each["name"] == "heartbeat" for sns in each["sns_configs"]):
            raise ValueError("the end of Watchdog would count as a beat")

    def inhibition(self):
        """Only a page silences, only a ticket is silenced, and both are alerts of ours."""
        rules = [rule for file in (self.project / "helm/praxis-platform/rules").glob("*.yaml")
                 for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
        known = {f'alertname = "{rule["alert"]}"': rule["labels"]["severity"] for rule in rules if "alert" in rule}
        known |= {f'severity = "{severity}"': severity for severity in ("critical", "warning")}
        for rule in self.config["inhibit_rules"]:
            for side, severity in (("source_matchers", "critical"), ("target_matchers", "warning")):
                for matcher in rule[side]:
                    if known.get(matcher) != severity:
                        raise ValueError(f"{side} {matcher} is {known.get(matcher, 'no alert of ours')}, not {severity}")

    def message(self):
        data = self.file.with_name("data.json")
        data.write_text(json.dumps(MESSAGE), encoding="utf-8")
        sns = next(each for each in self.config["receivers"] if each["name"] == "page")["sns_configs"][0]
        subject, message = (self.told("template", "render", f"--template.glob={self.glob}", f"--template.data={data}",
                                      f"--template.text={sns[part]}").strip() for part in ("subject", "message"))
        if subject != "Praxis prod page firing: PraxisJobFailed":
            raise ValueError(f"the subject is {subject!r}")
        for words in ("A summary", "A description", "docs/runbook/alerts.md#x", "2026-01-02 03:04 UTC"):
            if words not in message:
                raise ValueError(f"the message does not say {words!r}: {message!r}")
        if "Invented" in subject + message:
            raise ValueError("the message repeats labels")


def main():
    project = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parents[1]).resolve()
    amtool = subprocess.run([HERE / "promtool.sh", "amtool"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    passed = failed = 0
    for name in ENVIRONMENTS:
        with tempfile.TemporaryDirectory() as folder:
            environment = Environment(project, name, amtool, pathlib.Path(folder))
            for check in ("configuration", "routes", "receivers", "heartbeat", "inhibition", "message"):
                try:
                    getattr(environment, check)()
                    passed += 1
                except ValueError as error:
                    failed += 1
                    print(f"FAIL {name}: {check}\n     {error}")
    print(f"{passed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
