"""Strict offline check of rendered manifests: core kinds by kubernetes-validate, custom kinds by CRD-derived schemas."""

import sys, json, os, yaml, argparse, jsonschema, kubernetes_validate as kv

ap = argparse.ArgumentParser()
ap.add_argument("-k", default="1.35")
ap.add_argument("--crd", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "crd-schemas"))
ap.add_argument("files", nargs="+")
a = ap.parse_args()
ok = bad = 0
cache = {}
L = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
for f in a.files:
    for d in yaml.load_all(open(f), Loader=L):
        if not d:
            continue
        if not isinstance(d, dict) or "kind" not in d or "apiVersion" not in d:
            bad += 1
            print("FAIL", f, "not a Kubernetes object: no kind or apiVersion")
            continue
        ident = f"{f} {d.get('kind')}/{(d.get('metadata') or {}).get('name')}"
        g, _, v = d["apiVersion"].rpartition("/")
        p = os.path.join(a.crd, f"{d['kind'].lower()}-{g}-{v}.json")
        try:
            if os.path.exists(p):
                if p not in cache:
                    cache[p] = jsonschema.Draft7Validator(json.load(open(p)))
                errs = sorted(cache[p].iter_errors(d), key=lambda e: list(map(str, e.path)))
                if errs:
                    raise ValueError("; ".join(f"{'/'.join(map(str, e.path))}: {e.message[:140]}" for e in errs[:3]))
            else:
                kv.validate(d, a.k, strict=True)
            ok += 1
        except (ValueError, kv.ValidationError, kv.SchemaNotFoundError) as e:
            bad += 1
            print("FAIL", ident, str(getattr(e, "message", e))[:300])
print(f"{ok} passed, {bad} failed")
sys.exit(bool(bad))
