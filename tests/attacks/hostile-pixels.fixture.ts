import assert from "node:assert/strict";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { leadglass } from "#doors/dimse";
import type { KeywordDataSet } from "#formats/dicom";
import type { FrameDescription } from "#imaging/codecs";
import { createTranscoder, type PixelWork } from "#radiology/images";
import { createPixelProcesses } from "../../apps/server/index.ts";
import { type OpenDoor, openDoor, storeIn } from "../conformance/dicomweb-door.fixture.ts";
import { imageFile } from "../conformance/dicomweb-files.fixture.ts";

export const syntax = (end: string) => `1.2.840.10008.1.2${end}`;

export const gray: FrameDescription = {
  transferSyntaxUid: syntax(".1"),
  rows: 24,
  columns: 24,
  samplesPerPixel: 1,
  bitsAllocated: 8,
  bitsStored: 8,
  pixelRepresentation: 0,
  photometricInterpretation: "MONOCHROME2",
};

export interface Answered {
  readonly resource: string;
  readonly status: number;
  readonly body: Buffer;
}

export const statusOf = (answers: readonly Answered[], resource: string) =>
  answers.find((each) => each.resource === resource)?.status;

const ways: readonly (readonly [string, string])[] = [
  ["/rendered", "image/png"],
  ["/thumbnail", "image/jpeg"],
  ["/frames/1", "application/octet-stream"],
  ["/metadata", "application/dicom+json"],
  ["", `application/dicom; transfer-syntax=${syntax(".1")}`],
  ["", `application/dicom; transfer-syntax=${syntax(".4.80")}`],
];

export interface HostilePixels {
  readonly door: OpenDoor;
  readonly pixels: PixelWork;
  /** A number that no study has had. */
  nextStudy(): number;
  /** Stores a hostile file. Undefined when it is refused, which ends the attack. */
  store(bytes: Uint8Array): Promise<string | undefined>;
  /** Asks for everything that touches the pixels of an instance: each answer is there, and none is a fault of ours. */
  askAll(path: string): Promise<Answered[]>;
  /** One image with these values, asked for in every way. Nothing when it was not let in. */
  attack(values: KeywordDataSet, options?: { transferSyntaxUid?: string }): Promise<Answered[]>;
  close(): Promise<void>;
}

/** The door over a real archive, and decoders in processes of their own as the server has them. */
export async function openHostilePixels(): Promise<HostilePixels> {
  const pixels = createPixelProcesses({ clock: systemClock, log: silentLog });
  const transcoder = createTranscoder({ pixels, implementation: leadglass });
  const door = await openDoor(undefined, { pixels, transcoder });
  let studies = 1_000;
  const nextStudy = () => ++studies;
  const store = (bytes: Uint8Array) => storeIn(door, bytes);
  const askAll: HostilePixels["askAll"] = async (path) => {
    const answers: Answered[] = [];
    for (const [resource, accept] of ways) {
      const url = `${path}${resource}`;
      const answer = await door.server.inject({ url, headers: { accept } }).catch((error: Error) => error);
      // An answer that has begun and cannot be ended is broken off: no client takes a part for the whole.
      if (answer instanceof Error) {
        answers.push({ resource, status: 0, body: Buffer.alloc(0) });
        continue;
      }
      const { statusCode, body } = answer;
      assert.ok(statusCode < 500 || statusCode === 501, `${resource} ${accept}: ${statusCode} ${body.slice(0, 200)}`);
      answers.push({ resource, status: statusCode, body: answer.rawPayload });
    }
    const alive = await pixels.decodeFrame(Uint8Array.of(7), { ...gray, rows: 1, columns: 1 });
    assert.deepEqual([...alive.pixels], [7], "the decoders work on");
    return answers;
  };
  return {
    ...{ door, pixels, nextStudy, store, askAll },
    async attack(values, options = {}) {
      const path = await store(imageFile({ study: nextStudy(), values, ...options }));
      return path === undefined ? [] : askAll(path);
    },
    async close() {
      await door.close();
      await pixels.close();
    },
  };
}
