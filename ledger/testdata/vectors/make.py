#!/usr/bin/env python3
"""Writes the vectors beside it, with the Python standard library alone and without a line of Tidewaiter's own code.

Commitments are computed as the comment of ledger.Commitment says, trees and proofs as RFC 6962 section 2.1 defines them (by
recursion over the list of leaves, nothing stored), signatures as RFC 8032 section 5.1 does. Output is the same at each run.
"""

import base64
import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
ORIGIN = "vectors.tidewaiter.example/log"
SEED = hashlib.sha256(b"tidewaiter test vectors: this key is public, it signs nothing else").digest()


def sha(b):
    return hashlib.sha256(b).digest()


def b64(b):
    return base64.standard_b64encode(b).decode()


# --- entries -------------------------------------------------------------------------------------------------------------


def microseconds(year, month, day, hour, minute, second, micro):
    """Microseconds since 1970 in the proleptic Gregorian calendar, the year 0 included (days_from_civil)."""
    y = year - (month <= 2)
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468
    return ((days * 24 + hour) * 60 + minute) * 60 * 1_000_000 + second * 1_000_000 + micro


class Entry:
    def __init__(self, seq, kind, recorded, body, context=None, trusted=False, speaker="", name="", salt=None):
        self.seq, self.kind, self.recorded, self.body, self.context = seq, kind, recorded, body, context
        self.trusted, self.speaker, self.name = trusted, speaker, name
        self.salt = sha(b"salt %d" % seq) if salt is None else salt

    def commitment(self):
        fields = [
            b"tidewaiter/entry/v1",
            self.seq.to_bytes(8, "big"),
            self.kind.encode(),
            microseconds(*self.recorded).to_bytes(8, "big", signed=True),
            bytes([self.trusted]),
            self.speaker.encode(),
            self.name.encode(),
            sha(self.context or b""),
            sha(self.body),
            self.salt,
        ]
        return sha(b"".join(len(f).to_bytes(8, "big") + f for f in fields))

    def leaf(self):
        return sha(b"\x00" + self.commitment())

    def opening(self, redacted=False):
        o = {
            "commitment": "tidewaiter/entry/v1",
            "seq": self.seq,
            "kind": self.kind,
            "recorded": "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ" % self.recorded,
            "trusted": self.trusted,
            "speaker": self.speaker,
            "name": self.name,
            "salt": self.salt.hex(),
        }
        if redacted:
            o["contextSHA256"] = sha(self.context or b"").hex()
            o["bodySHA256"] = sha(self.body).hex()
            return o
        if self.context is not None:
            o["context"] = b64(self.context)
        o["body"] = b64(self.body)
        return o


# --- trees (RFC 6962 section 2.1) ----------------------------------------------------------------------------------------


def split(n):
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root(d):
    if not d:
        return sha(b"")
    if len(d) == 1:
        return d[0]
    k = split(len(d))
    return sha(b"\x01" + root(d[:k]) + root(d[k:]))


def path(m, d):
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return path(m, d[:k]) + [root(d[k:])]
    return path(m - k, d[k:]) + [root(d[:k])]


def consistency(m, d, whole=True):
    if m == len(d):
        return [] if whole else [root(d)]
    k = split(len(d))
    if m <= k:
        return consistency(m, d[:k], whole) + [root(d[k:])]
    return consistency(m - k, d[k:], False) + [root(d[:k])]


# --- Ed25519 (RFC 8032 section 5.1): slow, and not for secrets -----------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def recover_x(y):
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P)
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if x % 2 == 0 else P - x


BASE = (recover_x(4 * pow(5, -1, P) % P), 4 * pow(5, -1, P) % P)


def add(p, q):
    (a, b), (c, d) = p, q
    t = D * a * b * c * d
    return ((a * d + b * c) * pow(1 + t, -1, P) % P, (b * d + a * c) * pow(1 - t, -1, P) % P)


def times(n, p):
    r = (0, 1)
    while n:
        if n & 1:
            r = add(r, p)
        p, n = add(p, p), n >> 1
    return r


def encode(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def sha512int(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def expand(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    return a, h[32:], encode(times(a, BASE))


def ed25519_sign(seed, message):
    a, prefix, public = expand(seed)
    r = sha512int(prefix, message) % L
    point = encode(times(r, BASE))
    s = (r + sha512int(point, public, message) * a) % L
    return point + s.to_bytes(32, "little")


# --- texts (C2SP signed-note, tlog-checkpoint, tlog-proof) ---------------------------------------------------------------

KEY = b"\x01" + expand(SEED)[2]
KEY_ID = sha(ORIGIN.encode() + b"\n" + KEY)[:4]


def checkpoint(leaves):
    body = "%s\n%d\n%s\n" % (ORIGIN, len(leaves), b64(root(leaves)))
    return "%s\n\u2014 %s %s\n" % (body, ORIGIN, b64(KEY_ID + ed25519_sign(SEED, body.encode())))


def proof(m, leaves):
    lines = ["c2sp.org/tlog-proof@v1", "index %d" % m] + [b64(h) for h in path(m, leaves)]
    return "\n".join(lines) + "\n\n" + checkpoint(leaves)


# --- the vectors ---------------------------------------------------------------------------------------------------------

NOON = (2026, 3, 1, 12, 0, 0, 0)
CONTEXT = b'"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"'
MAKER = "https://id.gs1.org/417/9520000000014"

ALONE = [
    ("an event as captured: white space and the spelling of numbers are part of it",
     Entry(637, "event", (2026, 3, 1, 9, 30, 0, 123456), b'{ "type":"ObjectEvent",\r\n "quantity": 1.0 }', CONTEXT,
           speaker=MAKER, name="ni:///sha-256;36abb3a2c0a726de32ac4beafd6b8bc4ba0b1d2de244490312e5cbec7b5ddece?ver=CBV2.0")),
    ("no context, a recorded time from the document", Entry(0, "masterdata", NOON, b"{}", trusted=True, speaker=MAKER, name=MAKER)),
    ("nobody named, no name, no body", Entry(1, "sweep", NOON, b"")),
    ("speaker ab and name c", Entry(2, "event", NOON, b"{}", speaker="ab", name="c", salt=bytes(32))),
    ("speaker a and name bc: as above, put together otherwise", Entry(2, "event", NOON, b"{}", speaker="a", name="bc", salt=bytes(32))),
    ("one microsecond before 1970", Entry(3, "event", (1969, 12, 31, 23, 59, 59, 999999), b"{}")),
    ("the earliest time", Entry(4, "event", (0, 1, 1, 0, 0, 0, 0), b"{}")),
    ("the latest time", Entry(5, "event", (9999, 12, 31, 23, 59, 59, 999999), b"{}")),
    ("29 February", Entry(6, "event", (2000, 2, 29, 0, 0, 0, 1), b"{}")),
    ("names outside ASCII, NUL and U+FFFF", Entry(7, "ereignis-ß", NOON, b"{}", speaker="https://例え.example/株式会社", name="\u0000\uffff\U0001f6a2")),
    ("bytes that are no JSON and no UTF-8", Entry(8, "record", NOON, bytes(range(256)), bytes([0xC3, 0x28, 0]))),
    ("an empty context is no context", Entry(9, "event", NOON, b"{}", b"")),
    ("a large seq, and a salt of ones", Entry(2**53 - 1, "event", NOON, b"{}", salt=b"\xff" * 32)),
]

LOG = [
    Entry(i, "event", (2026, 3, 1, 9, 0, i, 250000 + i), b'{"n":%d}' % i, CONTEXT if i % 2 else None, speaker=MAKER, name="urn:example:%d" % i)
    for i in range(13)
]


def write(name, text):
    (HERE / name).write_bytes(text.encode())


def write_json(name, value):
    write(name, json.dumps(value, indent=1, ensure_ascii=True) + "\n")


def main():
    leaves = [e.leaf() for e in LOG]
    write_json("commitments.json", [
        {"about": about, "opening": e.opening(), "redacted": e.opening(redacted=True), "hash": e.commitment().hex(), "leaf": e.leaf().hex()}
        for about, e in ALONE
    ])
    write_json("log.json", [{"opening": e.opening(), "root": root(leaves[:i + 1]).hex()} for i, e in enumerate(LOG)])
    write("vkey.txt", "%s+%s+%s\n" % (ORIGIN, KEY_ID.hex(), b64(KEY)))
    for size in (0, 6, 13):
        write("checkpoint-%d.txt" % size, checkpoint(leaves[:size]))
    for m in (0, 5, 12):
        write("entry-%d.tlog-proof" % m, proof(m, leaves))
    write_json("receipt-5.json", {"proof": proof(5, leaves), "opening": LOG[5].opening()})
    write_json("receipt-5-redacted.json", {"proof": proof(5, leaves), "opening": LOG[5].opening(redacted=True)})
    write_json("consistency-6-13.json", [b64(h) for h in consistency(6, leaves)])


if __name__ == "__main__":
    main()
