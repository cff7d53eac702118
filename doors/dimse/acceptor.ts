import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { agree } from "./agreement.ts";
import { usablePduBytesMin } from "./fragments.ts";
import type { Implementation } from "./implementation.ts";
import { createMessages, type Messages } from "./messages.ts";
import { isAeTitle, isIdentityOfSoundForm, type NegotiationPolicy, negotiate } from "./negotiation.ts";
import { type AssociateReject, type AssociateRequest, dicomApplicationContext, rejection } from "./pdu.ts";
import type { Admission, AssociationClaim, Callers, DimseServices, RefusalReason, ShownCertificates } from "./ports.ts";
import type { AssociationCounts, ServiceLimits } from "./service-context.ts";
import { handlersFor } from "./services.ts";
import { type Connection, createUpperLayer, type Ending, type UpperLayer } from "./upper-layer.ts";

/** Bounds and times of one association. */
export interface AssociationLimits extends ServiceLimits {
  /** Announced as maximum length received. DCMTK and others send PDUs as long as this, up to 131,072. */
  readonly pduBytesMax: number;
  /**
   * Largest A-ASSOCIATE PDU. 128 contexts of 2 KiB, some 70 transfer syntaxes each, fit: more than any product proposes.
   */
  readonly associatePduBytesMax: number;
  readonly commandBytesMax: number;
  /** For an association request to come, and for the peer to close the connection at the end. */
  readonly artimMs: number;
  /** Without any message. */
  readonly idleMs: number;
  /** Without a byte in the middle of a message, or of the response to a request of ours; and for the peer to take what waits for it. */
  readonly dimseMs: number;
}

export type RejectionReason = RefusalReason | "limit" | "invalid-request" | "application-context" | "pdu-length";

/** What happened at the door, for the log and for the list of callers who wait to be admitted. */
export type DoorEvent =
  | {
      readonly kind: "opened";
      readonly associationId: string;
      readonly callingAe: string;
      readonly calledAe: string;
      readonly address: string;
      readonly contextsAccepted: number;
      readonly contextsRefused: number;
    }
  | ({
      readonly kind: "closed";
      readonly associationId: string;
      readonly how: Ending | "timeout" | "closed-by-us";
      readonly ms: number;
    } & Readonly<AssociationCounts>)
  | {
      readonly kind: "rejected";
      readonly callingAe: string;
      readonly calledAe: string;
      readonly address: string;
      readonly reason: RejectionReason;
    }
  /** A connection that ended without an association request, or was dropped for want of room. */
  | { readonly kind: "dropped"; readonly address: string; readonly how: Ending };

export interface AssociationStatus extends Readonly<AssociationCounts> {
  readonly id: string;
  readonly callingAe: string;
  readonly calledAe: string;
  readonly address: string;
  readonly sinceMs: number;
  readonly activity: "idle" | "receiving" | "working";
}

export interface AcceptorOptions {
  readonly connection: Connection;
  readonly certificates: ShownCertificates | undefined;
  readonly address: string;
  readonly id: string;
  readonly callers: Callers;
  readonly policy: NegotiationPolicy;
  readonly aeTitle: string | undefined;
  readonly limits: AssociationLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly implementation: Implementation;
  /** Asks for a place among the open associations; false refuses for now. */
  takePlace(calledAe: string, callingAe: string): boolean;
  on(event: DoorEvent): void;
  /** The association is over; its connection may live on for the peer to close. */
  ended(): void;
  /** The connection is gone. */
  closed(): void;
}

/** The accepting side of one connection. */
export interface Acceptor {
  readonly address: string;
  status(): AssociationStatus | undefined;
  /** Lets a message that is under way end, then aborts. Resolves when the abort is sent. */
  shutDown(): Promise<void>;
  /** Aborts now. */
  abort(): void;
  destroy(): void;
}

/** A peer may count headers into its PDU length; nothing is allocated on this word, so some slack costs nothing. */
const pduBytesTolerance = 1024;

/** One connection, from its first byte to its last. */
interface Session {
  readonly options: AcceptorOptions;
  readonly layer: UpperLayer;
  readonly counts: AssociationCounts;
  request?: AssociateRequest;
  open?: { readonly messages: Messages; readonly sinceMs: number; readonly beganMs: number };
  refusedAs: RejectionReason;
  endedAs?: "timeout" | "closed-by-us";
  watch?: Timer;
}

export function createAcceptor(options: AcceptorOptions): Acceptor {
  const { connection, address, clock, limits, log } = options;
  const layer = createUpperLayer({
    connection,
    role: "acceptor",
    clock,
    log,
    artimMs: limits.artimMs,
    reader: {
      dataPduBytesMax: limits.pduBytesMax + pduBytesTolerance,
      associatePduBytesMax: limits.associatePduBytesMax,
    },
    user: {
      associateIndicated(asked) {
        session.request = asked;
        const refusal = localRefusal(asked, options.aeTitle);
        if (refusal) reject(session, refusal);
        else void admit(session, asked);
      },
      associateRefused(asked) {
        session.request = asked;
      },
      associateConfirmed: () => {},
      data: (contextId, command, last, bytes) => session.open?.messages.data(contextId, command, last, bytes),
      releaseIndicated: () => answerRelease(session),
      ended: (how) => conclude(session, how),
      closed: options.closed,
    },
  });
  const session: Session = {
    options,
    layer,
    counts: { echoes: 0, stored: 0, refused: 0, bytes: 0 },
    refusedAs: "invalid-request",
  };
  const abort = () => {
    session.endedAs ??= "closed-by-us";
    if (!layer.abort() && layer.state() !== 13) layer.destroy();
  };
  return {
    address,
    status: () => statusOf(session),
    async shutDown() {
      await session.open?.messages.settled();
      abort();
    },
    abort,
    destroy: layer.destroy,
  };
}

function reject(session: Session, reason: RejectionReason): void {
  session.refusedAs = reason;
  session.layer.reject(rejectionOf[reason]);
}

async function admit(session: Session, asked: AssociateRequest): Promise<void> {
  const { options, layer } = session;
  let admission: Admission;
  try {
    admission = await options.callers.admit(claimOf(asked, options));
  } catch (error) {
    options.log.error("dimse: admitting a caller failed", { address: options.address }, error);
    admission = { admitted: false, reason: "busy" };
  }
  if (layer.state() !== 3) return; // the peer left meanwhile
  if (!admission.admitted) reject(session, admission.reason);
  else if (!options.takePlace(asked.calledAe, asked.callingAe)) reject(session, "limit");
  else establish(session, asked, admission.services, admission.identityVerified === true);
}

function establish(
  session: Session,
  asked: AssociateRequest,
  services: DimseServices,
  identityVerified: boolean,
): void {
  const { options, layer, counts } = session;
  const { address, clock, id, implementation, limits, log } = options;
  const { answers, accepted } = negotiate(asked.contexts, options.policy, services);
  const { agreement, items } = agree(asked, accepted, services);
  const { callingAe, calledAe } = asked;
  const messages = createMessages({
    layer,
    contexts: accepted,
    peerPduBytesMax: asked.user.pduBytesMax,
    handlers: handlersFor({ services, agreement, callingAe, associationId: id, counts, limits, clock, log }),
    commandBytesMax: limits.commandBytesMax,
    responseBytesMax: limits.identifierBytesMax,
    window: agreement.window,
    responseMs: limits.dimseMs,
    timedOut: () => timeOut(session),
    clock,
    log,
  });
  session.open = { messages, sinceMs: clock.now(), beganMs: clock.monotonicMs() };
  layer.accept({
    type: "associate-ac",
    protocolVersion: 1,
    calledAe,
    callingAe,
    applicationContext: dicomApplicationContext,
    contexts: answers,
    user: {
      pduBytesMax: limits.pduBytesMax,
      implementationClassUid: implementation.classUid,
      implementationVersion: implementation.version,
      ...items,
      ...(identityVerified && asked.user.identity?.replyWanted ? { identityReply: new Uint8Array(0) } : {}),
    },
  });
  const contexts = { contextsAccepted: accepted.size, contextsRefused: answers.length - accepted.size };
  options.on({ kind: "opened", associationId: id, callingAe, calledAe, address, ...contexts });
  watchTime(session, messages);
}

/** One timer for both limits: it looks how long ago the last byte came, and waits for the rest of the time. */
function watchTime(session: Session, messages: Messages): void {
  const { layer } = session;
  const { clock, limits } = session.options;
  if (layer.state() !== 6) return;
  const activity = messages.activity();
  const lastReadMs = activity === "working" ? undefined : layer.lastReadMs();
  const quietMs = lastReadMs === undefined ? 0 : clock.monotonicMs() - lastReadMs;
  const unreadMs = limits.dimseMs - layer.unsentMs();
  const leftMs = Math.min((activity === "receiving" ? limits.dimseMs : limits.idleMs) - quietMs, unreadMs);
  if (leftMs > 0) {
    session.watch = clock.after(Math.min(leftMs, limits.dimseMs), () => watchTime(session, messages));
    return;
  }
  timeOut(session);
}

function timeOut(session: Session): void {
  session.endedAs = "timeout";
  session.layer.abort();
}

/** What is being worked on is answered first; a release within a message breaks the rules. */
function answerRelease({ layer, open }: Session): void {
  if (open?.messages.activity() === "receiving") layer.abort();
  else void open?.messages.settled().then(() => layer.answerRelease());
}

function conclude(session: Session, how: Ending): void {
  const { options, counts, open, request } = session;
  const { address, id } = options;
  session.watch?.stop();
  open?.messages.end();
  delete session.open;
  if (open) {
    const ms = Math.round(options.clock.monotonicMs() - open.beganMs);
    options.on({ kind: "closed", associationId: id, how: session.endedAs ?? how, ms, ...counts });
  } else if (how === "rejected" && request) {
    const { callingAe, calledAe } = request;
    options.on({ kind: "rejected", callingAe, calledAe, address, reason: session.refusedAs });
  } else {
    options.on({ kind: "dropped", address, how });
  }
  options.ended();
}

function statusOf({ options, open, request, counts }: Session): AssociationStatus | undefined {
  if (!open || !request) return undefined;
  const { callingAe, calledAe } = request;
  const { address, id } = options;
  return { id, callingAe, calledAe, address, sinceMs: open.sinceMs, activity: open.messages.activity(), ...counts };
}

function claimOf(asked: AssociateRequest, options: AcceptorOptions): AssociationClaim {
  const { callingAe, calledAe } = asked;
  const { address, certificates } = options;
  return { callingAe, calledAe, address, certificates, identity: asked.user.identity };
}

/** What is refused before anybody is asked. */
function localRefusal(asked: AssociateRequest, aeTitle: string | undefined): RejectionReason | undefined {
  const { user } = asked;
  if (asked.applicationContext !== dicomApplicationContext) return "application-context";
  if (!isAeTitle(asked.callingAe)) return "calling-ae";
  if (!isAeTitle(asked.calledAe) || (aeTitle !== undefined && asked.calledAe !== aeTitle)) return "called-ae";
  if (user.pduBytesMax !== 0 && user.pduBytesMax < usablePduBytesMin) return "pdu-length";
  if (user.identity && !isIdentityOfSoundForm(user.identity)) return "identity";
  return undefined;
}

const rejectionOf: Record<RejectionReason, AssociateReject> = {
  "calling-ae": rejection.callingAe,
  "called-ae": rejection.calledAe,
  "application-context": rejection.applicationContext,
  "pdu-length": rejection.noReason,
  identity: rejection.invalidRequest,
  "invalid-request": rejection.invalidRequest,
  busy: rejection.congestion,
  limit: rejection.localLimit,
};
