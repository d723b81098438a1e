"""CRD YAML -> strict JSON schemas named kind-group-version.json (unknown fields refused)."""

import sys, json, yaml, os


def strict(s, root=False):
    if isinstance(s, dict):
        if s.get("x-kubernetes-int-or-string"):
            s.pop("type", None)
            s["oneOf"] = [{"type": "string"}, {"type": "integer"}]
            s.pop("anyOf", None)
            s.pop("format", None)
        if "properties" in s and not s.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in s:
            s["additionalProperties"] = False
        for k in list(s):
            if k.startswith("x-kubernetes"):
                s.pop(k)
                continue
            if k in ("properties",):
                [strict(v) for v in s[k].values()]
            elif k in ("items", "additionalProperties"):
                strict(s[k])
    return s


out = sys.argv[1]
os.makedirs(out, exist_ok=True)
for f in sys.argv[2:]:
    for d in yaml.safe_load_all(open(f)):
        if not d or d.get("kind") != "CustomResourceDefinition":
            continue
        for v in d["spec"]["versions"]:
            s = strict(v["schema"]["openAPIV3Schema"])
            s["properties"].setdefault("metadata", {"type": "object"})
            s["properties"]["metadata"] = {"type": "object"}
            s["properties"].setdefault("apiVersion", {"type": "string"})
            s["properties"].setdefault("kind", {"type": "string"})
            n = f"{d['spec']['names']['kind'].lower()}-{d['spec']['group']}-{v['name']}.json"
            json.dump(s, open(os.path.join(out, n), "w"))
            print(n, "served" if v.get("served") else "NOT SERVED", "storage" if v.get("storage") else "")
