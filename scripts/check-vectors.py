#!/usr/bin/env python3
"""Check the record's test vectors without any of Praxis' code.

Recomputes every vector in crates/event-store/tests/vectors from the byte tables of docs/adr/0001-record-bytes.md and
docs/adr/0002-leaf-entries-and-the-merkle-log.md. Run by hand: needs Python 3.9 and, for AES-GCM, the package
`cryptography`. Exit status: 0 all agree, 1 a vector differs, 2 all that was checked agrees but AES-GCM was not.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys
import uuid

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    AESGCM = None

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "crates/event-store/tests/vectors"
BOX_OVERHEAD = 1 + 16 + 12 + 32 + 16
KEY_OVERHEAD = 1 + 12 + 16


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def prefixed(field):
    return struct.pack(">I", len(field)) + field


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text):
    """Strict: RFC 4648 section 5 without padding, no stray bits; None if it is not that."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if base64url(data) == text else None


def hkdf(ikm, salt, info, length):
    """RFC 5869 with SHA-256."""
    prk, out, block = hmac256(salt, ikm), b"", b""
    counter = 1
    while len(out) < length:
        block = hmac256(prk, block + info + bytes([counter]))
        out, counter = out + block, counter + 1
    return out[:length]


def box_key(data_key, key_id, event_id, label):
    return hkdf(data_key, key_id, b"praxis/box/1" + event_id + label, 64)


def box_associated_data(place, key_id):
    fields = [
        uuid.UUID(place["log_id"]).bytes,
        uuid.UUID(place["event_id"]).bytes,
        uuid.UUID(place["stream_id"]).bytes,
        place["stored_type"].encode("ascii"),
        struct.pack(">I", place["schema_version"]),
        key_id,
        place["label"].encode("ascii"),
    ]
    return b"".join(prefixed(field) for field in fields)


def seal_box(case):
    """The box's bytes, or its bytes up to the ciphertext if there is no AES."""
    key_id = uuid.UUID(case["key_id"]).bytes
    event_id, label = uuid.UUID(case["event_id"]).bytes, case["label"].encode("ascii")
    derived = box_key(bytes.fromhex(case["data_key"]), key_id, event_id, label)
    nonce = bytes.fromhex(case["nonce"])
    header = b"\x01" + key_id + nonce + derived[32:]
    if AESGCM is None:
        return header
    plaintext = bytes.fromhex(case["plaintext"])
    return header + AESGCM(derived[:32]).encrypt(nonce, plaintext, box_associated_data(case, key_id))


def open_box(case):
    """Why the box of a `refused` case does not open; None if it does; `skipped` if that takes AES."""
    data = from_base64url(case["text"])
    if not data:
        return "malformed"
    if data[0] != 1:
        return "unknown-format"
    if len(data) < BOX_OVERHEAD:
        return "malformed"
    key_id = uuid.UUID(case["key_id"]).bytes
    event_id, label = uuid.UUID(case["event_id"]).bytes, case["label"].encode("ascii")
    derived = box_key(bytes.fromhex(case["data_key"]), key_id, event_id, label)
    if data[1:17] != key_id or not hmac.compare_digest(data[29:61], derived[32:]):
        return "wrong-key"
    return gcm_fault(derived[:32], data[17:29], data[61:], box_associated_data(case, key_id), "tampered")


def gcm_fault(key, nonce, sealed, associated_data, fault):
    if AESGCM is None:
        return "skipped"
    try:
        AESGCM(key).decrypt(nonce, sealed, associated_data)
    except InvalidTag:
        return fault
    return None


def wrap_associated_data(case):
    ids = (uuid.UUID(case[name]).bytes for name in ("key_id", "subject_id", "log_id"))
    return b"\x01" + b"".join(ids)


def wrap_key(case):
    nonce = bytes.fromhex(case["nonce"])
    if AESGCM is None:
        return b"\x01" + nonce
    sealed = AESGCM(bytes.fromhex(case["kek"])).encrypt(
        nonce, bytes.fromhex(case["data_key"]), wrap_associated_data(case)
    )
    return b"\x01" + nonce + sealed


def unwrap_key(case):
    data = bytes.fromhex(case["wrapped"])
    if data and data[0] != 1:
        return "unknown-format"
    if len(data) != KEY_OVERHEAD + 32:
        return "does-not-unwrap"
    return gcm_fault(
        bytes.fromhex(case["kek"]), data[1:13], data[13:], wrap_associated_data(case), "does-not-unwrap"
    )


def claim_tag(case):
    message = b"praxis/claim/1" + prefixed(case["resource"].encode()) + case["member"].encode()
    return bytes([case["key_id"]]) + hmac256(bytes.fromhex(case["key"]), message)


def request_tag(case):
    message = b"praxis/request/1" + prefixed(case["method"].encode()) + prefixed(case["path"].encode())
    if case["if_match"] is None:
        message += b"\x00"
    else:
        message += b"\x01" + prefixed(case["if_match"].encode())
    message += bytes.fromhex(case["body"])
    return bytes([case["key_id"]]) + hmac256(bytes.fromhex(case["key"]), message)


def command_key(case):
    return sha256(b"praxis/command-key/1" + uuid.UUID(case["account_id"]).bytes + case["key"].encode())


def leaf_entry(case):
    out = b"praxis-leaf" + bytes([case["format"]])
    out += uuid.UUID(case["log_id"]).bytes
    out += struct.pack(">Qq", case["position"], case["recorded_at_us"])
    out += uuid.UUID(case["stream_id"]).bytes
    out += struct.pack(">Q", case["stream_version"])
    out += uuid.UUID(case["event_id"]).bytes
    out += struct.pack(">I", case["schema_version"])
    out += prefixed(case["stream_type"].encode("ascii")) + prefixed(case["event_type"].encode("ascii"))
    if case["subject_id"] is None:
        out += b"\x00"
    else:
        out += b"\x01" + uuid.UUID(case["subject_id"]).bytes
    return out + sha256(case["metadata"].encode()) + sha256(case["payload"].encode())


def merkle_root(leaves):
    """MTH of RFC 9162 section 2.1.1, over leaf hashes."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:]))


def frontier(leaves):
    """Format byte, size, then the roots of the complete subtrees, the largest first."""
    out, rest, width = b"\x01" + struct.pack(">Q", len(leaves)), leaves, 1 << 63
    while width:
        if len(leaves) & width:
            out, rest = out + merkle_root(rest[:width]), rest[width:]
        width >>= 1
    return out


def tree_leaves(count):
    return [sha256(b"\x00" + struct.pack(">Q", index)) for index in range(count)]


class Tally:
    """Counts agreement and names what differs."""

    def __init__(self):
        self.agreed, self.differed, self.skipped = 0, 0, 0

    def check(self, name, found, expected):
        if found == expected:
            self.agreed += 1
        else:
            self.differed += 1
            print(f"DIFFERS {name}\n  computed {found}\n  recorded {expected}")

    def check_sealed(self, name, computed, recorded):
        """A sealed value; without AES only what stands before the ciphertext is compared."""
        if AESGCM is None:
            self.skipped += 1
            recorded = recorded[: 2 * len(computed)]
        self.check(name, computed.hex(), recorded)

    def check_fault(self, name, found, expected):
        if found == "skipped":
            self.skipped += 1
        else:
            self.check(name, found, expected)


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def check_all(tally):
    boxes = load("boxes")
    for case in boxes["boxes"]:
        name, key_id = f"boxes: {case['name']}", uuid.UUID(case["key_id"]).bytes
        derived = box_key(
            bytes.fromhex(case["data_key"]), key_id, uuid.UUID(case["event_id"]).bytes, case["label"].encode()
        )
        tally.check(f"{name}: box key", derived.hex(), case["box_key"])
        tally.check(f"{name}: associated data", box_associated_data(case, key_id).hex(), case["associated_data"])
        tally.check_sealed(f"{name}: box", seal_box(case), case["sealed"])
        tally.check(f"{name}: text", base64url(bytes.fromhex(case["sealed"])), case["text"])
    for case in boxes["refused"]:
        tally.check_fault(f"boxes refused: {case['name']}", open_box(case), case["refusal"])

    wraps = load("wraps")
    for case in wraps["wraps"]:
        tally.check_sealed(f"wraps: {case['name']}", wrap_key(case), case["wrapped"])
    for case in wraps["refused"]:
        tally.check_fault(f"wraps refused: {case['name']}", unwrap_key(case), case["refusal"])

    claims = load("claims")
    for case in claims["claims"]:
        tally.check(f"claims: {case['name']}", claim_tag(case).hex(), case["tag"])
        tally.check(f"claims: {case['name']}: text", base64url(claim_tag(case)), case["text"])
    for case in claims["requests"]:
        tally.check(f"requests: {case['name']}", request_tag(case).hex(), case["tag"])
    for case in claims["command_keys"]:
        tally.check(f"command keys: {case['name']}", command_key(case).hex(), case["hash"])

    for case in load("leaf-entries")["entries"]:
        tally.check(f"leaf entries: {case['name']}", leaf_entry(case).hex(), case["entry"])
        tally.check(f"leaf entries: {case['name']}: hash", sha256(b"\x00" + leaf_entry(case)).hex(), case["leaf_hash"])

    tree = load("frontier-roots")
    leaves = tree_leaves(len(tree["roots"]) - 1)
    for size, root in enumerate(tree["roots"]):
        tally.check(f"roots: size {size}", merkle_root(leaves[:size]).hex(), root)
    for case in tree["frontiers"]:
        tally.check(f"frontiers: size {case['size']}", frontier(leaves[: case["size"]]).hex(), case["bytes"])


def main():
    tally = Tally()
    check_all(tally)
    print(f"{tally.agreed} agree, {tally.differed} differ, AES-GCM of {tally.skipped} not checked")
    if tally.differed:
        return 1
    if AESGCM is None:
        print("install the Python package `cryptography` to check AES-GCM too")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
