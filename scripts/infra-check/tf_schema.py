"""Read the generated bindings of a Terraform provider (PyPI cdktn-provider-aws) and write its schema as JSON."""

import io, json, re, sys, tarfile, zipfile, glob

ATTR = re.compile(
    r"^    // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n(.*?)(?=^    // \w+ - computed|^    // =====|^}|\Z)",
    re.M | re.S,
)


def body_type(b):
    m = re.search(r'new (\w+)OutputReference\(this, "(\w+)"', b)
    if m:
        return ("single", m.group(1), m.group(2))
    m = re.search(r'new (\w+)List\(this, "(\w+)", (true|false)\)', b)
    if m and not m.group(1).startswith("cdktn"):
        return ("set" if m.group(3) == "true" else "list", m.group(1), m.group(2))
    m = re.search(r'new cdktn\.(String|Boolean|Number)Map\(this, "(\w+)"', b)
    if m:
        return ("prim", ["map", {"String": "string", "Boolean": "bool", "Number": "number"}[m.group(1)]], m.group(2))
    m = re.search(r'new (\w+)Map\(this, "(\w+)"', b)
    if m:
        return ("map", m.group(1), m.group(2))
    isset = "Fn.tolist(" in b
    m = re.search(r"this\.get(\w+)Attribute\('(\w+)'\)", b)
    if m:
        t = {
            "String": "string",
            "Number": "number",
            "Boolean": "bool",
            "List": ["list", "string"],
            "NumberList": ["list", "number"],
            "StringMap": ["map", "string"],
            "BooleanMap": ["map", "bool"],
            "NumberMap": ["map", "number"],
        }[m.group(1)]
        if isset:
            t = ["set", t[1]]
        return ("prim", t, m.group(2))
    m = re.search(r"interpolationForAttribute\('(\w+)'\)", b)
    if m:
        return ("prim", "dynamic", m.group(1))
    return None


HCL = re.compile(r"(\w+): \{\s+value: (.*?),\s+isBlock: (\w+),\s+type: (.*?),\s+storageClassType: (.*?),\s+\}", re.S)


def provider_fields(js, body):
    funcs = dict(re.findall(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", js, re.M | re.S))
    P = {
        "string": "string",
        "boolean": "bool",
        "number": "number",
        "stringList": ["list", "string"],
        "stringMap": ["map", "string"],
    }

    def conv(text):
        out = {}
        for n, v, b, t, st in HCL.findall(text):
            st = st.strip("\"'")
            fn = re.search(r"(\w+)ToHclTerraform", v)
            if b == "true" and fn and fn.group(1) in funcs:
                out[n] = dict(c=False, o=True, r=False, nest="list", block=True, f=conv(funcs[fn.group(1)]))
            else:
                ty = P.get(st, "dynamic")
                ty = ["set", ty[1]] if t.strip('"') == "set" and isinstance(ty, list) else ty
                out[n] = dict(c=False, o=True, r=False, t=ty)
        return out

    return conv(body[body.index("synthesizeHclAttributes") :])


def parse(js, dts):
    blocks = set(re.findall(r"^\s+\* (\w+) block$", dts, re.M))
    classes = {}
    for m in re.finditer(r"^class (\w+) extends cdktn\.(\w+) \{(.*?)^}", js, re.M | re.S):
        classes[m.group(1)] = (m.group(2), m.group(3))

    def fields(cls, depth=0):
        out = {}
        kind, body = classes[cls]
        for a in ATTR.finditer(body):
            name, comp, opt, req, b = (
                a.group(1),
                a.group(2) == "true",
                a.group(3) == "true",
                a.group(4) == "true",
                a.group(5),
            )
            t = body_type(b)
            if t is None:
                out[name] = dict(c=comp, o=opt, r=req, t="dynamic")
                continue
            k, v, _ = t
            if k == "prim":
                out[name] = dict(c=comp, o=opt, r=req, t=v)
                continue
            ref = v + "OutputReference"
            if ref not in classes:
                out[name] = dict(c=comp, o=opt, r=req, t="dynamic")
                continue
            nest = k
            if k == "single":
                sup = re.search(r"super\(terraformResource, terraformAttribute, (\w+)(, 0)?", classes[ref][1])
                nest = "list1" if sup and sup.group(2) else "single"
            out[name] = dict(
                c=comp, o=opt, r=req, nest=nest, block=(name in blocks and (opt or req)), f=fields(ref, depth + 1)
            )
        return out

    res = {}
    for c, (kind, body) in classes.items():
        m = re.search(r'static tfResourceType = "(\w+)"', body)
        if kind == "TerraformProvider":
            res["provider"] = (kind, provider_fields(js, body))
        elif m:
            res[m.group(1)] = (kind, fields(c))
    return res


def main(whl, out):
    z = zipfile.ZipFile(whl)
    tgz = [n for n in z.namelist() if n.endswith(".jsii.tgz")][0]
    t = tarfile.open(fileobj=io.BytesIO(z.read(tgz)), mode="r:gz")
    js, dts = {}, {}
    for m in t:
        p = m.name.split("/")
        if len(p) == 4 and p[3] == "index.js":
            js[p[2]] = t.extractfile(m).read().decode()
        elif len(p) == 4 and p[3] == "index.d.ts":
            dts[p[2]] = t.extractfile(m).read().decode()
    sch = {"resource": {}, "data": {}, "provider": {}}
    for d, s in js.items():
        try:
            for n, (kind, f) in parse(s, dts.get(d, "")).items():
                if "Ephemeral" in kind:
                    continue
                if n == "provider":
                    sch["provider"] = f
                else:
                    sch["resource" if kind == "TerraformResource" else "data"][n] = f
        except KeyError as e:
            print("skip", d, e, file=sys.stderr)
    v = re.search(r"providerVersion: '([\d.]+)'", next(x for x in js.values() if "providerVersion" in x)).group(1)
    sch["version"] = v
    json.dump(sch, open(out, "w"), separators=(",", ":"))
    print(v, len(sch["resource"]), "resources", len(sch["data"]), "data sources", len(sch["provider"]), "provider args")


main(*sys.argv[1:])
