#!/usr/bin/env python3
"""Proves an exported audit log of Leadglass. The second verifier: it shares no line with the first (`leadglass audit verify`).

    verify_log.py FOLDER [--key FILE] [--witness KEY]... [--seen FILE]... [--json]

FOLDER   what `leadglass audit export` wrote: entries.jsonl, checkpoints.txt, verifier.key
--key     the log's public key, had by another way than the export
--witness a witness's public key, as name+hash+base64; it must have signed the newest checkpoint too
--seen    checkpoints of this log that were kept from before: the log has to go on from each

Exits with 0 when every entry is proven, with 1 when one is not. Python 3.8 or later, nothing else is needed.

Formats: C2SP signed-note, tlog-checkpoint and tlog-cosignature v1; Merkle tree of RFC 6962 section 2.1 over the lines of
entries.jsonl, without their newlines; Ed25519 of RFC 8032.

    verify_log.py --many   reads lines of JSON {"folder", "key", "witnesses", "seen"}, writes one verdict for each
"""

import argparse
import base64
import functools
import hashlib
import json
import os
import re
import sys

# --- Ed25519 (RFC 8032 section 5.1), verification alone

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def x_of(y, sign):
    """The x of a point (section 5.1.3); None when there is none."""
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - x2) % P != 0:
        return None
    return P - x if (x & 1) != sign else x


def decoded(data):
    """A point in extended coordinates from its 32 bytes."""
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    x = x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def encoded(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


def added(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


NEUTRAL = (0, 1, 1, 0)


def multiples(point):
    """Of each 4 bits of a scalar their 16 multiples: a key verifies many signatures."""
    table = []
    for _ in range(64):
        row = [NEUTRAL]
        for _ in range(15):
            row.append(added(row[-1], point))
        table.append(row)
        point = added(row[-1], point)
    return table


def multiplied(table, scalar, to):
    for row in table:
        to = added(to, row[scalar & 15])
        scalar >>= 4
    return to


BASE = multiples(decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")))


@functools.lru_cache(maxsize=16)
class PublicKey:
    def __init__(self, data):
        self.data = data
        point = decoded(data)
        # The negative: S*B - k*A is compared with R.
        self.minus = None if point is None else multiples((P - point[0], point[1], 1, (P - point[3]) % P))

    def signed(self, message, signature):
        if self.minus is None or len(signature) != 64:
            return False
        r, s = signature[:32], int.from_bytes(signature[32:], "little")
        if s >= L:
            return False
        k = int.from_bytes(hashlib.sha512(r + self.data + message).digest(), "little") % L
        return encoded(multiplied(self.minus, k, multiplied(BASE, s, NEUTRAL))) == r


# --- Signed notes

# Unicode's spaces, control characters, the mark of byte order, and plus.
KEY_NAME = re.compile("[^+\\0-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")
VERIFIER_KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")
SIGNATURE_LINE = re.compile("\u2014 ([^+ \n]+) ([A-Za-z0-9+/]+=*)")
CONTROL = re.compile("[\\0-\x09\x0b-\x1f]")
CHECKPOINT = re.compile(
    r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:at [0-9]{1,15}\n)?(?:[^\n]+\n)*"
)
NOTE_UNITS_MOST = 64 * 1024
ENTRY_BYTES_MOST = 4096
SAFE_MOST = 2**53 - 1
LOG, WITNESS = 1, 4


class Refused(Exception):
    """What cannot even be looked at."""


def unbase64(text):
    """The bytes of a base64 text; None when it is not the one way to write them."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


class Key:
    """A verifier key, name+hash+base64, of a log (type 1) or a witness (type 4)."""

    def __init__(self, text, kind):
        match = VERIFIER_KEY.fullmatch(text)
        data = unbase64(match.group(3)) if match else None
        what = "log" if kind == LOG else "witness"
        refused = Refused("not an Ed25519 verifier key of a " + what)
        if data is None or len(data) != 33 or data[0] != kind or not KEY_NAME.fullmatch(match.group(1)):
            raise refused
        self.name = match.group(1)
        self.id = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        if self.id.hex() != match.group(2):
            raise refused
        self.public = PublicKey(data[1:])


def parsed(note):
    """Text and signatures (name, key id, bytes) of a note; None when it is none."""
    if len(note.encode("utf-16-le")) // 2 > NOTE_UNITS_MOST or CONTROL.search(note) or not note.endswith("\n"):
        return None
    blank = note.rfind("\n\n")
    if blank < 0:
        return None
    signatures = []
    for line in note[blank + 2 : -1].split("\n"):
        match = SIGNATURE_LINE.fullmatch(line)
        data = unbase64(match.group(2)) if match else None
        if data is None or len(data) <= 4 or not KEY_NAME.fullmatch(match.group(1)):
            return None
        signatures.append((match.group(1), data[:4], data[4:]))
    return note[: blank + 1], signatures


def by(key, signatures):
    return [data for name, key_id, data in signatures if name == key.name and key_id == key.id]


def split_notes(text):
    """The notes in a text that holds one behind the other; what is no note comes as one that nobody signed."""
    notes, note, signed = [], "", False
    for line in re.findall("[^\n]*\n|[^\n]+", text):
        is_signature = line.startswith("\u2014 ")
        if signed and not is_signature:
            notes.append(note)
            note = ""
        signed = is_signature
        note += line
    if note:
        notes.append(note)
    return notes


class Claim:
    """That the log of so many entries had this root."""

    def __init__(self, name, size, root, own, witnesses, unwitnessed):
        self.name, self.size, self.root, self.own = name, size, root, own
        self.witnesses, self.unwitnessed = witnesses, unwitnessed


def claim_of(note, name, key, witnesses, own=True):
    """The claim, or as text what is wrong with the note."""
    unsigned = name + " is not signed by this key for this log"
    parts = parsed(note)
    if parts is None:
        return unsigned
    text, signatures = parts
    ours = by(key, signatures)
    if not ours or not all(key.public.signed(text.encode(), data) for data in ours):
        return unsigned
    match = CHECKPOINT.fullmatch(text)
    root = unbase64(match.group(3)) if match else None
    if root is None or match.group(1) != key.name or int(match.group(2)) > SAFE_MOST:
        return unsigned
    found, missing = [], []
    for witness in witnesses:
        cosignatures = by(witness, signatures)
        for data in cosignatures:
            seconds = int.from_bytes(data[:8], "big") if len(data) >= 8 else 0
            message = "cosignature/v1\ntime %d\n%s" % (seconds, text)
            if seconds > SAFE_MOST // 1000 or not witness.public.signed(message.encode(), data[8:]):
                return "%s holds a false signature of the witness %s" % (name, witness.name)
        (found if cosignatures else missing).append(witness.name)
    return Claim(name, int(match.group(2)), root, own, found, missing)


# --- The tree (RFC 6962 section 2.1)


class Tree:
    def __init__(self):
        self.size = 0
        self.peaks = []

    def append(self, line):
        top = hashlib.sha256(b"\0" + line).digest()
        left = self.size
        while left & 1:
            top = hashlib.sha256(b"\1" + self.peaks.pop() + top).digest()
            left >>= 1
        self.peaks.append(top)
        self.size += 1

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = hashlib.sha256(b"\1" + peak + root).digest()
        return root


# --- The verdict


def text_of(path):
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        raise Refused("cannot read " + path)
    try:
        return data.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return "\0"


def key_in(path, kind):
    text = text_of(path)
    return Key(text[:-1] if text.endswith("\n") else text, kind)


def read_claims(notes, key, witnesses, seen):
    claims, bad = [], None
    for at, note in enumerate(notes):
        claim = claim_of(note, "checkpoint %d" % at, key, witnesses)
        if isinstance(claim, str):
            bad = claim
        elif claims and claim.size <= claims[-1].size:
            bad = "checkpoint %d is not of a larger tree than the one before it" % at
        else:
            claims.append(claim)
            continue
        break
    newest = claims[-1] if claims else None
    for note in seen:
        claim = claim_of(note, "a checkpoint kept from before", key, [], own=False)
        if isinstance(claim, str):
            bad = bad or claim
        else:
            claims.append(claim)
    return sorted(claims, key=lambda claim: claim.size), newest, bad


def lines_in(path):
    """Each line without its newline; what stands behind the last newline comes as (bytes, None)."""
    try:
        file = open(path, "rb")
    except OSError:
        raise Refused("cannot read " + path)
    with file:
        begun = b""
        while True:
            piece = file.read(1 << 20)
            if not piece:
                break
            lines = (begun + piece).split(b"\n")
            begun = lines.pop()
            for line in lines:
                yield line
            if len(begun) > ENTRY_BYTES_MOST:
                yield None
                return
        if begun:
            yield False


def verify(folder, key_file=None, witness_keys=(), seen_files=()):
    key = key_in(key_file or os.path.join(folder, "verifier.key"), LOG)
    witnesses = [Key(text, WITNESS) for text in witness_keys]
    notes = split_notes(text_of(os.path.join(folder, "checkpoints.txt")))
    seen = [note for path in seen_files for note in split_notes(text_of(path))]
    claims, newest, bad = read_claims(notes, key, witnesses, seen)
    tree, next_claim, vouched, what, size, torn = Tree(), 0, None, None, 0, None

    def compare():
        nonlocal next_claim, vouched, what
        while what is None and next_claim < len(claims) and claims[next_claim].size == tree.size:
            claim = claims[next_claim]
            if tree.root() != claim.root:
                what = "the entries are not those that %s signed" % claim.name
            elif claim.own and not claim.unwitnessed:
                vouched = claim
            next_claim += 1

    compare()
    for line in lines_in(os.path.join(folder, "entries.jsonl")):
        if line is None:
            torn = "entry %d is longer than an entry can be" % size
            break
        if line is False:
            torn = "entry %d is cut off" % size
            break
        size += 1
        if what is None:
            tree.append(line)
            if next_claim < len(claims) and claims[next_claim].size == tree.size:
                compare()
    what = what or torn
    if what is None and next_claim < len(claims):
        missing = claims[next_claim]
        what = "%d entries are there, %s signed %d" % (size, missing.name, missing.size)
    what = what or bad
    if what is None and newest is None:
        what = "there is no checkpoint"
    if what is None and size > newest.size:
        what = "no checkpoint vouches for the last %d entries" % (size - newest.size)
    if what is None and newest.unwitnessed:
        what = "the newest checkpoint is not signed by the witness " + newest.unwitnessed[0]
    return {
        "ok": what is None,
        "size": size,
        "vouchedUntil": vouched.size if vouched else 0,
        "witnesses": vouched.witnesses if vouched else [],
        "what": what,
    }


def verdict_of(*given):
    try:
        return verify(*given)
    except Refused as refused:
        return {"ok": False, "size": 0, "vouchedUntil": 0, "witnesses": [], "what": str(refused)}


def told(verdict):
    if verdict["ok"]:
        seen = ", signed by %s too" % ", ".join(verdict["witnesses"]) if verdict["witnesses"] else ""
        return "%d entries, %d of them proven%s" % (verdict["size"], verdict["vouchedUntil"], seen)
    return "NOT PROVEN: %s; entry %d is the first that cannot be vouched for" % (
        verdict["what"],
        verdict["vouchedUntil"],
    )


def many():
    for line in sys.stdin:
        case = json.loads(line)
        given = case["folder"], case.get("key"), case.get("witnesses", ()), case.get("seen", ())
        print(json.dumps(verdict_of(*given)), flush=True)


def main():
    parser = argparse.ArgumentParser(description="Proves an exported audit log of Leadglass.")
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="what `leadglass audit export` wrote")
    parser.add_argument("--key", metavar="FILE", help="the log's public key, had by another way than the export")
    parser.add_argument("--witness", metavar="KEY", action="append", default=[], help="a witness that signed too")
    parser.add_argument("--seen", metavar="FILE", action="append", default=[], help="checkpoints kept from before")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument("--many", action="store_true", help="read cases from the standard input, a line of JSON each")
    given = parser.parse_args()
    if given.many:
        many()
        return 0
    if given.folder is None:
        parser.error("name the folder")
    verdict = verdict_of(given.folder, given.key, given.witness, given.seen)
    print(json.dumps(verdict) if given.json else told(verdict))
    return 0 if verdict["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
