/** A device of ours in a facility, as the cloud that it is enrolled in knows it. */
export interface EdgeView {
  readonly id: string;
  readonly name: string;
  /** "" for none. */
  readonly facility: string;
  /** `invited`: waits for its code to be typed. */
  readonly state: "invited" | "enrolled" | "revoked";
  /** Until when a code that was made for it holds; 0 where none is open. */
  readonly codeEndsAt: number;
  /** When its certificate ends; 0 before the first. */
  readonly notAfter: number;
  /** Version of Leadglass on it; "" before it was enrolled. */
  readonly software: string;
  readonly createdAt: number;
  readonly enrolledAt: number;
  readonly lastSeenAt: number;
  readonly revokedAt: number;
  /** What it told last of how it does; null before it did. */
  readonly told: EdgeToldView | null;
}

/**
 * - `critical` something is refused, or does not go, until somebody does something
 * - `warning`  it will come to that
 * - `notice`   worth knowing
 */
export type FindingSeverity = "critical" | "warning" | "notice";

export interface EdgeToldView {
  /** By the cloud's clock. */
  readonly receivedAt: number;
  readonly state: EdgeReport["link"]["state"];
  readonly parcels: number;
  readonly oldestAt: number | null;
  /** Of its findings, as they are now; null when all is well. */
  readonly worst: FindingSeverity | null;
}

export interface EdgeRequest {
  readonly name: string;
  readonly facility?: string;
}

/** Told this once. */
export interface EdgeCodeView {
  readonly edge: EdgeView;
  readonly code: string;
  /** Where the box reaches this cloud. */
  readonly url: string;
}

/** What a box sends with the secret of its code, hexadecimal; `request` is PKCS #10 in PEM. */
export interface EdgeEnrolmentRequest {
  readonly secret: string;
  readonly request: string;
  readonly software: string;
  /** What it signs with what it receives: Ed25519, raw, base64url. */
  readonly signingKey: string;
}

export type EdgeRenewalRequest = Omit<EdgeEnrolmentRequest, "secret">;

/** PEM. */
export interface EdgeCertificateView {
  readonly id: string;
  readonly name: string;
  readonly certificate: string;
}

/** What a box needs of its cloud to go on without it; all keys in base64url. */
export interface CloudKeysView {
  /** What parcels are sealed to (X25519), by its id. */
  readonly parcelKey: { readonly id: string; readonly publicKey: string };
  /** Any of these signs the cloud's receipts (Ed25519). */
  readonly receiptKeys: readonly string[];
  /** Shared by a cloud and its edges: tells what is the same, and nothing else. */
  readonly samenessKey: string;
}

/** What edges seal to, as who looks after the cloud sees it. */
export interface ParcelKeyView {
  readonly id: string;
  readonly madeAt: number;
  /** Keys before it, kept for what edges still hold sealed to them. */
  readonly former: number;
}

/** What a box is told when it asks who it is. */
export interface EdgeSelfView extends CloudKeysView {
  readonly id: string;
  readonly name: string;
  /** The cloud's clock. */
  readonly at: number;
  /** Stands for what is planned in the cloud: another text after each change. */
  readonly scheduleVersion: string;
}

/** What is planned for the facility of a box, each step in the DICOM JSON model. */
export interface EdgeScheduleView {
  readonly version: string;
  readonly steps: readonly Readonly<Record<string, unknown>>[];
}

/** What a box looks for in its cloud for a machine: an identifier of C-FIND, explicit little endian, base64. */
export interface EdgeFindRequest {
  readonly sopClassUid: string;
  readonly identifier: string;
  readonly extended: {
    readonly relational: boolean;
    readonly fuzzyNames: boolean;
    readonly dateTime?: boolean;
    readonly timezone?: boolean;
    readonly emptyValues?: boolean;
    readonly multipleValues?: boolean;
  };
}

export interface EdgeFound {
  readonly identifier: string;
  readonly keysIgnored: boolean;
}

/** Instances of a series that a box has not. */
export interface EdgeInstancesRequest {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUids: readonly string[];
}

/** On a box: enrol it. */
export interface CloudLinkRequest {
  readonly url: string;
  readonly code: string;
  /** `http://[NAME:PASSWORD@]HOST:PORT`; absent: straight. */
  readonly proxy?: string;
}

export interface CloudRenewalRequest {
  /** Another way out from now on; "none": straight. Absent: as before. */
  readonly proxy?: string;
}

/** On a box: its way to the cloud. */
export interface CloudLinkView {
  readonly url: string;
  /** By which the cloud's people know it. */
  readonly name: string;
  readonly id: string;
  /** Host and port; "" where it goes straight. */
  readonly proxy: string;
  readonly enrolledAt: number;
  readonly certificateEndsAt: number;
  /** From when on it renews its certificate by itself. */
  readonly renewsAt: number;
  /** 0: not since this server was started. */
  readonly lastContactAt: number;
  /** How much the cloud's clock is ahead of this machine's; null before the first contact. */
  readonly clockAheadMs: number | null;
  /** What went wrong since the last contact. */
  readonly error: { readonly at: number; readonly message: string; readonly remedy: string } | null;
}

/** How a box does, as it sees itself: shown on its own page, and told to its cloud once a minute. */
export interface EdgeReport {
  /** By its own clock. */
  readonly at: number;
  readonly software: string;
  readonly startedAt: number;
  /** What waits for the cloud. */
  readonly queue: {
    readonly parcels: number;
    readonly bytes: number;
    /** When the oldest came; null when nothing waits. */
    readonly oldestAt: number | null;
    /** Refused by the cloud for good: a person decides. */
    readonly aside: number;
  };
  readonly link: {
    readonly state: "up" | "down" | "off";
    /** Since when it is so. */
    readonly since: number;
    readonly streams: number;
    /** On the wire, over the last minute. */
    readonly sentBytesPerSecond: number;
    /** Parcels with a receipt, since the start. */
    readonly delivered: number;
    readonly lastContactAt: number;
    /** The cloud's clock is so far ahead of ours; null before it was asked. */
    readonly clockAheadMs: number | null;
    readonly certificateEndsAt: number;
  };
  /** Instances from machines, over the last minute. */
  readonly receivedPerMinute: number;
  readonly disk: { readonly freeBytes: number; readonly reservedBytes: number };
  /** Machines that may speak to it, who spoke last first; `edgeDevicesMost` of them. */
  readonly devices: readonly EdgeDeviceReport[];
  /** Machines that called lately and may not, the latest first; `edgeCallersMost` of them. */
  readonly callers: readonly EdgeCallerReport[];
  /** What went wrong last, in words, and the way out; null when nothing did since the start. */
  readonly error: { readonly at: number; readonly message: string; readonly remedy: string } | null;
}

export const edgeDevicesMost = 100;
export const edgeCallersMost = 5;

export interface EdgeCallerReport {
  /** AE title and address, as on the page of devices. */
  readonly name: string;
  readonly address: string;
  readonly lastAt: number;
}

export interface EdgeDeviceReport {
  /** Its AE title. */
  readonly name: string;
  /** 0: not since the start. */
  readonly lastSeenAt: number;
  readonly storedToday: number;
  /** Refused or broken off today. */
  readonly failedToday: number;
}
