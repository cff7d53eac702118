import assert from "node:assert/strict";
import { test } from "node:test";
import { createMultipartReader } from "./multipart-reader.ts";
import { type AnswerPart, multipartOf } from "./multipart-writer.ts";

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of body) all.push(piece);
  return Buffer.concat(all);
}

test("what is written is read again, and its length was known", async () => {
  const parts: AnswerPart[] = [
    { type: "a/b", length: 5, location: "https://host/1", pieces: pieces("one", "12") },
    { type: "a/b", length: 0, pieces: pieces() },
  ];
  const body = multipartOf("a/b", "seed", parts);
  const bytes = await bytesOf(body.pieces);
  assert.equal(bytes.length, body.length);
  const boundary = /boundary=(.+)$/.exec(body.type)?.[1] ?? "";
  const reader = createMultipartReader(boundary);
  const read = reader.push(bytes);
  assert.equal(reader.end(), true);
  const kinds = read.map((piece) => (piece.kind === "data" ? Buffer.from(piece.bytes).toString() : piece.kind));
  assert.deepEqual(kinds, ["headers", "one12", "end", "headers", "end"]);
});

test("one part of unknown length leaves the length of all unknown", () => {
  const body = multipartOf("a/b", "seed", [
    { type: "a/b", length: 1, pieces: pieces("1") },
    { type: "a/b", pieces: pieces("2") },
  ]);
  assert.equal(body.length, undefined);
});

test("the same answer has the same bytes, another one another boundary", async () => {
  const make = (seed: string) => multipartOf("a/b", seed, [{ type: "a/b", pieces: pieces("x") }]);
  assert.deepEqual(await bytesOf(make("1").pieces), await bytesOf(make("1").pieces));
  assert.notEqual(make("1").type, make("2").type);
});

test("who stops reading ends the part that is sent and the one that was begun", async () => {
  const ended: string[] = [];
  async function* watched(name: string): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from(name);
    } finally {
      ended.push(name);
    }
  }
  const body = multipartOf("a/b", "seed", [
    { type: "a/b", pieces: watched("first") },
    { type: "a/b", pieces: watched("second") },
  ]);
  for await (const piece of body.pieces) if (Buffer.from(piece).toString() === "first") break;
  assert.deepEqual(ended.sort(), ["first", "second"]);
});

test("a part that fails at once fails before anything was sent", async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    await Promise.reject(new Error("damaged"));
    yield Buffer.from("never");
  }
  const body = multipartOf("a/b", "seed", [{ type: "a/b", pieces: failing() }]);
  await assert.rejects(body.pieces[Symbol.asyncIterator]().next(), /damaged/);
});
