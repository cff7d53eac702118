import type { NarrowPlace, StudyFacts } from "#trust/access";
import type { Correction, SealedIdentity, SealedPlace } from "#trust/vault";

/**
 * One attribute value that can be searched and listed, by its keyword (PS3.6). Values are Unicode text as decoded from the
 * data set, multiple values joined by a backslash; dates and times stay in their DICOM form (DA, TM).
 */
export type IndexedValues = Readonly<Record<string, string>>;

/** Where the two halves of an instance rest, each in its own store of packs. */
export interface InstancePlaces {
  readonly image: SealedPlace;
  readonly identity: SealedPlace;
}

/** What the index learns about one stored instance. */
export interface InstanceRecord {
  /** Random token of the instance, and of its image half; also its id in the audit log. */
  readonly id: string;
  readonly studyToken: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUid: string;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly places: InstancePlaces;
  /** Bytes of the whole Part 10 object, which are also those of its image half. */
  readonly sizeBytes: number;
  /** Where the data set begins in it (after preamble and meta information). */
  readonly dataSetOffset: number;
  /** Where the value of the pixel data element begins; absent when there is none. */
  readonly pixelOffset?: number;
  /** Length of that value; absent for encapsulated pixel data (undefined length). */
  readonly pixelLength?: number;
  /** SHA-256 of the data set as received, lower-case hex. Same SOP instance and same hash: the same instance. */
  readonly dataSetSha256: string;
  readonly receivedAt: number;
  /** Id of the actor that sent it. */
  readonly receivedFrom: string;
  /** Token of the facility that it came from; absent: of none. */
  readonly facility?: string;
  /** What the edge vouches for that it came by; absent: it came by none. */
  readonly provenance?: Vouched;
  /** Of a rejection note (`rejection-notes.ts`). */
  readonly rejection?: Rejection;
  /** Searchable values by keyword: patient and study, series, instance level. */
  readonly study: IndexedValues;
  readonly series: IndexedValues;
  readonly instance: IndexedValues;
}

/** An edge's signature over what it received (`Provenance` of trust/parcels): the hash and the transfer syntax stand in the record itself. */
export interface Vouched {
  /** The edge's id. */
  readonly edge: string;
  /** By which it proves: Ed25519, raw, base64url. */
  readonly key: string;
  /** By the edge's clock, epoch milliseconds. */
  readonly receivedAt: number;
  /** Base64url. */
  readonly signature: string;
}

/** What a rejection note says of some instances, here or not: they are hidden, or shown again. The newest note holds. */
export interface Rejection {
  /** Code of its title, such as 113001; "" when it takes rejections back. */
  readonly code: string;
  readonly sopUids: readonly string[];
}

/** Up to where a pack of identity halves has been taken into the index; recovery goes on from there. */
export interface PackMark {
  readonly pack: string;
  readonly position: number;
}

/**
 * - `added`      a new instance
 * - `duplicate`  the same SOP instance with the same data set is there already; nothing was changed
 * - `conflict`   the SOP Instance UID is taken by other bytes: both are kept, the first stays the one that is served,
 *                and its study shows the conflict
 */
export type AddOutcome = "added" | "duplicate" | "conflict";

export type Level = "study" | "series" | "instance";

/** One condition of a query (PS3.4 §C.2.2.2, PS3.18 §8.3.4.1). Keys of a higher level may stand in a query of a lower one. */
export type Match =
  /** Equal to any one of the values (UID list, ModalitiesInStudy); names are compared without case and accents. */
  | { readonly keyword: string; readonly kind: "equal"; readonly values: readonly string[] }
  /** `*` any run of characters, `?` any one. Without case and accents for names and descriptions. */
  | { readonly keyword: string; readonly kind: "wildcard"; readonly pattern: string }
  /** Both ends included, either may be missing. Compared as DICOM text (DA, TM). */
  | { readonly keyword: string; readonly kind: "range"; readonly from?: string; readonly to?: string }
  /** In one of these places, by their tokens. Doors make none: it comes from what the caller was granted (`reach.ts`). */
  | { readonly kind: "lies"; readonly in: NarrowPlace; readonly ids: readonly string[] }
  /** It has no value. */
  | { readonly keyword: string; readonly kind: "empty" }
  /** At least one of them. */
  | { readonly kind: "any"; readonly of: readonly Match[] }
  | { readonly kind: "all"; readonly of: readonly Match[] };

export interface Query {
  readonly matches: readonly Match[];
  readonly limit: number;
  readonly offset: number;
  /** Keyword to sort by (StudyDate with StudyTime when absent), ties by arrival. Descending unless said. */
  readonly sort?: { readonly keyword: string; readonly ascending: boolean };
}

/*
 * Rows as the index gives them: what identifies is sealed in `identity`, and only `reveal` opens it (`revealed-rows.ts`).
 */

export interface IndexedStudy {
  /** Row number, dense, in order of arrival. */
  readonly id: number;
  readonly studyToken: string;
  readonly identity: SealedIdentity;
  /** Where it lies, sealed; `StudyIndex.factsOf` opens it. */
  readonly facts: Uint8Array;
  /** Modalities of its series, sorted. */
  readonly modalities: readonly string[];
  readonly sopClassUids: readonly string[];
  readonly seriesCount: number;
  readonly instanceCount: number;
  readonly conflictCount: number;
  /** Instances that rejection notes hide, those notes among them; the other counts leave them out. */
  readonly rejectedCount: number;
  /** Epoch milliseconds of the newest arrival. */
  readonly changedAt: number;
}

export interface IndexedSeries {
  readonly id: number;
  readonly study: IndexedStudy;
  readonly identity: SealedIdentity;
  readonly instanceCount: number;
}

export interface IndexedInstance {
  readonly id: string;
  readonly seriesId: number;
  readonly studyToken: string;
  readonly identity: SealedIdentity;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly places: InstancePlaces;
  readonly sizeBytes: number;
  readonly dataSetOffset: number;
  readonly pixelOffset?: number;
  readonly pixelLength?: number;
  readonly receivedAt: number;
  readonly receivedFrom: string;
}

/** An instance with the rows of its series and study, as a query at instance level lists it. */
export interface ListedIndexedInstance extends IndexedInstance {
  readonly series: IndexedSeries;
}

/** An instance that is hidden by a rejection note. */
export interface RejectedInstance extends ListedIndexedInstance {
  readonly code: string;
  /** When the note came, epoch milliseconds. */
  readonly rejectedAt: number;
}

/** How many there are; above some thousand candidates that would have to be opened it only says "more than". */
export interface Count {
  readonly count: number;
  readonly isExact: boolean;
}

export interface HeldUids {
  readonly served: ReadonlySet<string>;
  readonly copies: ReadonlySet<string>;
}

/** A sealed object that was computed from a series, kept so that it need not be computed again. */
export interface SeriesBlob {
  readonly place: SealedPlace;
  /** Of how many instances it was made: another count than the series has now makes it stale. */
  readonly instanceCount: number;
}

/** A compacted object: where it lay, where it lies. */
export interface Move {
  readonly from: SealedPlace;
  readonly to: SealedPlace;
}

/**
 * Where studies, series and instances are found, over keyed digests and sealed rows (`createBlindIndex`). Everything in it can be
 * made again from the packs (`leadglass vault rebuild`), so a lost tail of it is no loss.
 */
export interface StudyIndex {
  /** Takes a batch in one transaction, together with how far its packs are thereby taken in. One outcome for each record. */
  add(records: readonly InstanceRecord[], marks: readonly PackMark[]): Promise<AddOutcome[]>;
  marks(): Promise<PackMark[]>;

  findStudies(query: Query): Promise<IndexedStudy[]>;
  countStudies(matches: readonly Match[]): Promise<Count>;
  findSeries(query: Query): Promise<IndexedSeries[]>;
  findInstances(query: Query): Promise<ListedIndexedInstance[]>;

  /** Also one whose instances are all rejected: its `instanceCount` is 0 then, and queries do not find it. */
  study(studyUid: string): Promise<IndexedStudy | undefined>;
  studyOfToken(studyToken: string): Promise<IndexedStudy | undefined>;
  /** Where a study lies: what grants are compared with. Opens nothing that identifies. */
  factsOf(study: IndexedStudy): StudyFacts;
  /** Studies in order of arrival behind a row number: a way through all of them, those that are rejected whole too. */
  studiesAfter(id: number, limit: number): Promise<IndexedStudy[]>;
  /** All series of a study, by series number. */
  seriesOf(studyToken: string): Promise<IndexedSeries[]>;
  /** Of one series of one study, or of the whole study; by series, then instance number, then arrival. Conflicts left out. */
  instances(studyUid: string, seriesUid?: string): Promise<IndexedInstance[]>;
  instance(studyUid: string, seriesUid: string, sopUid: string): Promise<IndexedInstance | undefined>;
  /**
   * Which of these SOP Instance UIDs are here in that study, hidden ones too, and under which of them copies in conflict came with it. Of a
   * study that has nothing but copies it is not known whose they are: they count where the served instance is another study's.
   */
  heldIn(studyUid: string, sopUids: readonly string[]): Promise<HeldUids>;
  /** Whether an instance of this UID with just these bytes is here, whatever its study: served, hidden or a copy in conflict. Opens nothing. */
  holds(sopUid: string, dataSetSha256: string): Promise<boolean>;
  /** Every copy held under SOP Instance UIDs that are in conflict, the served one first. */
  conflicts(): Promise<IndexedInstance[]>;
  /** What rejection notes hide of a study, or of one series; not the notes. In the order of `instances`. */
  rejected(studyUid: string, seriesUid?: string): Promise<RejectedInstance[]>;

  seriesBlob(
    studyUid: string,
    seriesUid: string,
  ): Promise<(SeriesBlob & { readonly seriesInstanceCount: number }) | undefined>;
  /**
   * Passed over when the study has another number of corrections by now than the blob was made with, or where something is rejected
   * and it was not made of just what is shown (`instancesDigest`).
   */
  putSeriesBlob(
    studyUid: string,
    seriesUid: string,
    blob: SeriesBlob,
    corrections: number,
    instances?: string,
  ): Promise<void>;
  /** Series whose blob is missing or stale and that have not changed since `unchangedSince`, newest change first. */
  seriesWithoutBlob(unchangedSince: number, limit: number): Promise<IndexedSeries[]>;

  /**
   * Adds a correction to a study: it is found by its corrected values, and series blobs are stale. One that it has already changes
   * nothing. Whether it is the newest of the study's now; undefined when the study is not there.
   */
  correct(studyToken: string, correction: Correction): Promise<"newest" | "older" | undefined>;
  /** The study's identity lies under another patient's key than before: it is found among that patient's from now on. */
  patientChanged(studyToken: string): Promise<void>;
  /** Takes a study and all below it out of the index, copies in conflict too. The places that it named, for compaction. */
  removeStudy(studyToken: string): Promise<InstancePlaces[]>;
  /** Takes one copy in conflict out, by its id. */
  removeConflict(id: string): Promise<InstancePlaces | undefined>;
  /** Notes where compaction has put objects, image halves or identity halves or blobs; unknown places are passed over. */
  relocate(half: "image" | "identity", moves: readonly Move[]): Promise<void>;

  /** Forgets everything, before a rebuild from the packs. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Keywords that can be searched, by level; others are ignored by the doors (PS3.18 §8.3.4.1 lets a server choose). */
export const searchable = {
  study: [
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyID",
    "StudyDescription",
    "ReferringPhysicianName",
    "ModalitiesInStudy",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
  ],
  series: [
    "SeriesInstanceUID",
    "Modality",
    "SeriesNumber",
    "SeriesDescription",
    "SeriesDate",
    "SeriesTime",
    "BodyPartExamined",
    "StationName",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    // Of the items of the Request Attributes Sequence: what any of them says.
    "ScheduledProcedureStepID",
    "RequestedProcedureID",
  ],
  instance: ["SOPInstanceUID", "SOPClassUID", "InstanceNumber", "ContentDate", "ContentTime"],
} as const satisfies Record<Level, readonly string[]>;
