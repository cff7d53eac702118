import { deflateRawSync } from "node:zlib";
import type { Log } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import {
  type DataSet,
  type DataSetInput,
  type ElementInput,
  isKnownCharacterSet,
  readDataSet,
  Tag,
  writeDataSet,
} from "#formats/dicom";
import { createInterruptions, type Interruptions } from "./interruptions.ts";
import type { WithDimseDetail } from "./ports.ts";
import type { DimseRequest, Exchange } from "./requests.ts";
import { outcomeOf, type StatusFamily, status } from "./status.ts";

/** A request whose data set, if it has one, is small by its nature: an identifier, a list of attributes. */
export interface SmallRequest {
  readonly bytesMax: number;
  readonly family: StatusFamily;
  /** For the log and the comment of an unknown error: "answering a C-FIND". */
  readonly doing: string;
  readonly log: Log;
  readonly converses?: boolean;
  /** Answers the request. What is thrown is answered with a failure. */
  work(dataSet: DataSet | undefined, interruptions: Interruptions): Promise<void>;
}

/** Takes the data set of a request whole, and has the request worked on. */
export function withDataSet(request: DimseRequest, small: SmallRequest): Exchange {
  const { bytesMax, family, doing, log } = small;
  const { transferSyntaxUid } = request.context;
  const interruptions = createInterruptions();
  const parts: Buffer[] = [];
  let bytesSoFar = 0;
  const dataSet = () => {
    if (bytesSoFar > bytesMax) throw new Problem("too-large", "the data set of the request is too large");
    return bytesSoFar === 0 ? undefined : read(Buffer.concat(parts.splice(0)), transferSyntaxUid, family);
  };
  return {
    converses: small.converses === true,
    write(bytes) {
      bytesSoFar += bytes.length;
      if (bytesSoFar <= bytesMax) parts.push(Buffer.from(bytes));
      else parts.length = 0;
      return undefined;
    },
    async finish() {
      try {
        await small.work(dataSet(), interruptions);
      } catch (error) {
        const outcome = outcomeOf(error, doing, family);
        log.warn(
          "dimse: a request was refused",
          { command: request.command.CommandField, status: outcome.Status },
          error,
        );
        request.respond(outcome);
      }
    },
    abort: () => {},
    interrupt: interruptions.interrupt,
  };
}

/** A deflated megabyte may become so much, and no more. */
const inflatedBytesMax = 16 * 2 ** 20;
/** Of lists of attributes: those of 10,000 instances, and more. */
const elementsMax = 100_000;
/** Of identifiers, with those of their items: keys, where no machine sends a thousand. */
const identifierElementsMax = 10_000;

function read(bytes: Uint8Array, transferSyntaxUid: string, family: StatusFamily): DataSet {
  const normalized = family === "normalized" || family === "create";
  const limits = { inflatedBytesMax, elementsMax: normalized ? elementsMax : identifierElementsMax };
  try {
    return readDataSet(bytes, { transferSyntaxUid, limits });
  } catch (error) {
    const detail: WithDimseDetail = { dimseStatus: normalized ? status.processingFailure : status.cannotUnderstand };
    throw Object.assign(new Problem("invalid", "the data set of the request cannot be read", { cause: error }), detail);
  }
}

/** Reads the data set of a response. Throws a Problem `unavailable`: it is the peer that is at fault. */
export function readResponse(bytes: Uint8Array, transferSyntaxUid: string): DataSet {
  try {
    return readDataSet(bytes, { transferSyntaxUid, limits: { inflatedBytesMax, elementsMax } });
  } catch (error) {
    throw new Problem("unavailable", "the peer's response cannot be read", { cause: error });
  }
}

const unicode = ["ISO_IR 192"];

/**
 * A data set in bytes. Text is written in the character sets `preferred` where they hold all of it, else in UTF-8, and the data
 * set says which (PS3.4 §C.4.1.1.3.2). One that was read keeps its own.
 */
export function writeDataSetFor(
  dataSet: DataSetInput,
  transferSyntaxUid: string,
  preferred: readonly string[] = [],
): Uint8Array {
  const options = { transferSyntaxUid, deflate: (bytes: Uint8Array) => deflateRawSync(bytes) };
  if (!isElements(dataSet)) return writeDataSet(dataSet, options);
  const elements = dataSet.filter(({ tag }) => tag !== Tag.SpecificCharacterSet);
  const write = (sets: readonly string[]) =>
    writeDataSet(
      sets.length === 0 ? elements : [{ tag: Tag.SpecificCharacterSet, vr: "CS", value: sets }, ...elements],
      options,
    );
  if (!preferred.every((term) => term === "" || isKnownCharacterSet(term))) return write(unicode);
  try {
    return write(preferred);
  } catch (error) {
    if (!isProblem(error, "invalid")) throw error;
    return write(unicode);
  }
}

function isElements(dataSet: DataSetInput): dataSet is readonly ElementInput[] {
  return Array.isArray(dataSet);
}
