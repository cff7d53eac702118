// C2SP's vectors of the age format against HKDF and HMAC as we wrap them. age's AEAD is ChaCha20-Poly1305 and its recipients are
// X25519, scrypt and ML-KEM: nothing of ours wraps those, so their steps are not ours to be tested here.
import assert from "node:assert/strict";
import { createDecipheriv } from "node:crypto";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import * as vectors from "cctv-age";
import { hkdf, hmac } from "./primitives.ts";

interface AgeFile {
  readonly name: string;
  readonly expect: string;
  readonly fileKey: Buffer | undefined;
  readonly isArmored: boolean;
  readonly bytes: Buffer;
}

function ageFile(name: string, vector: Uint8Array): AgeFile {
  const all = Buffer.from(vector);
  const end = all.indexOf("\n\n");
  const fields = new Map(
    all
      .toString("utf8", 0, end)
      .split("\n")
      .map((line) => line.split(": ", 2) as [string, string]),
  );
  const key = fields.get("file key");
  const bytes = all.subarray(end + 2);
  return {
    name,
    expect: fields.get("expect") ?? "",
    fileKey: key === undefined ? undefined : Buffer.from(key, "hex"),
    isArmored: fields.get("armored") === "yes",
    bytes: fields.get("compressed") === "zlib" ? inflateSync(bytes) : bytes,
  };
}

const files = Object.entries(vectors).map(([name, vector]) => ageFile(name, vector));
const none = Buffer.alloc(0);

/** Header up to and including `---`, the code that stands behind it, and the payload; undefined where age has no such header. */
function parsed({ bytes }: AgeFile): { proven: Buffer; code: Buffer; payload: Buffer } | undefined {
  const end = bytes.indexOf("\n---") + 4;
  if (end < 4) return undefined;
  const line = bytes.indexOf("\n", end);
  const [, code] = /^ ([A-Za-z0-9+/]{43})$/.exec(bytes.toString("latin1", end, line)) ?? [];
  if (code === undefined) return undefined;
  return { proven: bytes.subarray(0, end), code: Buffer.from(code, "base64"), payload: bytes.subarray(line + 1) };
}

test("HKDF and HMAC tell age headers as the vectors say", (t) => {
  const counts = { right: 0, wrong: 0, "not a header that parses": 0, armored: 0, "no file key": 0 };
  for (const file of files) {
    const header = file.isArmored ? undefined : parsed(file);
    if (file.isArmored) counts.armored++;
    else if (file.fileKey === undefined) counts["no file key"]++;
    else if (header === undefined || file.expect === "header failure") counts["not a header that parses"]++;
    else {
      const isRight = file.expect !== "HMAC failure";
      const code = hmac(hkdf(file.fileKey, none, Buffer.from("header"), 32), header.proven);
      assert.equal(code.equals(header.code), isRight, file.name);
      counts[isRight ? "right" : "wrong"]++;
    }
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.right >= 40 && counts.wrong >= 1, JSON.stringify(counts));
});

/** Opens one chunk as age does (STREAM: a counter of eleven bytes and the flag of the last); throws when it does not prove. */
function openChunk(key: Buffer, index: number, isLast: boolean, sealed: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = isLast ? 1 : 0;
  const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
}

test("HKDF with a salt gives the key that opens every chunk of an age payload", (t) => {
  const chunkBytes = 64 * 1024 + 16;
  let chunks = 0;
  const right = files.filter(({ expect, fileKey, isArmored }) => expect === "success" && fileKey && !isArmored);
  for (const file of right) {
    const payload = parsed(file)?.payload ?? assert.fail(file.name);
    const key = hkdf(file.fileKey as Buffer, payload.subarray(0, 16), Buffer.from("payload"), 32);
    for (let at = 16, index = 0; at < payload.length; at += chunkBytes, index++) {
      openChunk(key, index, at + chunkBytes >= payload.length, payload.subarray(at, at + chunkBytes));
      chunks++;
    }
  }
  t.diagnostic(`${right.length} files, ${chunks} chunks`);
  assert.ok(right.length >= 19 && chunks > 700);
});
