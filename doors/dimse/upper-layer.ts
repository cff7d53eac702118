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
import { createPduReader, type PduReaderLimits, type WholePdu } from "./pdu-reader.ts";
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
}

/** Bytes that may wait to be sent before nothing more is read: a peer that never reads cannot fill our memory. */
const unsentBytesMax = 262_144;

/** Drives one connection through the state machine of PS3.8 §9.2. */
export function createUpperLayer(options: UpperLayerOptions): UpperLayer {
  const { connection, role, clock, user } = options;
  let state: State = 1;
  let artim: Timer | undefined;
  let over = false;
  let pendingRequest: AssociateRequest | undefined;

  const put = (pdu: Pdu) => write(connection, encodePdu(pdu));
  const startArtim = () => {
    artim?.stop();
    artim = clock.after(options.artimMs, () => fire(event.artimExpired));
  };
  const stopArtim = () => artim?.stop();
  const close = () => {
    stopArtim();
    connection.destroy();
  };
  const end = (how: Ending) => {
    if (over) return;
    over = true;
    user.ended(how);
  };
  const abortAs = (source: number, reason: number, how: Ending) => {
    put({ type: "abort", source, reason });
    startArtim();
    end(how);
  };

  /** The actions of PS3.8 Tables 9-6 to 9-9. The state is already the next one when they run. */
  const actions: Record<Action, (pdu: Pdu | undefined, reason: number) => void> = {
    "AE-1": () => {
      if (connection.connecting === true) connection.once("connect", () => fire(event.transportConfirmed));
      else fire(event.transportConfirmed);
    },
    "AE-2": () => {
      if (pendingRequest) put(pendingRequest);
    },
    "AE-3": (pdu) => user.associateConfirmed(pdu as AssociateAccept),
    "AE-4": (pdu) => {
      user.associateConfirmed(pdu as AssociateReject);
      end("rejected");
      close();
    },
    "AE-5": startArtim,
    "AE-6": (pdu) => {
      stopArtim();
      const request = pdu as AssociateRequest;
      const refusal = providerRefusal(request);
      if (!refusal) return user.associateIndicated(request);
      put(refusal);
      startArtim();
      end("rejected");
    },
    "AE-7": (pdu) => {
      if (pdu) put(pdu);
    },
    "AE-8": (pdu) => {
      if (pdu) put(pdu);
      startArtim();
      end("rejected");
    },
    "DT-1": () => {},
    "DT-2": () => {},
    "AR-1": () => put({ type: "release-rq" }),
    "AR-2": () => user.releaseIndicated(),
    "AR-3": () => {
      end("released");
      close();
    },
    "AR-4": () => {
      put({ type: "release-rp" });
      startArtim();
      end("released");
    },
    "AR-5": stopArtim,
    "AR-6": () => {},
    "AR-7": () => {},
    "AR-8": () => user.releaseIndicated(),
    "AR-9": () => put({ type: "release-rp" }),
    "AR-10": () => user.releaseIndicated(),
    "AA-1": () => abortAs(0, 0, "aborted"),
    "AA-2": () => {
      end("aborted");
      close();
    },
    "AA-3": (pdu) => {
      end((pdu as Abort).source === 2 ? "protocol-error" : "aborted-by-peer");
      close();
    },
    "AA-4": () => {
      end("lost");
      close();
    },
    "AA-5": () => {
      stopArtim();
      end("lost");
    },
    "AA-6": () => {},
    "AA-7": () => put({ type: "abort", source: 2, reason: abortReason.unexpectedPdu }),
    "AA-8": (_pdu, reason) => abortAs(2, reason, "protocol-error"),
  };

  const fire = (on: Event, pdu?: Pdu, reason: number = abortReason.unexpectedPdu): boolean => {
    const found = transition(state, on);
    if (!found) return false;
    const { action, next } = found;
    if (typeof next === "number") state = next;
    else if (action === "AE-6") state = providerRefusal(pdu as AssociateRequest) ? next[1] : next[0];
    else state = role === "requestor" ? next[0] : next[1];
    actions[action](pdu, reason);
    return true;
  };

  const reading = createReading(options, () => state, fire);
  connection.setNoDelay?.(true);
  connection.on("error", () => {}); // 'close' follows, and says enough
  connection.on("end", () => {
    fire(event.transportClosed);
    connection.destroy();
  });
  connection.on("close", () => {
    fire(event.transportClosed);
    stopArtim();
    user.closed();
  });
  if (role === "acceptor") fire(event.transportIndicated);

  return {
    state: () => state,
    associate(request) {
      pendingRequest = request;
      return fire(event.associateRequest);
    },
    accept: (answer) => fire(event.acceptResponse, answer),
    reject: (answer) => fire(event.rejectResponse, answer),
    send(...pdus) {
      if (!fire(event.dataRequest)) return false;
      if (pdus.length > 1) connection.cork();
      for (const pdu of pdus) write(connection, pdu);
      if (pdus.length > 1) connection.uncork();
      reading.holdWhileUnsent();
      return true;
    },
    drained: () => drained(connection),
    release: () => fire(event.releaseRequest),
    answerRelease: () => fire(event.releaseResponse),
    abort: () => fire(event.abortRequest),
    destroy: () => connection.destroy(),
    lastReadMs: reading.lastReadMs,
  };
}

/** The reading half: from chunks to events of the state machine, one at a time, no further than the user keeps up. */
function createReading(
  options: UpperLayerOptions,
  state: () => State,
  fire: (on: Event, pdu?: Pdu, reason?: number) => boolean,
) {
  const { connection, clock, log, user } = options;
  let holds = 0;
  let rest: Uint8Array | undefined;
  let framingLost = false;
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
    {
      pdu(pdu) {
        fire(eventOf[pdu.type], pdu);
        return holds === 0;
      },
      dataBegins() {
        fire(event.dataPdu);
        return true;
      },
      data(contextId, command, last, bytes) {
        const at = state();
        if (at !== 6 && at !== 7) return true; // refused by the table when the PDU began
        const kept = user.data(contextId, command, last, bytes);
        if (kept) hold(kept);
        return holds === 0;
      },
    },
    options.reader,
  );

  /** Reads on until the chunk ends or something holds; keeps what is left. */
  const take = (chunk: Uint8Array) => {
    try {
      let at = 0;
      while (at < chunk.length && holds === 0 && !framingLost) at = reader.read(chunk, at);
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
    lastReadMs: () => (holds > 0 ? undefined : lastReadMs),
    holdWhileUnsent() {
      if (holds > 0 || connection.writableLength <= unsentBytesMax) return;
      connection.pause();
      hold(drained(connection));
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
