import { deserialize, serialize } from "node:v8";
import { Problem, type ProblemCode } from "#base/problem";
import type { CodedFrame, DecodedFrame, FrameDescription } from "#imaging/codecs";
import type { Picture } from "#imaging/rendering";
import type { PictureRequest } from "#radiology/images";

/** What a pixel process is asked, with the frame apart. */
export type PixelTask =
  | { readonly kind: "decode"; readonly image: FrameDescription }
  | { readonly kind: "recode"; readonly image: FrameDescription; readonly to: string }
  | ({ readonly kind: "render" } & Omit<PictureRequest, "frame">);

/** What it answers, with the bytes that it made apart. */
export type PixelAnswer =
  | { readonly kind: "ready" }
  | ({ readonly kind: "decoded" } & Omit<DecodedFrame, "pixels">)
  | ({ readonly kind: "recoded" } & Omit<CodedFrame, "bytes">)
  | ({ readonly kind: "rendered" } & Omit<Picture, "pixels">)
  | { readonly kind: "problem"; readonly code: ProblemCode; readonly message: string; readonly remedy?: string };

/** Both ways a message is the length of its head and of its body, 4 bytes each, then these. */
export const prefixBytes = 8;

function prefixed(head: Uint8Array, bodyBytes: number): Buffer {
  const out = Buffer.alloc(prefixBytes + head.length);
  out.writeUInt32LE(head.length, 0);
  out.writeUInt32LE(bodyBytes, 4);
  out.set(head, prefixBytes);
  return out;
}

/** Only ever read by the process that we started: V8 does not promise to withstand what a stranger has written. */
export const writeTask = (task: PixelTask, frameBytes: number): Buffer => prefixed(serialize(task), frameBytes);
export const readTask = (head: Uint8Array): PixelTask => deserialize(head) as PixelTask;

/** Read by us, and a process that a hostile frame took over may have written it: so it is JSON. */
export const writeAnswer = (answer: PixelAnswer, bodyBytes: number): Buffer =>
  prefixed(Buffer.from(JSON.stringify(answer)), bodyBytes);

const answerHeadBytesMax = 16 * 1024;
/** A picture of the largest size that may be asked for, in colour, or a frame. */
const answerBytesMax = 128 * 1024 * 1024;

/** An answer as it came: what it says of itself is not proven. */
export interface Made {
  readonly answer: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

/** Takes what came, and gives the answers that are there in full. Throws Problem `fault` for what is none. */
export function createAnswerReader(): (bytes: Buffer) => Made[] {
  let pieces: Buffer[] = [];
  let size = 0;
  let wanted = prefixBytes;
  return (bytes) => {
    pieces.push(bytes);
    size += bytes.length;
    const made: Made[] = [];
    while (size >= wanted) {
      const whole = Buffer.concat(pieces);
      const [head, body] = [whole.readUInt32LE(0), whole.readUInt32LE(4)];
      if (head > answerHeadBytesMax || body > answerBytesMax) throw new Problem("fault", "an answer that is too long");
      const [begin, end] = [prefixBytes + head, prefixBytes + head + body];
      if (size >= end)
        made.push({ answer: parsed(whole.subarray(prefixBytes, begin)), bytes: whole.subarray(begin, end) });
      const rest = size >= end ? whole.subarray(end) : whole;
      pieces = [rest];
      size = rest.length;
      wanted = size < end && rest === whole ? end : prefixBytes;
    }
    return made;
  };
}

function parsed(head: Buffer): Made["answer"] {
  const answer: unknown = JSON.parse(head.toString("utf8"));
  if (typeof answer !== "object" || answer === null) throw new Problem("fault", "an answer that is none");
  return answer as Made["answer"];
}
