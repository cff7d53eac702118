/** What can be wrong with a message, by the codes of table 0357. */
export const conditions = {
  segmentSequence: ["100", "Segment sequence error"],
  requiredField: ["101", "Required field missing"],
  dataType: ["102", "Data type error"],
  tableValue: ["103", "Table value not found"],
  messageType: ["200", "Unsupported message type"],
  eventCode: ["201", "Unsupported event code"],
  processingId: ["202", "Unsupported processing id"],
  versionId: ["203", "Unsupported version id"],
  unknownKey: ["204", "Unknown key identifier"],
  duplicateKey: ["205", "Duplicate key identifier"],
  recordLocked: ["206", "Application record locked"],
  internal: ["207", "Application internal error"],
} as const satisfies Readonly<Record<string, readonly [code: string, words: string]>>;

export type Condition = keyof typeof conditions;

/** Where in a message: a segment, which of those of its name, and a field of it, counted from 1. */
export interface Location {
  readonly segment: string;
  readonly sequence: number;
  readonly field?: number;
}

/** What is wrong, and where. Nothing of what the message says stands in it. */
export interface Fault {
  readonly condition: Condition;
  readonly what: string;
  readonly at?: Location;
}
