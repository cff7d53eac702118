import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { createMultipartReader, type MultipartPiece } from "./multipart-reader.ts";

interface Part {
  headers: Record<string, string>;
  body: Buffer;
  ended: boolean;
}

function collect(pieces: readonly MultipartPiece[], into: Part[]): void {
  for (const piece of pieces) {
    const last = into.at(-1);
    if (piece.kind === "headers") {
      into.push({ headers: Object.fromEntries(piece.headers), body: Buffer.alloc(0), ended: false });
    } else if (piece.kind === "end") {
      assert.ok(last);
      last.ended = true;
    } else {
      assert.ok(last);
      last.body = Buffer.concat([last.body, piece.bytes]);
    }
  }
}

function read(body: Buffer, boundary: string, cuts: readonly number[]): { parts: Part[]; closed: boolean } {
  const reader = createMultipartReader(boundary);
  const parts: Part[] = [];
  let from = 0;
  for (const cut of [...new Set(cuts)].sort((a, b) => a - b).filter((at) => at < body.length)) {
    collect(reader.push(body.subarray(from, cut)), parts);
    from = cut;
  }
  collect(reader.push(body.subarray(from)), parts);
  return { parts, closed: reader.end() };
}

function write(parts: readonly { headers: Record<string, string>; body: Buffer }[], boundary: string): Buffer {
  const pieces: Buffer[] = [Buffer.from("this is said before\r\n")];
  for (const { headers, body } of parts) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    pieces.push(Buffer.from(`\r\n--${boundary}  \r\n${lines.join("")}\r\n`), body);
  }
  return Buffer.concat([...pieces, Buffer.from(`\r\n--${boundary}--\r\nand this behind`)]);
}

/** Bodies made of what could be taken for a boundary: line ends, dashes, its first letters. */
const trickyBody = fc
  .array(fc.constantFrom("\r", "\n", "\r\n", "-", "--", "\r\n--", "\r\n--b", "\r\n--bo", "x", "\0"), { maxLength: 40 })
  .map((pieces) => Buffer.from(pieces.join(""), "latin1"));

test("any split of a body gives the same parts", () => {
  fc.assert(
    fc.property(
      fc.array(trickyBody, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat({ max: 600 }), { maxLength: 30 }),
      (bodies, cuts) => {
        const given = bodies.map((body) => ({ headers: { "content-type": "application/dicom" }, body }));
        const whole = write(given, "bound");
        const { parts, closed } = read(whole, "bound", cuts);
        assert.deepEqual(
          parts,
          given.map((part) => ({ ...part, ended: true })),
        );
        assert.equal(closed, true);
      },
    ),
    { seed: 3, numRuns: 400 },
  );
});

test("a body that comes byte by byte is read as if it came at once", () => {
  const given = [
    { headers: { "content-type": "application/dicom" }, body: Buffer.from("\r\n--bound is not\r\n--boun") },
    { headers: {}, body: Buffer.alloc(0) },
  ].slice(0, 2);
  const whole = write([{ headers: { a: "1" }, body: Buffer.from("\r\n--boun\r\n") }, given[1]!], "bound");
  const everywhere = Array.from({ length: whole.length }, (_, at) => at);
  assert.deepEqual(read(whole, "bound", everywhere), read(whole, "bound", []));
  assert.equal(read(whole, "bound", []).parts.length, 2);
});

test("a body without preamble, and one with nothing but the closing boundary", () => {
  const { parts, closed } = read(Buffer.from("--b\r\nA: 1\r\n\r\nxyz\r\n--b--"), "b", []);
  assert.equal(closed, true);
  assert.equal(parts[0]?.body.toString(), "xyz");
  assert.deepEqual(read(Buffer.from("--b--"), "b", []), { parts: [], closed: true });
});

test("a body that ends early is told", () => {
  const { parts, closed } = read(Buffer.from("--b\r\nA: 1\r\n\r\nxyz"), "b", []);
  assert.equal(closed, false);
  assert.equal(parts[0]?.ended, false);
});

const refused = (work: () => unknown) => assert.throws(work, (error) => isProblem(error, "invalid"));

test("bare line feeds, text behind a boundary and unreadable headers are refused", () => {
  refused(() => read(Buffer.from("--b\nA: 1\n\nxyz\n--b--"), "b", []));
  refused(() => read(Buffer.from("--b and more\r\nA: 1\r\n\r\nxyz\r\n--b--"), "b", []));
  refused(() => read(Buffer.from("--b\r\nno colon\r\n\r\nxyz\r\n--b--"), "b", []));
  refused(() => read(Buffer.from("--b\r\nA: 1\nB: 2\r\n\r\nxyz\r\n--b--"), "b", []));
});

test("header bombs, parts without end and endless preambles stop at their budget", () => {
  const push = (limits: object, text: string, times: number) => {
    const reader = createMultipartReader("b", {
      headerBytesMax: 1_000,
      partsMax: 100,
      preambleBytesMax: 1_000,
      ...limits,
    });
    for (let i = 0; i < times; i++) reader.push(Buffer.from(text));
  };
  refused(() => push({}, "preamble that does not end ", 100));
  refused(() => push({}, "--b\r\nA: x\r\n\r\n\r\n", 101));
  const reader = createMultipartReader("b");
  reader.push(Buffer.from("--b\r\n"));
  refused(() => {
    for (let i = 0; i < 1_000_000; i++) reader.push(Buffer.from(`X-${i}: something\r\n`));
  });
  refused(() => createMultipartReader(""));
});
