import { isProblem, Problem } from "#base/problem";
import {
  type DataSet,
  type DataSetInput,
  elementsOf,
  isStorageSopClass,
  keywordOf,
  storageSopClasses,
  TransferSyntaxUid,
} from "#formats/dicom";
import type { Wanted } from "#radiology/migration";
import type { FoundStudy, Progress } from "#radiology/relay";
import { informationModels } from "./archive-models.ts";
import { type OpenTo, onAssociation } from "./on-association.ts";
import {
  type ContextProposal,
  plainContext,
  type RetrieveOutcome,
  type SubOperationCounts,
  uncompressedSyntaxes,
} from "./outbound.ts";
import { problemOf, status } from "./status.ts";
import type { Receiving, StoreRequest } from "./store-ports.ts";

const [, studyRoot] = informationModels;

/** What is asked of a study besides what it is looked for by. */
const returned = [
  "StudyInstanceUID",
  "PatientName",
  "PatientID",
  "PatientBirthDate",
  "PatientSex",
  "AccessionNumber",
  "StudyDate",
  "StudyTime",
  "StudyDescription",
  "ModalitiesInStudy",
  "NumberOfStudyRelatedInstances",
] as const;

const studiesMost = 500;
/** All SOP classes of a study; nothing else that is asked for is as long. */
const textCharactersMost = 8_192;

/** Studies of another archive (C-FIND, PS3.4 §C.4.1) by texts for their keywords; at most 500. */
export async function findStudies(
  open: OpenTo,
  keys: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<FoundStudy[]> {
  const wanted = Object.fromEntries(returned.map((keyword) => [keyword, ""]));
  return onAssociation(open, [plainContext(studyRoot.find)], signal, async (association) => {
    const found: FoundStudy[] = [];
    const asked = { ...wanted, ...keys };
    const identifier = elementsOf({ QueryRetrieveLevel: "STUDY", ...asked });
    for await (const match of association.find(studyRoot.find, identifier, { signal })) {
      found.push(textsOf(match, asked));
      if (found.length >= studiesMost) break;
    }
    return found;
  });
}

export interface Fetching {
  readonly open: OpenTo;
  /** Takes what comes on an association of ours. */
  readonly receive: (request: StoreRequest) => Receiving;
  /** Where a C-MOVE sends to. */
  readonly ownAe: string;
  readonly signal: AbortSignal;
  note(progress: Progress): void;
}

/**
 * Has a study of another archive sent here: by C-GET, which needs no listener of ours, else by C-MOVE. Rejects with Problem `absent`
 * when there is none, with one that says why when not all of it came.
 */
export async function fetchStudy(studyUid: string, fetching: Fetching): Promise<void> {
  const { open, signal } = fetching;
  const [known] = await findStudies(open, { StudyInstanceUID: studyUid, SOPClassesInStudy: "" }, signal);
  if (known === undefined || known.StudyInstanceUID !== studyUid) {
    throw new Problem("absent", "the other archive has no such study", { remedy: "leadglass find shows what it has" });
  }
  const sopClasses = (known.SOPClassesInStudy ?? "").split("\\").filter((uid) => uid !== "" && isStorageSopClass(uid));
  await retrieved(elementsOf({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: studyUid }), sopClasses, fetching);
}

/** In one identifier: their UIDs take 6 KiB. */
const namedMost = 100;

/** Has some series of a study sent here, or some instances of them: a list of UIDs at the level asked for, one above (PS3.4 §C.4.2.1.4). */
export async function fetchParts({ studyUid, only = [], sopClassUids }: Wanted, fetching: Fetching): Promise<void> {
  const ask = async (level: "SERIES" | "IMAGE", keys: Readonly<Record<string, readonly string[]>>) => {
    const identifier = elementsOf({ QueryRetrieveLevel: level, StudyInstanceUID: studyUid, ...keys });
    await retrieved(identifier, sopClassUids.filter(isStorageSopClass), fetching);
  };
  const series = only.filter(({ sopUids }) => sopUids === undefined).map(({ seriesUid }) => seriesUid);
  for (const SeriesInstanceUID of portionsOf(series)) await ask("SERIES", { SeriesInstanceUID });
  for (const { seriesUid, sopUids = [] } of only) {
    for (const SOPInstanceUID of portionsOf(sopUids)) {
      await ask("IMAGE", { SeriesInstanceUID: [seriesUid], SOPInstanceUID });
    }
  }
}

function* portionsOf(uids: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < uids.length; from += namedMost) yield uids.slice(from, from + namedMost);
}

/** By C-GET where the archive does that, and sends all of it that way; else by C-MOVE. */
async function retrieved(identifier: DataSetInput, sopClasses: readonly string[], fetching: Fetching): Promise<void> {
  const { open, signal } = fetching;
  const stored = new Set<string>();
  for (const contexts of offersFor(sopClasses)) {
    const came = await gotten(identifier, contexts, fetching, stored);
    if (came === "all") return;
    if (came === "none") break;
  }
  // Some take no C-MOVE where no C-FIND is proposed beside it (dcmqrscp's `--require-find`).
  const contexts = [plainContext(studyRoot.move), plainContext(studyRoot.find)];
  await onAssociation(open, contexts, signal, async (association) => {
    const outcome = await association.move(studyRoot.move, identifier, fetching.ownAe, retrieving(fetching));
    const problem = problemIn(outcome, "a C-MOVE");
    if (problem !== undefined) throw problem;
  });
}

/** None: the archive does not do C-GET. Some: it did not send all of it that way, with what was `stored` by then. */
async function gotten(
  identifier: DataSetInput,
  receivable: readonly ContextProposal[],
  fetching: Fetching,
  stored: Set<string>,
): Promise<"all" | "some" | "none"> {
  const contexts = [plainContext(studyRoot.get), ...receivable];
  let hasCome = false;
  const receive = (request: StoreRequest): Receiving => {
    hasCome = true;
    const receiving = fetching.receive(request);
    const finish = async () => {
      await receiving.finish();
      stored.add(request.sopInstanceUid);
    };
    return { ...receiving, finish };
  };
  return onAssociation(fetching.open, contexts, fetching.signal, async (association) => {
    if (!association.contexts.some(({ sopClassUid }) => sopClassUid === studyRoot.get)) return "none";
    try {
      const outcome = await association.get(studyRoot.get, identifier, receive, retrieving(fetching));
      fetching.signal.throwIfAborted();
      if (problemIn(outcome, "a C-GET") === undefined) return "all";
      // It tried all of them (PS3.4 §C.4.3.1.4), and what failed now had come before.
      const of = outcome.completed + outcome.warning + outcome.failed;
      return outcome.status === status.subOperationsIncomplete && stored.size === of ? "all" : "some";
    } catch (error) {
      fetching.signal.throwIfAborted();
      // Some agree on C-GET and hang up when it is asked for (Orthanc, to a peer that it is not to answer).
      if (isProblem(error) && !hasCome) return "none";
      throw error;
    }
  });
}

function retrieving({ signal, note }: Fetching) {
  return {
    signal,
    onProgress({ completed, warning, failed, remaining }: SubOperationCounts) {
      const done = completed + warning;
      note({ done, of: done + failed + remaining });
    },
  };
}

function problemIn(
  { status: answered, failed, completed, warning }: RetrieveOutcome,
  what: string,
): Problem | undefined {
  if (answered === status.success && failed === 0) return undefined;
  const of = failed + completed + warning;
  if (failed > 0) return new Problem("unavailable", `the other archive did not send ${failed} of ${of} instances`);
  return problemOf(answered, what);
}

/** What may come, compressed before plain: what the archive holds compressed it need not make larger. */
const receivedSyntaxes = [
  TransferSyntaxUid.htj2kLosslessRpcl,
  TransferSyntaxUid.htj2kLossless,
  TransferSyntaxUid.htj2k,
  TransferSyntaxUid.jpeg2000Lossless,
  TransferSyntaxUid.jpeg2000,
  TransferSyntaxUid.jpegLsLossless,
  TransferSyntaxUid.jpegLsNearLossless,
  TransferSyntaxUid.jpegLosslessSv1,
  TransferSyntaxUid.jpegLossless,
  TransferSyntaxUid.jpegBaseline8Bit,
  TransferSyntaxUid.jpegExtended12Bit,
  TransferSyntaxUid.rleLossless,
  TransferSyntaxUid.deflatedExplicitLittleEndian,
  TransferSyntaxUid.explicitBigEndian,
];

/** PS3.8 §9.3.2.2; one is that of the C-GET. */
const contextsMost = 127;

/**
 * What it may send, in one association after the other until all has come. Where nothing is known of the study there is room for one context
 * for each SOP class that is seen in practice: an archive that chose a compressed syntax in it is asked again for what it holds plain, which
 * it may not be able to compress (dcmqrscp).
 */
function offersFor(sopClasses: readonly string[]): readonly (readonly ContextProposal[])[] {
  if (sopClasses.length > 0) return [receivable(sopClasses.slice(0, contextsMost))];
  const usual = usualClasses();
  const plain = usual.map((uid): ContextProposal => ({ ...plainContext(uid), role: "scp" }));
  return [receivable(usual), plain];
}

/** A context for each syntax as far as there is room, so that the archive cannot choose one and be left with images in another. */
function receivable(chosen: readonly string[]): ContextProposal[] {
  const each = Math.floor(contextsMost / chosen.length);
  return chosen.flatMap((sopClassUid): ContextProposal[] => {
    const single = receivedSyntaxes.slice(0, Math.max(0, each - 1));
    const joined = [...uncompressedSyntaxes, ...receivedSyntaxes.slice(single.length)];
    return [
      ...single.map((uid): ContextProposal => ({ sopClassUid, transferSyntaxUids: [uid], role: "scp" })),
      { sopClassUid, transferSyntaxUids: joined, role: "scp" },
    ];
  });
}

/** Without protocols, templates, measurements and others that no study of images holds by itself. */
const unusual = /\.5\.1\.4\.(?:(?:34|38|39|43|44|45)\.|1\.1\.(?:200|201|78|79|80|81|82|481\.[12]\d|9\.[5-8])\b)/;

function usualClasses(): string[] {
  const standing = storageSopClasses().filter(({ name, uid }) => !name.includes("(Retired)") && !unusual.test(uid));
  return standing.map(({ uid }) => uid).slice(0, contextsMost);
}

/** What was asked for, and no more than can be the value of that: an archive may answer with whatever it likes. */
export function textsOf(match: DataSet, asked: object): FoundStudy {
  const texts: Record<string, string> = {};
  for (const element of match.elements) {
    const keyword = keywordOf(element.tag);
    if (keyword === undefined || !Object.hasOwn(asked, keyword) || match.vrOf(element) === "SQ") continue;
    texts[keyword] = match.textsOf(element).join("\\").slice(0, textCharactersMost);
  }
  return texts;
}
