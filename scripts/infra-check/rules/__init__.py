"""Our own rules for manifests, by what they are about."""

from rules import availability, containment, names, network, secrets  # noqa: F401: each enters its rules
from rules.registry import RULES

__all__ = ["RULES"]
