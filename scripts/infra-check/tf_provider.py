"""Schema-only stand-in for a Terraform provider: answers schema and validate calls, refuses everything else."""

import json, os, sys, grpc
from concurrent import futures
from tf.gen import tfplugin_pb2 as pb, tfplugin_pb2_grpc as rpc
import tf.provider, tf.runner

HERE = os.path.dirname(os.path.abspath(__file__))
N, ON = pb.Schema.NestedBlock, pb.Schema.Object


def ty(v):
    if "t" in v:
        return "string" if v["t"] == "dynamic" else v["t"]
    o = ["object", {k: ty(x) for k, x in v["f"].items()}]
    return o if v["nest"] == "single" else ["map" if v["nest"] == "map" else "set" if v["nest"] == "set" else "list", o]


def attr(n, v):
    kw = dict(name=n, required=v["r"], optional=v["o"], computed=v["c"])
    if not (v["r"] or v["o"] or v["c"]):
        kw["optional"] = True
    if "f" in v and (v["o"] or v["r"]) and not v["c"]:
        kw["nested_type"] = ON(
            attributes=[attr(k, x) for k, x in v["f"].items()],
            nesting={"single": ON.SINGLE, "set": ON.SET, "map": ON.MAP}.get(v["nest"], ON.LIST),
        )
    else:
        kw["type"] = json.dumps(ty(v)).encode()
    a = pb.Schema.Attribute(**kw)
    if n.endswith("_wo"):
        a.MergeFromString(b"\x58\x01")  # field 11, write_only
    return a


def block(f, top=False):
    b = pb.Schema.Block()
    for n, v in f.items():
        if n == "alias" and top:
            continue
        if "f" in v and v["block"]:
            b.block_types.append(
                N(
                    type_name=n,
                    block=block(v["f"]),
                    nesting={"single": N.SINGLE, "set": N.SET, "map": N.MAP}.get(v["nest"], N.LIST),
                    min_items=1 if v["r"] and v["nest"] != "single" else 0,
                    max_items=1 if v["nest"] == "list1" else 0,
                )
            )
        else:
            b.attributes.append(attr(n, v))
    return b


class Stub(rpc.ProviderServicer):
    def __init__(self, _=None):
        self._c = None

    def _schema(self):
        if self._c is None:
            s = json.load(open(os.environ.get("STUB_SCHEMA") or os.path.join(HERE, "schema.json")))
            want = set(filter(None, os.environ.get("STUB_ONLY", "").split(",")))
            r = pb.GetProviderSchema.Response(provider=pb.Schema(block=block(s["provider"], True)))
            for k, f in s["resource"].items():
                if not want or k in want:
                    r.resource_schemas[k].CopyFrom(pb.Schema(block=block(f)))
            for k, f in s["data"].items():
                if not want or k in want:
                    r.data_source_schemas[k].CopyFrom(pb.Schema(block=block(f)))
            r.provider_meta.CopyFrom(
                pb.Schema(
                    block=pb.Schema.Block(
                        attributes=[pb.Schema.Attribute(name="user_agent", type=b'["list","string"]', optional=True)]
                    )
                )
            )
            r.server_capabilities.get_provider_schema_optional = False
            self._c = r
        return self._c

    def GetMetadata(self, q, c):
        c.abort(grpc.StatusCode.UNIMPLEMENTED, "schema only")

    def GetProviderSchema(self, q, c):
        return self._schema()

    def GetFunctions(self, q, c):
        return pb.GetFunctions.Response()

    def ValidateProviderConfig(self, q, c):
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, q, c):
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, q, c):
        return pb.ValidateDataResourceConfig.Response()

    def StopProvider(self, q, c):
        return pb.StopProvider.Response()


_orig = grpc.server


def _server(thread_pool=None, interceptors=None, **k):
    return _orig(
        thread_pool,
        interceptors=interceptors,
        options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)],
    )


grpc.server = _server
tf.provider.ProviderServicer = Stub


class P:
    def full_name(self):
        return "hashicorp/aws"


tf.runner.run_provider(P(), sys.argv)
