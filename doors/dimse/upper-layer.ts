import type { Duplex } from "node:stream";
import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import {
  type Abort,
  type AssociateAccept,
  type AssociateReject,
  type AssociateRequest,
  abortReason,
  type Pdu,
  PduError,
  rejection,
} from "./pdu.ts";
import { encodePdu } from "./pdu-encode.ts";
import { createPduReader, type PduReaderLimits, type PduSink, type WholePdu } from "./pdu-reader.ts";
import { type Action, type Event, event, type State, transition } from "./states.ts";

/** A transport connection: a `net.Socket`, a `tls.TLSSocket`, or one end of a `duplexPair` in a test. */
export type Connection = Duplex & {
  readonly remoteAddress?: string | undefined;
  readonly connecting?: boolean;
  readonly encrypted?: boolean;
  setNoDelay?(on: boolean): unknown;
};

/** Why an association is no more. */
export type Ending = "released" | "rejected" | "aborted-by-peer" | "aborted" | "protocol-error" | "lost";

/** The service user of the upper layer: what the standard calls indications and confirmations. */
export interface UpperLayerUser {
  /** Acceptor: answer with `accept` or `reject`, now or later. */
  associateIndicated(request: AssociateRequest): void;
  /** Acceptor: the service provider itself refuses this request (AE-6); `ended` follows. */
  associateRefused(request: AssociateRequest): void;
  /** Requestor. */
  associateConfirmed(answer: AssociateAccept | AssociateReject): void;
  /**
   * A piece of a fragment. `bytes` is a view of what the socket gave: valid until this returns or, when it returns a
   * promise, until that resolves; nothing more is read meanwhile. A thrown `PduError` aborts as the service provider.
   */
  data(contextId: number, command: boolean, last: boolean, bytes: Uint8Array): undefined | Promise<void>;
  /** Answer with `answerRelease`; data may still be sent before. */
  releaseIndicated(): void;
  /** Once, when an association, or the attempt at one, is over. */
  ended(how: Ending): void;
  /** Once, when the transport connection is gone. */
  closed(): void;
}

export interface UpperLayerOptions {
  readonly connection: Connection;
  readonly role: "acceptor" | "requestor";
  readonly clock: Clock;
  readonly log: Log;
  readonly user: UpperLayerUser;
  readonly reader: PduReaderLimits;
  /** The ARTIM timer of PS3.8 §9.1.5: for an A-ASSOCIATE-RQ to come, and for the peer to close at the end. */
  readonly artimMs: number;
}

/** One end of an association. Every method answers false, and does nothing, where the state does not allow it. */
export interface UpperLayer {
  state(): State;
  associate(request: AssociateRequest): boolean;
  accept(answer: AssociateAccept): boolean;
  reject(answer: AssociateReject): boolean;
  /** Sends whole P-DATA-TF PDUs that are encoded already, in one write. */
  send(...pdus: Uint8Array[]): boolean;
  /** Resolves when the transport takes more, or is gone. */
  drained(): Promise<void>;
  release(): boolean;
  answerRelease(): boolean;
  abort(): boolean;
  /** Ends everything at once, without a word to the peer. */
  destroy(): void;
  /** Time on `clock.monotonicMs()` when the last bytes came; undefined while our own side keeps from reading. */
  lastReadMs(): number | undefined;
  /** How long the peer has taken nothing of what waits to be sent; 0 when nothing waits. */
  unsentMs(): number;
}

/** Bytes that may wait to be sent before nothing more is read: a peer that never reads cannot fill our memory. */
const unsentBytesMax = 262_144;

/** Drives one connection through the state machine of PS3.8 §9.2. */
export function createUpperLayer(options: UpperLayerOptions): UpperLayer {
  const { connection, role } = options;
  let state: State = 1;
  let request: AssociateRequest | undefined;

  const fire: Fire = (on, pdu, reason = abortReason.unexpectedPdu) => {
    const found = transition(state, on);
    if (!found) return false;
    const { action, next } = found;
    if (typeof next === "number") state = next;
    else if (action === "AE-6") state = providerRefusal(pdu as AssociateRequest) ? next[1] : next[0];
    else state = role === "requestor" ? next[0] : next[1];
    actions[action](pdu, reason);
    return true;
  };
  const ending = createEnding(options, fire);
  const actions = actionsOf(options, ending, fire, () => request);
  const reading = createReading(options, () => state, fire);
  watchTransport(options, ending, fire);
  if (role === "acceptor") fire(event.transportIndicated);
  let fullSinceMs: number | undefined;
  connection.on("drain", () => {
    fullSinceMs = undefined;
  });

  return {
    state: () => state,
    associate(asked) {
      request = asked;
      return fire(event.associateRequest);
    },
    accept: (answer) => fire(event.acceptResponse, answer),
    reject: (answer) => fire(event.rejectResponse, answer),
    send(...pdus) {
      if (!fire(event.dataRequest)) return false;
      if (pdus.length > 1) connection.cork();
      for (const pdu of pdus) write(connection, pdu);
      if (pdus.length > 1) connection.uncork();
      if (connection.writableNeedDrain) fullSinceMs ??= options.clock.monotonicMs();
      reading.holdWhileUnsent();
      return true;
    },
    drained: () => drained(connection),
    release: () => fire(event.releaseRequest),
    answerRelease: () => fire(event.releaseResponse),
    abort: () => fire(event.abortRequest),
    destroy: () => connection.destroy(),
    lastReadMs: reading.lastReadMs,
    unsentMs: () => (fullSinceMs === undefined ? 0 : options.clock.monotonicMs() - fullSinceMs),
  };
}

/** Makes an event happen; false where the state has no action for it. `reason` goes into an A-ABORT that follows. */
type Fire = (on: Event, pdu?: Pdu, reason?: number) => boolean;

/** The ways an association and its connection end. */
interface EndingSteps {
  startArtim(): void;
  stopArtim(): void;
  close(): void;
  end(how: Ending): void;
  abortAs(source: number, reason: number, how: Ending): void;
}

function createEnding(options: UpperLayerOptions, fire: Fire): EndingSteps {
  const { connection, clock, user } = options;
  let artim: Timer | undefined;
  let over = false;
  const steps: EndingSteps = {
    startArtim() {
      artim?.stop();
      artim = clock.after(options.artimMs, () => fire(event.artimExpired));
    },
    stopArtim: () => artim?.stop(),
    close() {
      steps.stopArtim();
      connection.destroy();
    },
    end(how) {
      if (over) return;
      over = true;
      user.ended(how);
    },
    abortAs(source, reason, how) {
      write(connection, encodePdu({ type: "abort", source, reason }));
      steps.startArtim();
      steps.end(how);
    },
  };
  return steps;
}

function watchTransport({ connection, user }: UpperLayerOptions, ending: EndingSteps, fire: Fire): void {
  connection.setNoDelay?.(true);
  connection.on("error", () => {}); // 'close' follows, and says enough
  connection.on("end", () => {
    fire(event.transportClosed);
    connection.destroy();
  });
  connection.on("close", () => {
    fire(event.transportClosed);
    ending.stopArtim();
    user.closed();
  });
}

type Perform = (pdu: Pdu | undefined, reason: number) => void;

/** The actions of PS3.8 Tables 9-6 to 9-9. The state is already the next one when they run. */
function actionsOf(
  options: UpperLayerOptions,
  ending: EndingSteps,
  fire: Fire,
  request: () => AssociateRequest | undefined,
): Record<Action, Perform> {
  const { connection, user } = options;
  const put = (pdu: Pdu | undefined) => pdu && write(connection, encodePdu(pdu));
  const nothing = () => {};
  return {
    ...establishing(options, ending, fire, put),
    "AE-2": () => put(request()),
    "DT-1": nothing, // the caller of `send` writes
    "DT-2": nothing, // fragments go to the user as they come
    "AR-1": () => put({ type: "release-rq" }),
    "AR-2": () => user.releaseIndicated(),
    "AR-3"() {
      ending.end("released");
      ending.close();
    },
    "AR-4"() {
      put({ type: "release-rp" });
      ending.startArtim();
      ending.end("released");
    },
    "AR-5": () => ending.stopArtim(),
    "AR-6": nothing, // as DT-2
    "AR-7": nothing, // as DT-1
    "AR-8": () => user.releaseIndicated(),
    "AR-9": () => put({ type: "release-rp" }),
    "AR-10": () => user.releaseIndicated(), // the acceptor may answer only now
    ...aborting(ending, put, () => connection.writableLength === 0),
  };
}

function establishing(
  options: UpperLayerOptions,
  ending: EndingSteps,
  fire: Fire,
  put: (pdu: Pdu | undefined) => void,
) {
  const { connection, user } = options;
  return {
    "AE-1"() {
      if (connection.connecting === true) connection.once("connect", () => fire(event.transportConfirmed));
      else fire(event.transportConfirmed);
    },
    "AE-3": (pdu) => user.associateConfirmed(pdu as AssociateAccept),
    "AE-4"(pdu) {
      user.associateConfirmed(pdu as AssociateReject);
      ending.end("rejected");
      ending.close();
    },
    "AE-5": () => ending.startArtim(),
    "AE-6"(pdu) {
      ending.stopArtim();
      const refusal = providerRefusal(pdu as AssociateRequest);
      if (!refusal) return user.associateIndicated(pdu as AssociateRequest);
      put(refusal);
      user.associateRefused(pdu as AssociateRequest);
      ending.startArtim();
      ending.end("rejected");
    },
    "AE-7": put,
    "AE-8"(pdu) {
      put(pdu);
      ending.startArtim();
      ending.end("rejected");
    },
  } satisfies Partial<Record<Action, Perform>>;
}

function aborting(ending: EndingSteps, put: (pdu: Pdu | undefined) => void, isRead: () => boolean) {
  return {
    "AA-1": () => ending.abortAs(0, 0, "aborted"),
    "AA-2"() {
      ending.end("aborted");
      ending.close();
    },
    "AA-3"(pdu) {
      ending.end((pdu as Abort).source === 2 ? "protocol-error" : "aborted-by-peer");
      ending.close();
    },
    "AA-4"() {
      ending.end("lost");
      ending.close();
    },
    "AA-5"() {
      ending.stopArtim();
      ending.end("lost");
    },
    "AA-6": () => {},
    "AA-7"() {
      // Said again to who reads it: answers to a peer that only sends would pile up until the ARTIM timer ends it.
      if (isRead()) put({ type: "abort", source: 2, reason: abortReason.unexpectedPdu });
    },
    "AA-8": (_pdu, reason) => ending.abortAs(2, reason, "protocol-error"),
  } satisfies Partial<Record<Action, Perform>>;
}

/** The reading half: from chunks to events of the state machine, one at a time, no further than the user keeps up. */
function createReading(options: UpperLayerOptions, state: () => State, fire: Fire) {
  const { connection, clock, log, user } = options;
  let holds = 0;
  let rest: Uint8Array | undefined;
  let framingLost = false;
  let waitsForDrain = false;
  let lastReadMs = clock.monotonicMs();

  const hold = (until: Promise<void>) => {
    holds++;
    until.then(release, (error: unknown) => {
      log.error("dimse: a reader of fragments failed", {}, error);
      fire(event.abortRequest);
      release();
    });
  };
  const release = () => {
    holds--;
    if (holds > 0) return;
    lastReadMs = clock.monotonicMs();
    const chunk = rest;
    rest = undefined;
    if (chunk) take(chunk);
    if (holds === 0) connection.resume();
  };
  const reader = createPduReader(
    sinkOf(user, state, fire, hold, () => holds === 0),
    options.reader,
  );

  /** Reads on until the chunk ends or something holds; keeps what is left. */
  const take = (chunk: Uint8Array) => {
    if (framingLost) return;
    try {
      let at = 0;
      while (at < chunk.length && holds === 0) at = reader.read(chunk, at);
      if (holds === 0) return;
      rest = at < chunk.length ? chunk.subarray(at) : undefined;
      connection.pause();
    } catch (error) {
      framingLost = true;
      if (error instanceof PduError) {
        fire(event.invalidPdu, undefined, error.reason);
        return;
      }
      log.error("dimse: reading a PDU failed", {}, error);
      if (!fire(event.abortRequest)) connection.destroy();
    }
  };

  connection.on("data", (chunk: Uint8Array) => {
    lastReadMs = clock.monotonicMs();
    take(chunk);
  });

  return {
    // Waiting for the peer to read its responses is the peer's silence, not ours.
    lastReadMs: () => (holds > (waitsForDrain ? 1 : 0) ? undefined : lastReadMs),
    holdWhileUnsent() {
      if (waitsForDrain || connection.writableLength <= unsentBytesMax) return;
      waitsForDrain = true;
      connection.pause();
      hold(
        drained(connection).then(() => {
          waitsForDrain = false;
        }),
      );
    },
  };
}

function sinkOf(
  user: UpperLayerUser,
  state: () => State,
  fire: Fire,
  hold: (until: Promise<void>) => void,
  mayGoOn: () => boolean,
): PduSink {
  return {
    pdu(pdu) {
      fire(eventOf[pdu.type], pdu);
      return mayGoOn();
    },
    dataBegins() {
      fire(event.dataPdu);
      return true;
    },
    data(contextId, command, last, bytes) {
      const at = state();
      if (at !== 6 && at !== 7) return true; // the table refused it when the PDU began
      const kept = user.data(contextId, command, last, bytes);
      if (kept) hold(kept);
      return mayGoOn();
    },
  };
}

const eventOf: Record<WholePdu["type"], Event> = {
  "associate-rq": event.associateRequestPdu,
  "associate-ac": event.associateAcceptPdu,
  "associate-rj": event.associateRejectPdu,
  "release-rq": event.releaseRequestPdu,
  "release-rp": event.releaseReplyPdu,
  abort: event.abortPdu,
};

/** What the service provider itself refuses in AE-6: another protocol version, or contexts that cannot be told apart. */
function providerRefusal(request: AssociateRequest): AssociateReject | undefined {
  if ((request.protocolVersion & 1) === 0) return rejection.protocolVersion;
  const ids = new Set<number>();
  for (const { id } of request.contexts) {
    if (id % 2 === 0 || ids.has(id)) return rejection.invalidRequest;
    ids.add(id);
  }
  return ids.size === 0 ? rejection.invalidRequest : undefined;
}

function write(connection: Connection, bytes: Uint8Array): void {
  if (connection.writable) connection.write(bytes);
}

function drained(connection: Connection): Promise<void> {
  if (!connection.writableNeedDrain || connection.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      connection.off("drain", done);
      connection.off("close", done);
      resolve();
    };
    connection.on("drain", done);
    connection.on("close", done);
  });
}
