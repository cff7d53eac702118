import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";

/** The customer's log collector: where it is, and what proves it. Certificates and keys as PEM. */
export interface Collector {
  /** A DNS name or an IP address; the collector's certificate must be for it. */
  readonly host: string;
  readonly port: number;
  /** The authorities that its certificate may come from; no others count. */
  readonly ca: string;
  /** Ours, where the collector asks for one. */
  readonly identity?: { readonly cert: string; readonly key: string };
}

/** A connection to the collector (RFC 5425). */
export interface Link {
  /** Resolves when there is room for more. */
  send(frame: Uint8Array): Promise<void>;
  /**
   * Says that nothing follows, and resolves when the collector has closed too: it has read everything then. Syslog has no other
   * acknowledgement (RFC 5425 §4.4: who gets a close_notify answers it).
   */
  finish(): Promise<void>;
  abandon(): void;
}

const connectMsMax = 10_000;
/** Without any progress for so long a collector counts as dead. */
const stalledMsMax = 30_000;
const finishMsMax = 10_000;

/** Rejects with Problem "unavailable": not reached, not the one it should be, or it refused us. */
export async function connectCollector(collector: Collector, clock: Clock): Promise<Link> {
  const { host, port, ca, identity } = collector;
  const socket = connect({
    host,
    port,
    ca,
    ...identity,
    ...(isIP(host) === 0 && { servername: host }),
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
  });
  // Before its own Nagle could hold back the last segment of a batch.
  socket.setNoDelay(true);
  // A collector sends nothing; reading is how its end is noticed.
  socket.resume();
  let isEnded = false;
  socket.on("end", () => {
    isEnded = true;
  });
  const failed = new Promise<never>((_resolve, reject) => {
    socket.once("error", (error) => reject(problemOf(error)));
    socket.once("close", () =>
      reject(new Problem("unavailable", "the log collector closed the connection", { remedy })),
    );
  });
  // It may fail while nobody waits; the next who does is told.
  failed.catch(() => {});
  const within = createLimit(socket, failed, clock);
  await within(connectMsMax, "the log collector does not answer", (done) => socket.once("secureConnect", done));
  return {
    async send(frame) {
      if (socket.writable && socket.write(frame)) return;
      await within(stalledMsMax, "the log collector takes nothing any more", (done) => socket.once("drain", done));
    },
    async finish() {
      if (isEnded) return failed;
      const closed = (done: () => void) => socket.once("end", done);
      socket.end();
      await within(finishMsMax, "the log collector does not close the connection", closed);
      socket.destroy();
    },
    abandon: () => void socket.destroy(),
  };
}

const remedy = "look at the collector; what it did not take is sent again";

/** Waits for one event, for the failure of the connection, or until time is over, which ends the connection. */
function createLimit(socket: TLSSocket, failed: Promise<never>, clock: Clock) {
  return async (ms: number, message: string, on: (done: () => void) => void): Promise<void> => {
    let late: (problem: Problem) => void = () => {};
    const tooLate = new Promise<never>((_resolve, reject) => {
      late = reject;
    });
    const timer = clock.after(ms, () => {
      socket.destroy();
      late(new Problem("unavailable", message, { remedy }));
    });
    try {
      await Promise.race([new Promise<void>((resolve) => on(resolve)), tooLate, failed]);
    } finally {
      timer.stop();
    }
  };
}

const foreignAuthority = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
]);
const outOfTime = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);

function problemOf(error: Error): Problem {
  const code = String((error as NodeJS.ErrnoException).code ?? "");
  const told = (message: string, next: string) => new Problem("unavailable", message, { remedy: next, cause: error });
  if (foreignAuthority.has(code)) {
    return told(
      "refused: the log collector's certificate is not from the authority that was given",
      'check "ca" of "syslog" in leadglass.json, and who answers at that address',
    );
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return told(
      "refused: the log collector's certificate is for another name",
      'write the name that the certificate is for as "host" of "syslog" in leadglass.json',
    );
  }
  if (outOfTime.has(code)) {
    return told(
      "refused: the log collector's certificate is not valid at this time",
      "renew the collector's certificate",
    );
  }
  if (code.startsWith("ERR_SSL_")) {
    return told(
      "the log collector refused the TLS connection",
      'check that it takes TLS 1.2 or later, and whether it asks for a certificate ("cert" and "key" of "syslog")',
    );
  }
  return told("the log collector cannot be reached", `${remedy} (${code || error.name})`);
}
