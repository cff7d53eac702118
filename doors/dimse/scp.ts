import { createServer, type Server } from "node:net";
import type { Clock } from "#base/clock";
import { newToken, type Random, systemRandom } from "#base/id";
import { addressOf, listenAt } from "#base/io";
import type { Log } from "#base/log";
import {
  type Acceptor,
  type AssociationLimits,
  type AssociationStatus,
  createAcceptor,
  type DoorEvent,
} from "./acceptor.ts";
import { type Implementation, leadglass } from "./implementation.ts";
import type { NegotiationPolicy } from "./negotiation.ts";
import type { Callers, ShownCertificates } from "./ports.ts";
import { readSteadily } from "./steady-buffer.ts";
import type { Connection } from "./upper-layer.ts";

export interface DoorLimits extends AssociationLimits {
  /** Of one called AE title: who calls one does not take the places of another. */
  readonly associationsMax: number;
  /** Of one calling AE title at one address. */
  readonly associationsPerCallerMax: number;
  readonly associationsPerAddressMax: number;
  /** Connections that are not, or no more, associations. They never take the place of an association. */
  readonly waitingMax: number;
}

export const defaultDoorLimits: DoorLimits = {
  pduBytesMax: 131_072,
  associatePduBytesMax: 262_144,
  commandBytesMax: 65_536,
  objectBytesMax: 16 * 2 ** 30,
  identifierBytesMax: 2 ** 20,
  attributesBytesMax: 4 * 2 ** 20,
  artimMs: 10_000,
  idleMs: 600_000,
  dimseMs: 60_000,
  associationsMax: 256,
  associationsPerCallerMax: 32,
  associationsPerAddressMax: 64,
  waitingMax: 64,
};

export interface DimseDoorOptions {
  readonly callers: Callers;
  readonly policy: NegotiationPolicy;
  /** The called AE title to insist on; without it `callers` judges the called title alone. */
  readonly aeTitle?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<DoorLimits>;
  readonly random?: Random;
  readonly implementation?: Implementation;
  /** Hears everything; of callers that were refused nobody else does. */
  readonly on?: (event: DoorEvent) => void;
}

export interface DimseListener {
  readonly port: number;
  /**
   * Takes no more connections and ends the associations of this listener: a message under way is finished and
   * answered within `graceMs`, then A-ABORT. Resolves when every connection is gone.
   */
  close(graceMs?: number): Promise<void>;
}

export interface DimseDoor {
  /** Port 0 picks a free one. Rejects when the address cannot be bound. Plain where nothing else is said. */
  listen(at: { readonly host: string; readonly port: number }, incoming?: Incoming): Promise<DimseListener>;
  /** Takes a connection that was accepted elsewhere. */
  accept(connection: Connection): void;
  associations(): AssociationStatus[];
  /** Ends those associations as `close` does, and takes new ones on. Resolves when nothing more is done for them. */
  end(which: (association: AssociationStatus) => boolean, graceMs?: number): Promise<void>;
}

/** What a listener's connections come in through. */
export interface Entrance {
  /** Not listening yet. */
  readonly server: Server;
  /** Takes no more, and drops what has not been taken. */
  close(): void;
}

/** Makes the entrance; it gives each connection that is ready to `take`. */
export type Incoming = (take: (connection: Connection, certificates?: ShownCertificates) => void) => Entrance;

const plainly: Incoming = (take) => {
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => take(readSteadily(socket)));
  return { server, close: () => void server.close() };
};

/** How long peers get to close their end after an A-ABORT when the door closes. */
const partingMs = 500;
/** How long a message under way may take then. */
const closingMs = 10_000;

/** The acceptor of DICOM associations: who comes in, how many, and what happens when the house closes. */
export function createDimseDoor(options: DimseDoorOptions): DimseDoor {
  const { clock, log, random = systemRandom } = options;
  const limits: DoorLimits = { ...defaultDoorLimits, ...options.limits };
  /** By acceptor: the caller's key while it is an association, undefined while it is a waiting connection. */
  const places = new Map<Acceptor, Place | undefined>();

  const count = (matches: (acceptor: Acceptor, place: Place) => boolean) => {
    let found = 0;
    for (const [acceptor, place] of places) if (place && matches(acceptor, place)) found++;
    return found;
  };

  const takePlace = (acceptor: Acceptor, calledAe: string, callingAe: string): boolean => {
    const key = `${acceptor.address} ${callingAe}`;
    if (count((_other, place) => place.calledAe === calledAe) >= limits.associationsMax) return false;
    if (count((other) => other.address === acceptor.address) >= limits.associationsPerAddressMax) return false;
    if (count((_other, place) => place.key === key) >= limits.associationsPerCallerMax) return false;
    places.set(acceptor, { key, calledAe });
    return true;
  };

  const emit = (event: DoorEvent) => {
    report(log, event);
    try {
      options.on?.(event);
    } catch (error) {
      log.error("dimse: a listener of events failed", {}, error);
    }
  };

  const accept: Accept = (connection, certificates, gone) => {
    const address = addressOf(connection);
    const acceptor: Acceptor = createAcceptor({
      connection,
      certificates,
      address,
      id: newToken(random),
      callers: options.callers,
      policy: options.policy,
      aeTitle: options.aeTitle,
      limits,
      clock,
      log,
      implementation: options.implementation ?? leadglass,
      takePlace: (calledAe, callingAe) => takePlace(acceptor, calledAe, callingAe),
      on: emit,
      ended: () => places.set(acceptor, undefined),
      closed() {
        places.delete(acceptor);
        gone();
      },
    });
    const least = leastWorthy(places, limits.waitingMax);
    if (least) places.delete(least);
    least?.destroy();
    places.set(acceptor, undefined);
    return acceptor;
  };

  return {
    listen: (at, incoming = plainly) => listen(at, incoming, clock, log, accept),
    accept: (connection) => void accept(connection, undefined, () => {}),
    associations: () => [...places.keys()].flatMap((acceptor) => acceptor.status() ?? []),
    async end(which, graceMs = closingMs) {
      const ending = [...places.keys()].filter((acceptor) => {
        const status = acceptor.status();
        return status !== undefined && which(status);
      });
      const overdue = clock.after(graceMs, () => ending.forEach((acceptor) => void acceptor.abort()));
      await Promise.all(ending.map((acceptor) => acceptor.shutDown()));
      overdue.stop();
      clock.after(partingMs, () => ending.forEach((acceptor) => void acceptor.destroy()));
    },
  };
}

interface Place {
  /** The calling AE title at its address. */
  readonly key: string;
  readonly calledAe: string;
}

/**
 * The waiting connection to drop when there are too many: the oldest of the address that holds the most, so that one
 * flooding address pushes out itself and not a modality that is about to associate.
 */
function leastWorthy(places: ReadonlyMap<Acceptor, unknown>, waitingMax: number): Acceptor | undefined {
  const byAddress = new Map<string, Acceptor[]>();
  let waiting = 0;
  for (const [acceptor, place] of places) {
    if (place !== undefined) continue;
    waiting++;
    const of = byAddress.get(acceptor.address);
    if (of) of.push(acceptor);
    else byAddress.set(acceptor.address, [acceptor]);
  }
  if (waiting < waitingMax) return undefined;
  let most: Acceptor[] = [];
  for (const of of byAddress.values()) if (of.length > most.length) most = of;
  return most[0];
}

type Accept = (connection: Connection, certificates: ShownCertificates | undefined, gone: () => void) => Acceptor;

async function listen(
  at: { readonly host: string; readonly port: number },
  incoming: Incoming,
  clock: Clock,
  log: Log,
  accept: Accept,
): Promise<DimseListener> {
  const mine = new Set<Acceptor>();
  let allGone = () => {};
  const { server, close } = incoming((connection, certificates) => {
    const acceptor = accept(connection, certificates, () => {
      mine.delete(acceptor);
      if (mine.size === 0) allGone();
    });
    mine.add(acceptor);
  });
  const port = await listenAt(server, at);
  server.on("error", (error) => log.error("dimse: the listener failed", {}, error));
  return {
    port,
    async close(graceMs = closingMs) {
      close();
      const gone = new Promise<void>((resolve) => {
        allGone = resolve;
      });
      if (mine.size === 0) return;
      const overdue = [
        clock.after(graceMs, () => mine.forEach((acceptor) => void acceptor.abort())),
        clock.after(graceMs + partingMs, () => mine.forEach((acceptor) => void acceptor.destroy())),
      ];
      await Promise.all([...mine].map((acceptor) => acceptor.shutDown()));
      overdue.push(clock.after(partingMs, () => mine.forEach((acceptor) => void acceptor.destroy())));
      await gone;
      for (const timer of overdue) timer.stop();
    },
  };
}

/**
 * The operational log gets ids, addresses and numbers; AE titles are a caller's text and go to the event only. So does who is refused:
 * there may be any number of them, and whoever listens counts.
 */
function report(log: Log, event: DoorEvent): void {
  switch (event.kind) {
    case "opened": {
      const { associationId, address, contextsAccepted, contextsRefused } = event;
      log.info("dimse: association opened", { associationId, address, contextsAccepted, contextsRefused });
      break;
    }
    case "closed": {
      const { kind: _, ...fields } = event;
      log.info("dimse: association closed", fields);
    }
  }
}
