import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import type { ProblemView } from "#formats/api";
import { createTally } from "./tally.ts";

/** For `createServer` of node:https. Bodies have no limit here: an upload lasts as long as its line needs. */
export const listenerOptions = {
  minVersion: "TLSv1.2",
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  /** How often Node looks for connections over their time. */
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
} as const;

/** Connections with no request under way. One more, and that which has been so the longest has to go. */
const idleMax = 2_048;

/**
 * What a listener does with connections on which no request comes or none can be read: they are answered and closed and counted in
 * the log, and however many there are, who has something to say finds room. `begin`: on this one something other than HTTP does.
 */
export function limitListener(
  server: Server,
  parts: { readonly clock: Clock; readonly log: Log },
  limits: { readonly idleMax: number } = { idleMax },
): { begin(socket: Socket): void } {
  // Node drops headers over this number and says nothing; unacceptable() counts them instead.
  server.maxHeadersCount = 0;
  const tell = createTally(parts);
  const idle = new Map<string, Socket>();
  /** TLS hides the socket under it; both know the other end. */
  const open = new Map<string, Socket>();
  const rest = (key: string) => {
    const socket = open.get(key);
    if (socket === undefined) return;
    idle.set(key, socket);
    const longest = idle.entries().next().value;
    if (idle.size <= limits.idleMax || longest === undefined) return;
    idle.delete(longest[0]);
    longest[1].destroy();
    tell("too many connections");
  };
  server.on("connection", (socket: Socket) => {
    const key = endOf(socket);
    open.set(key, socket);
    socket.once("close", () => {
      open.delete(key);
      idle.delete(key);
    });
    rest(key);
  });
  server.on("request", ({ socket }, response) => {
    const key = endOf(socket);
    idle.delete(key);
    response.once("close", () => rest(key));
  });
  const begin = (socket: Socket) => void idle.delete(endOf(socket));
  server.on("upgrade", ({ socket }) => begin(socket));
  server.on("tlsClientError", (_error: Error, socket: Duplex) => {
    tell("a connection without TLS");
    socket.destroy();
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === "ECONNRESET" || socket.destroyed) return void socket.destroy();
    const [status, words] = answersTo[error.code ?? ""] ?? [400, "Bad Request"];
    tell(`a request that cannot be read (${status})`);
    if (socket.writable) socket.write(refusalOf(status, words));
    socket.destroy();
  });
  return { begin };
}

const endOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

const answersTo: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};

/** Nothing of the request is repeated: it could not be read. */
function refusalOf(status: number, words: string): string {
  const view: ProblemView = { code: "invalid", message: words.toLowerCase() };
  const body = JSON.stringify(view);
  return [
    `HTTP/1.1 ${status} ${words}`,
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}
