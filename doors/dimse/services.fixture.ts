// Services behind a door for tests: made of lists, with what they were asked kept.
import { systemClock } from "#base/clock";
import { Problem } from "#base/problem";
import { type DataSet, type DataSetInput, elementsOf, type KeywordDataSet } from "#formats/dicom";
import {
  type DimseServices,
  type FindRequest,
  type FindService,
  type FoundIdentifier,
  type OutboundAssociation,
  openAssociation,
  type RetrievedInstance,
  type RetrieveService,
  type StoreInstance,
} from "./index.ts";
import type { AssociationProposal, ContextProposal } from "./outbound.ts";
import { connectTo, ct, doorWith, explicit, implicit, verification } from "./scp.fixture.ts";

export const studyFind = "1.2.840.10008.5.1.4.1.2.2.1";
export const studyMove = "1.2.840.10008.5.1.4.1.2.2.2";
export const studyGet = "1.2.840.10008.5.1.4.1.2.2.3";
export const bigEndian = "1.2.840.10008.1.2.2";
export const deflated = "1.2.840.10008.1.2.1.99";
export const jpegLossless = "1.2.840.10008.1.2.4.70";

type Door = ReturnType<typeof doorWith>["door"];

/** An association for these contexts, each offered in explicit and implicit VR where nothing else is said. */
export function associate(
  door: Door,
  contexts: readonly (string | ContextProposal)[],
  more: Partial<AssociationProposal> = {},
  options: Partial<Parameters<typeof openAssociation>[2]> = {},
): Promise<OutboundAssociation> {
  const proposed = [verification, ...contexts].map((one) =>
    typeof one === "string" ? { sopClassUid: one, transferSyntaxUids: [explicit, implicit] } : one,
  );
  const proposal = { callingAe: "CT1", calledAe: "LEADGLASS", contexts: proposed, ...more };
  return openAssociation(connectTo(door), proposal, { clock: systemClock, ...options });
}

/** A door whose services are these, and storage that keeps what comes. */
export function serving(services: Partial<DimseServices>, options: Parameters<typeof doorWith>[0] = {}) {
  const { store } = doorWith();
  return doorWith({ ...options, services: { echo: async () => {}, store, ...services } });
}

/** C-FIND over a list; how often it was asked for the next, and whether it was let go of. */
export function listed(found: Iterable<KeywordDataSet | FoundIdentifier>): FindService & {
  readonly asked: FindRequest[];
  readonly state: { taken: number; returned: boolean };
} {
  const asked: FindRequest[] = [];
  const state = { taken: 0, returned: false };
  return {
    asked,
    state,
    async *find(request) {
      asked.push(request);
      try {
        for (const one of found) {
          state.taken++;
          yield "keysIgnored" in one
            ? (one as FoundIdentifier)
            : { identifier: elementsOf(one as KeywordDataSet), keysIgnored: false };
        }
      } finally {
        state.returned = true;
      }
    },
  };
}

export const query = (values: KeywordDataSet = {}): DataSetInput =>
  elementsOf({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: "1.2.3", ...values });

export async function all(found: AsyncIterable<DataSet>): Promise<DataSet[]> {
  const out: DataSet[] = [];
  for await (const one of found) out.push(one);
  return out;
}

interface Stored {
  readonly sopClassUid?: string;
  readonly transferSyntaxUid?: string;
  readonly offered?: readonly string[];
  readonly fails?: boolean;
  readonly bytes?: number;
  /** Waits before its first byte. */
  readonly after?: Promise<void>;
}

/** An instance whose bytes say in which syntax they were asked for. */
export function stored(number: number, one: Stored = {}): RetrievedInstance & { readonly opened: string[][] } {
  const { sopClassUid = ct, transferSyntaxUid = explicit, fails = false, bytes = 100, after } = one;
  const opened: string[][] = [];
  const sopInstanceUid = `1.2.3.${number}`;
  return {
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid,
    offeredSyntaxUids: [transferSyntaxUid, ...(one.offered ?? [])],
    opened,
    async open(uids): Promise<StoreInstance> {
      opened.push([...uids]);
      if (fails) throw new Problem("damaged", "the instance does not prove");
      const [chosen = ""] = uids;
      return { sopClassUid, sopInstanceUid, transferSyntaxUid: chosen, dataSet: pieces(`${chosen} `, bytes, after) };
    },
  };
}

async function* pieces(text: string, bytes: number, after: Promise<void> | undefined): AsyncGenerator<Uint8Array> {
  await after;
  const whole = Buffer.alloc(bytes + (bytes % 2), text);
  for (let at = 0; at < whole.length; at += 50_000) yield whole.subarray(at, at + 50_000);
}

/** C-MOVE and C-GET of a list; destinations by AE title. */
export function retrieving(
  instances: readonly RetrievedInstance[],
  destinations: Readonly<Record<string, Door>> = {},
): RetrieveService & { readonly associations: (readonly ContextProposal[])[] } {
  const associations: (readonly ContextProposal[])[] = [];
  return {
    associations,
    select: async () => instances,
    async destination(title) {
      const door = destinations[title];
      if (!door) throw new Problem("absent", "no such destination");
      return {
        async open(contexts) {
          associations.push(contexts);
          const proposal = { callingAe: "LEADGLASS", calledAe: title, contexts };
          return openAssociation(connectTo(door), proposal, { clock: systemClock });
        },
      };
    },
  };
}
