"""Which rules there are. A rule is a function that yields faults; `policies_test.py` has, for each, a manifest that it refuses."""

RULES = {}


def rule(check):
    RULES[check.__name__.replace("_", "-")] = check
    return check
