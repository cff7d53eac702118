import { createHash } from "node:crypto";
import { Problem } from "#base/problem";
import type { OpenedObject } from "#trust/vault";
import type { HeldInstance, ReceivedObject } from "./held-instance.ts";

/**
 * An instance as it reads now, proven: its received data set's SHA-256 is compared before the last piece is given, so that
 * nobody gets a whole that was made of something else than what was received.
 */
export async function* wholeBytes(instance: HeldInstance): AsyncGenerator<Buffer> {
  yield* (await currentOf(instance)).whole();
}

/** An instance as it was received, whatever was corrected since; proven in the same way. */
export async function* receivedBytes(instance: HeldInstance): AsyncGenerator<Buffer> {
  yield* proven(instance, await instance.open());
}

/** An instance after the corrections of its study: where what stands, single ranges, and the whole, proven. */
export interface CurrentInstance extends Omit<HeldInstance, "open"> {
  open(): Promise<OpenedObject>;
  whole(): AsyncIterable<Buffer>;
}

export async function currentOf(instance: HeldInstance): Promise<CurrentInstance> {
  const received = await instance.open();
  const { layout, object, spliced } = await instance.current(received);
  const whole = () => spliced(proven(instance, received));
  return { ...instance, ...layout, open: async () => object, whole };
}

async function* proven(instance: HeldInstance, received: ReceivedObject): AsyncGenerator<Buffer> {
  const whole = await received.whole(instance.dataSetOffset);
  if (whole === undefined) {
    yield* provenPieces(instance, received.stream());
    return;
  }
  const { pieces, sha256 } = whole;
  if (received.sizeBytes !== instance.sizeBytes || sha256 !== instance.dataSetSha256) throw notWhatWasReceived();
  yield* pieces;
}

async function* provenPieces(instance: HeldInstance, bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let position = 0;
  let held: Buffer | undefined;
  for await (const piece of bytes) {
    const skip = Math.max(0, instance.dataSetOffset - position);
    if (skip < piece.length) hash.update(skip === 0 ? piece : piece.subarray(skip));
    position += piece.length;
    if (held !== undefined) yield held;
    held = piece;
  }
  if (position !== instance.sizeBytes || hash.digest("hex") !== instance.dataSetSha256) {
    throw notWhatWasReceived();
  }
  if (held !== undefined) yield held;
}

function notWhatWasReceived(): Problem {
  return new Problem("damaged", "an instance is not what was received; it was not served", {
    remedy: "run `leadglass vault check`, and send the instance again",
  });
}
