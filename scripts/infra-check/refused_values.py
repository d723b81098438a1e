"""Are values that make no sense refused, and with words that say why? By both Helm 3 and 4.

helm/<chart>/tests/refused.yaml is a list of {it, base, values, says}: a file of ci/, what is changed in it, and what
the refusal must say.

Usage: refused_values.py HELM_DIRECTORY
"""

import pathlib
import subprocess
import sys
import tempfile

import yaml


def refusal(helm, chart, base, values):
    """What Helm says; None when it renders."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        files = ["-f", chart / "ci" / f"{base}-values.yaml", "-f", file.name]
        command = [helm, "template", "praxis", chart, "--kube-version", "1.35.0", *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else None


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cases, wrong = 0, []
    for listed in sorted(pathlib.Path(sys.argv[1]).glob("*/tests/refused.yaml")):
        chart = listed.parents[1]
        for case in yaml.safe_load(listed.read_text()):
            cases += 1
            for helm in ("helm3", "helm"):
                said = refusal(helm, chart, case["base"], case["values"])
                if said is None:
                    wrong.append(f"{chart}: {helm} renders it: {case['it']}")
                elif case["says"] not in said:
                    wrong.append(f"{chart}: {helm} refuses it with other words: {case['it']}\n{said.strip()}")
    if cases == 0:
        wrong.append("no cases were found")
    print("\n".join(wrong))
    print(f"{cases} cases, {len(wrong)} wrong")
    sys.exit(bool(wrong))


main()
