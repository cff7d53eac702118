import type { FuzzTarget } from "./target.ts";

/** What can be fuzzed, each loaded by the thread that does it. */
const targets = {
  pdu: async () => (await import("../../doors/dimse/fuzz.fixture.ts")).pduTarget,
  command: async () => (await import("../../doors/dimse/fuzz.fixture.ts")).commandTarget,
  association: async () => (await import("../../doors/dimse/fuzz.fixture.ts")).associationTarget,
  part10: async () => (await import("../../formats/dicom/fuzz.fixture.ts")).part10Target,
  pieces: async () => (await import("../../formats/dicom/fuzz.fixture.ts")).piecesTarget,
  halves: async () => (await import("../../formats/dicom/fuzz.fixture.ts")).halvesTarget,
  json: async () => (await import("../../formats/dicom/fuzz.fixture.ts")).jsonTarget,
  model: async () => (await import("../../formats/dicom/fuzz.fixture.ts")).modelTarget,
  text: async () => (await import("../../formats/dicom/fuzz.fixture.ts")).textTarget,
  multipart: async () => (await import("../../doors/dicomweb/fuzz.fixture.ts")).multipartTarget,
  search: async () => (await import("../../doors/dicomweb/fuzz.fixture.ts")).searchTarget,
  hl7: async () => (await import("../../doors/hl7/fuzz.fixture.ts")).hl7Target,
  frames: async () => (await import("../../doors/link/fuzz.fixture.ts")).framesTarget,
  link: async () => (await import("../../doors/link/fuzz.fixture.ts")).linkTarget,
  parcels: async () => (await import("../../trust/parcels/fuzz.fixture.ts")).parcelsTarget,
  receipts: async () => (await import("../../trust/parcels/fuzz.fixture.ts")).receiptsTarget,
  packed: async () => (await import("../../radiology/images/fuzz.fixture.ts")).packedTarget,
  codecs: async () => (await import("../../imaging/codecs/fuzz.fixture.ts")).codecsTarget,
  faulty: async () => (await import("./faulty.fixture.ts")).faultyTarget,
} satisfies Readonly<Record<string, () => Promise<FuzzTarget>>>;

export type TargetName = keyof typeof targets;

/** All but the one that shows that the fuzzer sees. */
export const targetNames = (Object.keys(targets) as TargetName[]).filter((name) => name !== "faulty");

export const isTargetName = (name: string): name is TargetName => Object.hasOwn(targets, name);

export function loadTarget(name: string): Promise<FuzzTarget> {
  if (!isTargetName(name)) throw new Error(`there is no target ${name}`);
  return targets[name]();
}
