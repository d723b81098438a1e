"""Our own rules for rendered manifests: what schemas and the Pod Security Standard leave open, and what ADR 40 names.

Usage: policies.py [--environment ENV] [--secrets FILE]... MANIFESTS
       --environment  dev, stage or prod: the latter two demand digests
       --secrets      manifests whose ExternalSecrets say which keys there are

The rules are in rules/.
"""

import argparse
import sys

from manifests import Manifests, load
from rules import RULES


def faults(manifests):
    """(rule, fault) for each that was found."""
    return [(name, fault) for name, check in RULES.items() for fault in check(manifests)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", choices=("dev", "stage", "prod"), default="dev")
    parser.add_argument("--secrets", action="append", default=[], metavar="FILE")
    parser.add_argument("manifests")
    arguments = parser.parse_args()
    secrets = [one for path in arguments.secrets for one in load(path) if one and one["kind"] == "ExternalSecret"]
    manifests = Manifests(load(arguments.manifests), arguments.environment, secrets)
    found = faults(manifests)
    for name, fault in found:
        print(f"{name}: {fault}")
    print(f"{len(RULES)} rules, {len(manifests.workloads)} workloads, {len(found)} faults")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
