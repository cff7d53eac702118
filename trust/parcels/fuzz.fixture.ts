// What the fuzzer (tests/fuzz) feeds: parcels with proven frames in any order, and receipts. A target throws where they do what they must not.
import assert from "node:assert/strict";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { keyOf, sealMessage } from "#trust/vault";
import { bindingOf, contentBytesMost, encodeFrameHead, encodePrefix, type FrameKind, frameNonce } from "./format.ts";
import { decapsulate } from "./hpke.ts";
import { openParcel, type ParcelKeyPair, type Receipt, readReceipt, signReceipt } from "./index.ts";

// Key and enc of RFC 9180 §A.7.1, so that the seeds are the same each time.
const pair: ParcelKeyPair = {
  id: "129b34abb34049d7",
  publicKey: "GUFBymw8O-tHks2Xug6h-v8J2YQ1ASNFdm7jOq4tdmQ",
  privateKey: "M9GWyDChL5rGXW5WWlkNgPBO6bGcg8h_LBcNlyqBKEg",
};
const enc = Buffer.from("e5e8f9bfff6c2f29791fc351d2c25ce1299aa5eaca78a757c0b4fb4bcd830918", "hex");
const prefix = encodePrefix(pair.id);

interface Piece {
  readonly kind: FrameKind;
  readonly length: number;
  /** Where it says to stand. */
  readonly index: number;
}

const secret = keyOf(await decapsulate(Buffer.from(pair.privateKey, "base64url"), enc, bindingOf(prefix)));

/** Frames that are proven, whatever a sealer would have written. */
function parcelOf(pieces: readonly Piece[]): Uint8Array {
  const frames = pieces.flatMap(({ kind, length, index }) => [
    encodeFrameHead({ kind, length }),
    ...sealMessage(secret, frameNonce(kind, index), Buffer.alloc(0), Buffer.alloc(length, index)),
  ]);
  return Uint8Array.from(Buffer.concat([prefix, enc, ...frames]));
}

const inRow = (...pieces: readonly Omit<Piece, "index">[]) =>
  parcelOf(pieces.map((piece, index) => ({ ...piece, index })));
const refusals: ReadonlySet<string> = new Set(["damaged", "unsupported", "absent"]);

export const parcelsTarget = {
  seeds: () => [
    inRow({ kind: "head", length: 20 }, { kind: "content", length: 300 }, { kind: "tail", length: 5 }),
    inRow({ kind: "head", length: 0 }, { kind: "tail", length: 0 }),
  ],
  words: [prefix, enc].map((word) => Uint8Array.from(word)),
  built: fc
    .array(
      fc.record({
        kind: fc.constantFrom<FrameKind>("head", "content", "content", "tail"),
        length: fc.oneof(fc.nat(40), fc.constant(contentBytesMost)),
        moved: fc.constantFrom(0, 0, 0, 0, 1),
      }),
      { maxLength: 4 },
    )
    .map((frames) => parcelOf(frames.map(({ kind, length, moved }, at) => ({ kind, length, index: at + moved })))),
  async run(input: Uint8Array): Promise<void> {
    const given: (readonly [FrameKind, number])[] = [];
    const opener = openParcel((id) => (id === pair.id ? pair : undefined), {
      head: (bytes) => void given.push(["head", bytes.length]),
      content: (bytes) => void given.push(["content", bytes.length]),
    });
    try {
      const half = input.length >> 1;
      await opener.write(input.subarray(0, half));
      await opener.write(input.subarray(half));
      await opener.end();
    } catch (error) {
      assert.ok(isProblem(error) && refusals.has(error.code), String(error));
      return;
    }
    const [first, ...content] = given;
    assert.equal(first?.[0], "head");
    for (const [at, [kind, length]] of content.entries())
      assert.ok(
        kind === "content" && (length === contentBytesMost || at === content.length - 1),
        "full but for the last",
      );
  },
  cpuMsMax: 100,
};

/** RFC 8032 §7.1, test 1. */
const signing = {
  publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
};
const receipts: readonly Receipt[] = [
  { parcel: "0123456789abcdef".repeat(2), edge: "e".repeat(32), at: 1_800_000_000_000, outcome: "stored" },
  { parcel: "f".repeat(32), edge: "", at: 0, outcome: "held" },
];

export const receiptsTarget = {
  seeds: () => receipts.map((receipt) => Uint8Array.from(signReceipt(signing, receipt))),
  run(input: Uint8Array): void {
    try {
      assert.deepEqual(signReceipt(signing, readReceipt([signing.publicKey], input)), Buffer.from(input));
    } catch (error) {
      assert.ok(isProblem(error), String(error));
    }
  },
  cpuMsMax: 100,
};
