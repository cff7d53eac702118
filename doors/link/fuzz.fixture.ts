// What the fuzzer (tests/fuzz) feeds: frames, and all that an edge may say to the cloud. A target throws where they do what they must not.
import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { createFrameReader } from "./frame-reader.ts";
import { encodeFrame, type Frame, protocolVersion } from "./frames.ts";
import { createMemoryArrivals, hashOf } from "./link.fixture.ts";
import { createLinkReceiver } from "./receiver.ts";

const content = Buffer.from("an object in two pieces");
const hello: Frame = { type: "hello", version: protocolVersion, session: new Uint8Array(16) };
const offer: Frame = {
  type: "offer",
  objects: [1, 2].map((number) => ({
    number,
    id: number.toString(16).padStart(32, "0"),
    length: content.length,
    sha256: hashOf(content),
  })),
};
const piece = (number: number, from: number, to: number): Frame => ({
  type: "data",
  number,
  from,
  bytes: content.subarray(from, to),
});
const said: readonly Frame[] = [
  { type: "welcome", incarnation: new Uint8Array(16), windowBytes: 1_000_000, objectsMax: 9 },
  { type: "answer", positions: [{ number: 1, at: 7 }] },
  { type: "taken", positions: [{ number: 1, at: 9 }] },
  { type: "received", bytes: 9 },
  { type: "receipt", number: 1, receipt: content },
  { type: "refusal", number: 2, reason: "no-room" },
];
const asked: readonly Frame[] = [
  offer,
  piece(1, 9, 23),
  piece(1, 0, 9),
  { type: "withdrawal", number: 2 },
  { type: "alive" },
  { type: "goodbye", reason: "leaving" },
];
const encoded = (...frames: readonly Frame[]) => Buffer.concat(frames.flatMap(encodeFrame));

/** What the reader gives of a stream that comes in pieces of these sizes, and why it stopped. */
function given(input: Uint8Array, sizes: readonly number[]): { readonly frames: Buffer; readonly refused: string } {
  const frames: Uint8Array[] = [];
  const reader = createFrameReader((frame) => frames.push(...encodeFrame(frame)));
  let refused = "";
  try {
    for (let at = 0, index = 0; at < input.length; index++) {
      const chunk = Uint8Array.from(input.subarray(at, at + (sizes[index % sizes.length] ?? 1)));
      reader.read(chunk);
      at += chunk.length;
    }
  } catch (error) {
    if (!isProblem(error, "invalid")) throw error;
    refused = error.message;
  }
  return { frames: Buffer.concat(frames), refused };
}

/** Frames in pieces of any size: what is given of them is the same, and is written as the same bytes. */
export const framesTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] => [encoded(hello, ...asked), encoded(...said)],
  run(input: Uint8Array): void {
    const whole = given(input, [input.length]);
    assert.deepEqual(
      given(
        input,
        [...input.subarray(-5)].map((byte) => 1 + byte),
      ),
      whole,
    );
    assert.deepEqual(whole.frames, Buffer.from(input.subarray(0, whole.frames.length)));
  },
};

/** All that an edge sends on one stream. Whatever it is, nothing is held of it once the edge is cut off. */
export const linkTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] => [
    encoded(hello, offer, piece(1, 0, 9), piece(1, 9, 23)),
    encoded(hello, offer, piece(2, 9, 23), piece(2, 0, 9), { type: "withdrawal", number: 1 }),
    encoded(hello, offer, { type: "goodbye", reason: "leaving" }),
  ],
  words: [hello, ...asked, ...said].map((frame) => encoded(frame)),
  async run(input: Uint8Array): Promise<void> {
    const clock = createVirtualClock();
    const arrivals = createMemoryArrivals(() => Promise.resolve());
    const receiver = createLinkReceiver({ clock, random: seededRandom(1), log: silentLog, windowBytes: 1_000_000 });
    const [edge, cloud] = duplexPair();
    edge.on("error", () => {});
    edge.resume();
    receiver.accept(cloud, { edge: "edge-1", arrivals });
    edge.write(input);
    for (let turns = 0; turns < 8; turns++) await turn();
    await receiver.cut("edge-1");
    assert.deepEqual([receiver.edges(), arrivals.openObjects()], [[], 0]);
    cloud.destroy();
    edge.destroy();
  },
};
