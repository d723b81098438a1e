#!/usr/bin/env python3
"""Do alerts, dashboards, objectives and runbook agree with each other and with what the services really tell?

usage: metrics_check.py [--promtool PATH] [--project DIR]

Checks, each with the reason it is one:
  rules       promtool parses every rule file
  tests       promtool's tests pass, and each alert has one in which it fires and one in which it does not
  annotated   each alert has a severity, a summary, a description and a link to its section of the runbook
  runbook     each section of the runbook is an alert's (or AWS' heartbeat's) and says all it must; links of runbook and objectives lead somewhere
  dashboards  the files are what dashboards.py writes, and promtool parses every expression
  metrics     every metric in an expression is in a real scrape, recorded by a rule, or in external-metrics.yaml, which
              holds nothing that is not used; labels of ours that are selected by are in the scrape too
  listed      docs/metrics.md has every metric of ours that a scrape has, for that program, and no other; types and labels too
  objectives  what docs/slo.md names is recorded
The last line counts: `N passed, M failed`.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

RULES = "helm/praxis-platform/rules"
DASHBOARDS = "helm/praxis-platform/dashboards"
RUNBOOK = "docs/runbook/alerts.md"
OF_AWS = {"heartbeat"}  # alarms of CloudWatch with a section: terraform/modules/observability
SLO = "docs/slo.md"
METRICS = "docs/metrics.md"
HERE = "scripts/infra-check"
SEVERITIES = {"critical", "warning"}
# What a scrape adds to every series, and what a rule adds to those it records.
ADDED_LABELS = {"job", "instance", "namespace", "pod", "container", "service", "endpoint", "le", "slo", "quantile"}
# What Grafana puts in place of its variables.
VARIABLES = {"$__rate_interval": "5m", "$__interval": "1m", "$__range": "1h", "$job": "command-api"}
WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "offset", "bool", "inf", "nan"}
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", re.I)
SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*\{([^}]*)\}")


def strings_removed(expression):
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', expression)


def metrics_of(expression):
    """The names of the series that an expression asks for."""
    bare = SELECTOR.sub(lambda found: found.group(1) or "", strings_removed(expression))
    bare = re.sub(r"\[[^\]]*\]", "", GROUPING.sub("", bare))
    names = re.findall(r"(?<![\w:.])([a-zA-Z_:][a-zA-Z0-9_:]*)(?!\s*\()(?![\w:])", bare)
    # A duration after `offset` begins with a digit and is no name.
    return {name for name in names if name.lower() not in WORDS}


def selected_labels(expression):
    """For each name, the labels in its braces."""
    found = {}
    for name, inside in SELECTOR.findall(strings_removed(expression)):
        labels = re.findall(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)", inside)
        found.setdefault(name, set()).update(labels)
    return found


def scraped(text):
    """Names of the series in a scrape, with the labels each has."""
    series = {}
    for line in text.splitlines():
        found = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ", line)
        if found:
            labels = re.findall(r'([a-zA-Z_]\w*)="', found.group(2) or "")
            series.setdefault(found.group(1), set()).update(labels)
    return series


def anchor(heading):
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


class Project:
    def __init__(self, root, promtool):
        self.root = pathlib.Path(root)
        self.promtool = promtool
        self.rule_files = sorted((self.root / RULES).glob("*.yaml"))
        self.test_files = sorted((self.root / RULES / "tests").glob("*.yaml"))
        rules = [
            rule
            for path in self.rule_files
            for group in yaml.safe_load(path.read_text())["groups"]
            for rule in group["rules"]
        ]
        self.alerts = {rule["alert"]: rule for rule in rules if "alert" in rule}
        self.recorded = {rule["record"] for rule in rules if "record" in rule}
        self.rules = rules
        self.boards = {path.name: json.loads(path.read_text()) for path in sorted((self.root / DASHBOARDS).glob("*.json"))}

    def text(self, path):
        whole = self.root / path
        return whole.read_text() if whole.exists() else ""

    def promtool_faults(self, *arguments):
        ended = subprocess.run([self.promtool, *map(str, arguments)], capture_output=True, text=True, check=False)
        return [] if ended.returncode == 0 else [(ended.stdout + ended.stderr).strip()]

    def expressions(self):
        """Every expression with the name of where it stands; Grafana's variables are put in."""
        for rule in self.rules:
            yield rule.get("alert") or rule["record"], str(rule["expr"])
        for name, board in self.boards.items():
            for panel in board["panels"]:
                for target in panel["targets"]:
                    expression = target["expr"]
                    for variable, value in VARIABLES.items():
                        expression = expression.replace(variable, value)
                    yield f"{name}: {panel['title']}", expression
            for variable in board["templating"]["list"]:
                asked = variable.get("query")
                inner = re.match(r"label_values\((.*),\s*\w+\)$", asked["query"]) if isinstance(asked, dict) else None
                if inner:
                    yield f"{name}: ${variable['name']}", inner.group(1)

    def check_rules(self):
        if not self.rule_files:
            return ["no rule files"]
        return self.promtool_faults("check", "rules", *self.rule_files)

    def check_tests(self):
        faults = self.promtool_faults("test", "rules", *self.test_files)
        fires, silent = set(), set()
        for path in self.test_files:
            for test in yaml.safe_load(path.read_text())["tests"]:
                for asked in test.get("promql_expr_test") or []:
                    for name in re.findall(r'ALERTS\{alertname="(\w+)"', asked["expr"]):
                        expected = asked.get("exp_samples")
                        if expected and 'alertstate="firing"' in asked["expr"]:
                            fires.add(name)
                        # Without any series nothing fires, and it would prove nothing.
                        elif not expected and test.get("input_series"):
                            silent.add(name)
        faults += [f"{name}: no test in which it fires" for name in sorted(self.alerts.keys() - fires)]
        faults += [f"{name}: no test in which it is silent" for name in sorted(self.alerts.keys() - silent)]
        faults += [f"{name}: tested, and no alert" for name in sorted((fires | silent) - self.alerts.keys())]
        return faults

    def check_annotated(self):
        faults, names = [], [rule["alert"] for rule in self.rules if "alert" in rule]
        faults += [f"{name}: defined twice" for name in sorted(set(names)) if names.count(name) > 1]
        sections = {anchor(heading) for heading in re.findall(r"^## (.+)$", self.text(RUNBOOK), re.M)}
        for name, rule in self.alerts.items():
            notes = rule.get("annotations", {})
            if rule.get("labels", {}).get("severity") not in SEVERITIES:
                faults.append(f"{name}: severity is not one of {sorted(SEVERITIES)}")
            faults += [f"{name}: no {note}" for note in ("summary", "description") if not notes.get(note)]
            page, _, section = notes.get("runbook_url", "").partition("#")
            if page != RUNBOOK or section != anchor(name) or section not in sections:
                faults.append(f"{name}: its runbook_url leads to no section: {notes.get('runbook_url')}")
        return faults

    def check_runbook(self):
        sections = re.split(r"^## ", self.text(RUNBOOK), flags=re.M)[1:]
        faults = ["the runbook has no section"] if not sections else []
        for section in sections:
            name, _, body = section.partition("\n")
            if name not in self.alerts and name not in OF_AWS:
                faults.append(f"{name}: a section without an alert")
            faults += [
                f"{name}: nothing under {part}"
                for part in ("Means", "Impact", "Look", "Do", "Escalate")
                if not re.search(rf"^\*\*{part}\.\*\* \S", body, re.M)
            ]
        for page in (RUNBOOK, SLO):
            anchors = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", self.text(page), re.M)}
            for target, section in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", self.text(page)):
                lost = not (self.root / page).parent.joinpath(target).exists() if target else section not in anchors
                faults += [f"{page}: a link leads nowhere: {target}#{section}"] if lost else []
        return faults

    def check_dashboards(self):
        generator = self.root / HERE / "dashboards.py"
        ended = subprocess.run([sys.executable, generator, "--check"], capture_output=True, text=True, check=False)
        faults = [] if ended.returncode == 0 else [ended.stderr.strip()]
        uids = [board["uid"] for board in self.boards.values()]
        faults += [f"{uid}: used twice" for uid in sorted(set(uids)) if uids.count(uid) > 1]
        wrapped = []
        for number, (where, expression) in enumerate(self.expressions()):
            if "$" in strings_removed(expression):
                faults.append(f"{where}: a variable nobody puts in: {expression}")
            wrapped.append({"record": f"check:expression:{number}", "expr": expression, "labels": {"place": where}})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "check", "rules": wrapped}]}, file, allow_unicode=True)
            file.flush()
            return faults + self.promtool_faults("check", "rules", file.name)

    def check_metrics(self):
        scrapes = sorted((self.root / HERE / "scrapes").glob("*.prom"))
        if not scrapes:
            return ["no scrape to compare with"]
        known = {}
        for path in scrapes:
            for name, labels in scraped(path.read_text()).items():
                known.setdefault(name, set()).update(labels)
        listed = yaml.safe_load(self.text(f"{HERE}/external-metrics.yaml"))
        external = {name for names in listed.values() for name in names}
        faults, used = [], set()
        for where, expression in self.expressions():
            for name in sorted(metrics_of(expression)):
                used.add(name)
                if name not in known and name not in self.recorded and name not in external:
                    faults.append(f"{where}: {name} is in no scrape, recorded by no rule and not listed as external")
            for name, labels in selected_labels(expression).items():
                if name in known:
                    strange = sorted(labels - known[name] - ADDED_LABELS)
                    faults += [f"{where}: {name} has no label {label}" for label in strange]
        faults += [f"{name}: listed as external and used nowhere" for name in sorted(external - used)]
        faults += [f"{name}: recorded and used nowhere" for name in sorted(self.recorded - used)]
        faults += [f"{name}: ours, and listed as external" for name in sorted(external) if name.startswith("praxis")]
        return faults

    def check_listed(self):
        listed = {}
        for line in self.text(METRICS).splitlines():
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) == 7 and cells[1].startswith("`praxis_"):
                # In brackets are the values of a label.
                labels = set(re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", cells[3])))
                listed[cells[1].strip("`")] = (cells[2], labels, set(cells[4].split(", ")))
        faults, told = [], {}
        scrapes = {path.stem: path.read_text() for path in sorted((self.root / HERE / "scrapes").glob("*.prom"))}
        for program, text in scrapes.items():
            series = scraped(text)
            for name, kind in re.findall(r"^# TYPE (praxis_\w+) (\w+)$", text, re.M):
                labels = series.get(f"{name}_count" if kind == "histogram" else name, set())
                told.setdefault(name, set()).add(program)
                known_kind, known_labels, programs = listed.get(name, (None, set(), set()))
                if not programs & {"all", program}:
                    faults.append(f"{METRICS}: {name} is told by {program} and not listed for it")
                elif (known_kind, known_labels) != (kind, labels):
                    faults.append(f"{METRICS}: {name} is a {kind} with labels {sorted(labels)} in {program}")
        for name, (_, _, programs) in listed.items():
            wanted = set(scrapes) if "all" in programs else programs & set(scrapes)
            faults += [f"{METRICS}: {name} is not told by {program}" for program in sorted(wanted - told.get(name, set()))]
        return faults or ([] if listed else [f"{METRICS} lists nothing"])

    def check_objectives(self):
        text = self.text(SLO)
        named = set(re.findall(r"\bpraxis:[a-z0-9_]+:[a-z0-9]+\b", text))
        slos = {rule["labels"]["slo"] for rule in self.rules if rule.get("record") == "praxis:slo_budget:ratio"}
        faults = [f"{SLO}: {name} is recorded by no rule" for name in sorted(named - self.recorded)]
        faults += [f"{SLO}: says nothing of {slo}" for slo in sorted(slos) if f"`{slo}`" not in text]
        return faults or ([] if slos else ["no objective has a budget"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--promtool", help="by default what promtool.sh finds")
    parser.add_argument("--project", default=pathlib.Path(__file__).resolve().parents[2])
    asked = parser.parse_args()
    promtool = asked.promtool
    if not promtool:
        finder = pathlib.Path(__file__).with_name("promtool.sh")
        promtool = subprocess.run([finder], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    project = Project(asked.project, promtool)
    failed = 0
    checks = [name for name in dir(project) if name.startswith("check_")]
    for name in checks:
        faults = getattr(project, name)()
        if faults:
            failed += 1
            print(f"FAIL {name.removeprefix('check_')}")
            print("\n".join(f"     {line}" for fault in faults for line in fault.splitlines()))
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
