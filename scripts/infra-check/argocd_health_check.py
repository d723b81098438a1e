"""What does Argo CD take an Application for, by the Lua in gitops/argocd/values.yaml? Waves wait for nothing else, and a fault in
it would show on an empty cluster only. Last line: 'N passed, N failed'. Usage: argocd_health_check.py [VALUES]"""

import pathlib
import sys

import yaml
from lupa.lua51 import LuaRuntime

VALUES = pathlib.Path(__file__).resolve().parents[2] / "gitops/argocd/values.yaml"
SCRIPT = "resource.customizations.health.argoproj.io_Application"
# status of the Application, the health that root sees, and what its message has in it.
CASES = (
    (None, "Progressing", "not been synced"),
    ({"health": {"status": "Healthy"}}, "Progressing", "not been synced"),
    ({"operationState": {"phase": "Running"}, "health": {"status": "Healthy"}}, "Progressing", "being synced"),
    ({"operationState": {"phase": "Running", "message": "Retrying attempt #2"}, "health": {"status": "Degraded"}}, "Progressing", "attempt #2"),
    ({"operationState": {"phase": "Failed", "message": "a hook failed"}, "health": {"status": "Healthy"}}, "Degraded", "a hook failed"),
    ({"operationState": {"phase": "Error"}, "health": {"status": "Healthy"}}, "Degraded", "the last sync failed"),
    ({"operationState": {"phase": "Succeeded"}}, "Progressing", ""),
    ({"operationState": {"phase": "Succeeded"}, "health": {"status": "Progressing"}}, "Progressing", ""),
    ({"operationState": {"phase": "Succeeded"}, "health": {"status": "Degraded", "message": "no pod"}}, "Degraded", "no pod"),
    ({"operationState": {"phase": "Succeeded"}, "sync": {"status": "OutOfSync"}, "health": {"status": "Healthy"}}, "Healthy", ""),
)


def main():
    values = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else VALUES
    script = yaml.safe_load(values.read_text(encoding="utf-8"))["configs"]["cm"][SCRIPT]
    failed = 0
    for status, wanted, words in CASES:
        lua = LuaRuntime()
        lua.globals().obj = lua.table_from({"status": status} if status else {}, recursive=True)
        told = lua.execute(script)
        if told["status"] != wanted or words not in (told["message"] or ""):
            failed += 1
            print(f"FAIL {status} is {told['status']} ({told['message']}), not {wanted} ({words})")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
