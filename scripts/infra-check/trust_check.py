"""Would AWS let each job in, and nobody else? Usage: trust_check.py [PROJECT]. Holds .github/workflows to terraform/bootstrap/trust.json,
from which the trust policies of GitHub's roles are made. Last line: 'N passed, N failed'.

Checks:
  roles         each role that a job assumes is there, and takes the subject of that job's token
  subjects      each subject that a role takes is some job's
  tokens        a job that assumes a role may ask for a token
  variables     account and region of an environment are asked for by jobs of an environment only: elsewhere they are empty
  asked         what a push starts gets into an environment only where a variable says that it is there: else each push ends red
  home          a job on a runner of one's own keeps what it writes for kubectl and git in the folder that ends with it
  permissions   a job that calls a workflow grants what its jobs ask for: a called workflow can only have less
"""

import fnmatch
import json
import pathlib
import re
import sys

import yaml

ENVIRONMENTS = ("dev", "stage", "prod")
# Of the environment, not of the repository. PUBLIC_URL is one too, and shown where there is none as nothing.
OF_ENVIRONMENT = re.compile(r"vars\.(AWS_ACCOUNT_ID|AWS_REGION)\b")
ROLE = re.compile(r"arn:aws:iam::\$\{\{ vars\.(\w+) \}\}:role/([\w${}. -]+)$")
# What it is that writes into the home, and the variable that says where instead.
WRITES = {"update-kubeconfig": "KUBECONFIG", "auth setup-git": "GIT_CONFIG_GLOBAL", "config --global": "GIT_CONFIG_GLOBAL"}
INPUT = re.compile(r"\$\{\{ (?:inputs|matrix)\.environment \}\}")


def triggers(workflow):
    # YAML 1.1 reads the key `on` as true.
    on = workflow.get("on", workflow.get(True))
    return on if isinstance(on, dict) else {each: None for each in ([on] if isinstance(on, str) else on)}


def environment_of(job):
    environment = job.get("environment")
    return environment.get("name") if isinstance(environment, dict) else environment


class Project:
    def __init__(self, root):
        self.trust = json.loads((root / "terraform/bootstrap/trust.json").read_text(encoding="utf-8"))
        self.workflows = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (root / ".github/workflows").glob("*.yml")}

    def jobs(self):
        for file, workflow in sorted(self.workflows.items()):
            for name, job in workflow["jobs"].items():
                yield f"{file}: {name}", workflow, job

    def assumed(self):
        """Where, account's variable, role, whether the job has an environment, subjects of its tokens: <env> for any of them."""
        for where, workflow, job in self.jobs():
            for step in job.get("steps", []):
                arn = step.get("with", {}).get("role-to-assume")
                if arn is None:
                    continue
                found = ROLE.match(arn)
                if not found:
                    raise ValueError(f"{where}: {arn} is no role of an account that a variable names")
                environment = environment_of(job)
                subjects = {f"environment:{INPUT.sub('<env>', environment)}"} if environment else self.of_triggers(workflow, job)
                yield where, found[1], INPUT.sub("<env>", found[2]), bool(environment), subjects

    def of_triggers(self, workflow, job):
        """Without an environment a token says what started the workflow."""
        types = self.ref_types(workflow, job)
        subjects = set()
        for event, filters in triggers(workflow).items():
            if event == "push" and filters:
                subjects |= {f"ref:refs/heads/{branch}" for branch in filters.get("branches", []) if "branch" in types}
                subjects |= {f"ref:refs/tags/{tag}" for tag in filters.get("tags", []) if "tag" in types}
            else:
                subjects.add({"pull_request": "pull_request"}.get(event, f"any ref, by {event}"))
        return subjects

    def ref_types(self, workflow, job):
        """What `if` leaves of branch and tag, for the job or one that it needs."""
        said = re.match(r"github\.ref_type == '(branch|tag)'$", str(job.get("if", "")))
        if said:
            return {said[1]}
        needs = job.get("needs", [])
        types = {"branch", "tag"}
        for need in [needs] if isinstance(needs, str) else needs:
            types &= self.ref_types(workflow, workflow["jobs"][need])
        return types

    def check_roles(self):
        for where, _, role, _, subjects in self.assumed():
            if role not in self.trust:
                yield f"{where}: there is no role {role}"
            for subject in sorted(subjects):
                # A tag's pattern is narrower on GitHub: what stands before its first character class has to fit.
                plain = subject.split("[")[0] + ("*" if "[" in subject else "")
                if not any(fnmatch.fnmatchcase(plain, taken) for taken in self.trust.get(role, [])):
                    yield f"{where}: {role} does not take {subject}"

    def check_subjects(self):
        asked = {(role, subject.split("[")[0] + ("*" if "[" in subject else "")) for _, _, role, _, subjects in self.assumed() for subject in subjects}
        for role, subjects in self.trust.items():
            for subject in subjects:
                if (role, subject) not in asked:
                    yield f"{role} takes {subject}, which is no job's"

    def check_tokens(self):
        for where, _, job in self.jobs():
            if "role-to-assume" in json.dumps(job) and job.get("permissions", {}).get("id-token") != "write":
                yield f"{where}: assumes a role without id-token: write"

    def check_variables(self):
        for where, workflow, job in self.jobs():
            outside = {key: job.get(key) for key in ("runs-on", "if", "strategy", "with", "concurrency")} | {"env of the workflow": workflow.get("env")}
            for key, value in (outside if environment_of(job) else {**outside, "job": job}).items():
                if OF_ENVIRONMENT.search(json.dumps(value)):
                    yield f"{where}: asks in {key} for a variable of an environment, and is in none there"
        for where, account, role, environment, _ in self.assumed():
            if account != ("AWS_ACCOUNT_ID" if environment else "REGISTRY_ACCOUNT_ID"):
                yield f"{where}: {role} is not in the account {account}"

    def check_asked(self):
        for where, workflow, job in self.jobs():
            if "uses" not in job or "push" not in triggers(workflow):
                continue
            called = self.workflows[job["uses"].rpartition("/")[2]]
            if any(environment_of(inner) for inner in called["jobs"].values()) and "vars." not in str(job.get("if", "")):
                yield f"{where}: gets into an environment, whether it is there or not"

    def check_home(self):
        for where, _, job in self.jobs():
            if "vars." not in str(job.get("runs-on", "")):
                continue
            for step in job.get("steps", []):
                for command, variable in WRITES.items():
                    kept = step.get("env", {}).get(variable, "")
                    if re.search(command, step.get("run", "")) and not kept.startswith("${{ runner.temp }}/"):
                        yield f"{where}: {command} writes into the runner's home: {variable} is not in runner.temp"

    def check_permissions(self):
        for where, _, job in self.jobs():
            if "uses" not in job:
                continue
            called = self.workflows[job["uses"].rpartition("/")[2]]
            for name, inner in called["jobs"].items():
                for scope, level in inner.get("permissions", {}).items():
                    granted = job.get("permissions", {}).get(scope, "none")
                    if granted != level and granted != "write":
                        yield f"{where}: grants {scope}: {granted}, and {name} asks for {level}"


def main():
    project = Project(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]))
    assumed = list(project.assumed())
    if not assumed:
        sys.exit("no job assumes a role: nothing was checked")
    failed = 0
    checks = ("roles", "subjects", "tokens", "variables", "asked", "home", "permissions")
    for check in checks:
        faults = list(getattr(project, f"check_{check}")())
        failed += bool(faults)
        if faults:
            print(f"FAIL {check}", *(f"     {fault}" for fault in faults), sep="\n")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
