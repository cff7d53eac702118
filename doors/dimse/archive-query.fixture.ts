// The archive asked over DIMSE without a network: identifiers in, answers and instances out.
import {
  type DataSet,
  type ElementInput,
  elementsOf,
  type KeywordDataSet,
  readDataSet,
  TransferSyntaxUid,
} from "#formats/dicom";
import { createTranscoder } from "#radiology/images";
import { type Actor, actorOf, scopeOf } from "#trust/access";
import { openArchive } from "../../radiology/archive/archive.fixture.ts";
import { imageFile } from "../../radiology/archive/corrections.fixture.ts";
import { pixelsHere } from "../../radiology/images/pixels-here.fixture.ts";
import { informationModels } from "./archive-models.ts";
import { writeDataSetFor } from "./data-sets.ts";
import { archiveFinds, archiveRetrieves, type RetrievedInstance } from "./index.ts";
import type { QueryExtensions } from "./query-extensions.ts";

export const [patientRoot, studyRoot, patientStudyOnly] = informationModels;

const implementation = { classUid: "2.25.1", version: "TEST" };
const explicit = TransferSyntaxUid.explicitLittleEndian;

/** A machine that may find and fetch; in a facility what lies there alone. */
export const workstation = (facility = ""): Actor =>
  actorOf("device", "9", { scope: scopeOf({ may: ["find", "retrieve"], facility }) });

/** An identifier as it comes over the wire. */
const identifierOf = (keys: KeywordDataSet | readonly ElementInput[]): DataSet => {
  const elements = Array.isArray(keys) ? (keys as readonly ElementInput[]) : elementsOf(keys as KeywordDataSet);
  return readDataSet(writeDataSetFor(elements, explicit, ["ISO_IR 192"]), { transferSyntaxUid: explicit });
};

/** One answer: its texts by keyword, and whether keys of the request were ignored. */
export interface Answer {
  readonly found: DataSet;
  readonly keysIgnored: boolean;
}

export async function openQueried(options: Parameters<typeof openArchive>[0] = {}) {
  const opened = await openArchive(options);
  const { archive } = opened;
  const transcoder = createTranscoder({ pixels: pixelsHere(), implementation });
  const extensions = (more: Partial<QueryExtensions>): QueryExtensions => ({
    relational: false,
    fuzzyNames: false,
    ...more,
  });
  return {
    ...opened,
    async store(values: KeywordDataSet, at: Parameters<typeof imageFile>[1] = {}, facility?: string): Promise<void> {
      const receiving = archive.receiveFile(actorOf("device", "1"), facility);
      await receiving.write(imageFile({ SpecificCharacterSet: "ISO_IR 192", ...values }, at));
      await receiving.finish();
    },
    async find(
      sopClassUid: string,
      keys: KeywordDataSet | readonly ElementInput[],
      more: Partial<QueryExtensions> = {},
      actor = workstation(),
    ): Promise<Answer[]> {
      const service = archiveFinds({ archive, actor, retrieveAe: "LEADGLASS" }).get(sopClassUid);
      const answers: Answer[] = [];
      const request = { sopClassUid, identifier: identifierOf(keys), extended: extensions(more) };
      for await (const { identifier, keysIgnored } of service?.find(request) ?? []) {
        const bytes = writeDataSetFor(identifier, explicit, ["ISO_IR 192"]);
        answers.push({ found: readDataSet(bytes, { transferSyntaxUid: explicit }), keysIgnored });
      }
      return answers;
    },
    async select(
      sopClassUid: string,
      keys: KeywordDataSet,
      more: Partial<QueryExtensions> = {},
      actor = workstation(),
    ): Promise<readonly RetrievedInstance[]> {
      const destination = () => Promise.reject(new Error("no destination is asked for"));
      const service = archiveRetrieves({ archive, transcoder, actor, destination }).get(sopClassUid);
      const request = { sopClassUid, identifier: identifierOf(keys), extended: extensions(more) };
      return (await service?.select(request, new AbortController().signal)) ?? [];
    },
  };
}
