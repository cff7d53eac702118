import { Problem, type ProblemCode } from "#base/problem";
import type { CodedFrame, DecodedFrame, FrameDescription } from "#imaging/codecs";
import type { Picture } from "#imaging/rendering";
import type { Made } from "./pixel-tasks.ts";

/**
 * What pixel processes answer, looked at before it is believed: a process that a hostile frame took over may have written it. Whatever
 * it wrote, what comes out of here has the shape that was asked for.
 */

/** The samples of a frame as it was described. */
export function decodedOf(made: Made, image: FrameDescription): DecodedFrame {
  const { planarConfiguration, photometricInterpretation } = answered(made, "decoded");
  const { rows, columns, samplesPerPixel, bitsStored, pixelRepresentation } = image;
  const bitsAllocated = Math.max(8, image.bitsAllocated);
  if (
    (planarConfiguration !== 0 && planarConfiguration !== 1) ||
    made.bytes.length !== rows * columns * samplesPerPixel * (bitsAllocated / 8)
  ) {
    throw noAnswer();
  }
  return {
    ...{ rows, columns, samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation, planarConfiguration },
    photometricInterpretation: codeString(photometricInterpretation),
    pixels: made.bytes,
  };
}

export function codedOf(made: Made): CodedFrame {
  const { photometricInterpretation } = answered(made, "recoded");
  return { bytes: made.bytes, photometricInterpretation: codeString(photometricInterpretation) };
}

export function pictureOf(made: Made): Picture {
  const { width, height, channels } = answered(made, "rendered");
  if (!isSide(width) || !isSide(height) || (channels !== 1 && channels !== 3)) throw noAnswer();
  if (made.bytes.length !== width * height * channels) throw noAnswer();
  return { width, height, channels, pixels: made.bytes };
}

const isSide = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536;

function codeString(value: unknown): string {
  if (typeof value === "string" && /^[A-Z0-9_ ]{1,16}$/.test(value)) return value;
  throw noAnswer();
}

const problems: readonly ProblemCode[] = ["invalid", "unsupported", "too-large"];
const textMax = 300;

/** The answer of the kind that was asked for. Throws the Problem that it is instead; any but those of a frame is a fault of the frame. */
function answered({ answer, bytes }: Made, kind: string): Readonly<Record<string, unknown>> {
  const { kind: given, code, message, remedy } = answer;
  if (given === kind) return answer;
  if (given !== "problem" || typeof message !== "string" || bytes.length > 0) throw noAnswer();
  const known = problems.find((each) => each === code) ?? "invalid";
  throw new Problem(known, message.slice(0, textMax), {
    ...(typeof remedy === "string" && { remedy: remedy.slice(0, textMax) }),
  });
}

function noAnswer(): Problem {
  return new Problem("fault", "a pixel process gave another answer than was asked for");
}
