import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { Agreement } from "./agreement.ts";
import type { DimseServices, WithDimseDetail } from "./ports.ts";
import type { DimseRequest } from "./requests.ts";
import { errorComment, type Outcome, status } from "./status.ts";

/** What an association has done so far. */
export interface AssociationCounts {
  echoes: number;
  stored: number;
  refused: number;
  bytes: number;
}

export interface ServiceLimits {
  readonly objectBytesMax: number;
  /** Of C-FIND, C-MOVE and C-GET. */
  readonly identifierBytesMax: number;
  /** Of the data set of an N- service. */
  readonly attributesBytesMax: number;
}

/** What the services of one association work with. */
export interface ServiceContext {
  readonly services: DimseServices;
  readonly agreement: Agreement;
  readonly callingAe: string;
  readonly associationId: string;
  readonly counts: AssociationCounts;
  readonly limits: ServiceLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** A composite service is asked for in the SOP class of its context. */
export function sopClassFault({ command, context }: DimseRequest): Outcome | undefined {
  if (command.AffectedSOPClassUID === context.sopClassUid) return undefined;
  return { Status: status.sopClassNotSupported, ErrorComment: errorComment("SOP class is not that of the context") };
}

export function missingIdentifier(): Problem {
  const detail: WithDimseDetail = { dimseStatus: status.identifierMismatch };
  return Object.assign(new Problem("invalid", "the request has no identifier"), detail);
}
