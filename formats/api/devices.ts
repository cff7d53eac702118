/**
 * - `store`    sends instances, and asks whether they are kept
 * - `find`     searches studies
 * - `retrieve` has instances sent, to itself or to another machine
 * - `worklist` asks what is to be done, and says what was
 * - `notify`   is told when a study has come to rest: only where it is said
 */
export const deviceRights = ["store", "find", "retrieve", "worklist", "notify"] as const;
export type DeviceRight = (typeof deviceRights)[number];
export const usualDeviceRights: readonly DeviceRight[] = deviceRights.filter((right) => right !== "notify");

export interface DeviceRequest {
  readonly ae: string;
  readonly address: string;
  /** Id of the facility that it stands in, "" for none. Absent, as all that follows: of a device that is known it stays as it is. */
  readonly facility?: string;
  /** Where it takes images; 0: nowhere. */
  readonly port?: number;
  readonly tls?: boolean;
  /** The usual ones where nothing was ever said. */
  readonly may?: readonly DeviceRight[];
}

export interface DeviceView {
  readonly id: string;
  readonly ae: string;
  readonly address: string;
  /** "" for none. */
  readonly facility: string;
  /** 0 where it takes no images. */
  readonly port: number;
  readonly tls: boolean;
  readonly may: readonly DeviceRight[];
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

/** What a C-ECHO to a machine came to. */
export interface EchoView {
  /** From our asking for an association to its answer to the echo. */
  readonly ms: number;
}

/** A machine that called and was rejected because nobody admitted it yet. */
export interface WaitingView {
  readonly ae: string;
  readonly address: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly attempts: number;
}
