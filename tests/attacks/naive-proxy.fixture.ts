// A proxy as one should not be: it shares one connection to the server among all its clients and reads the end of a request
// in a way of its own. Whatever differs from how the server reads it is an attacker's chance.
import { createServer, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { AttackedHouse } from "./attacked-house.fixture.ts";

/** How the proxy finds the end of a request: its length in bytes, or undefined while more has to come. */
export type Reading = (text: string) => number | undefined;

const bodyAfter = (text: string, end: number, length: number) =>
  text.length >= end + length ? end + length : undefined;
const lengthsIn = (head: string) =>
  [...head.matchAll(/^content-length\s*:\s*(\d+)/gim)].map(([, digits]) => Number(digits));
const headOf = (text: string) => {
  const at = text.indexOf("\r\n\r\n");
  return at < 0 ? undefined : at + 4;
};
const chunkedEnd = (text: string, from: number) => {
  const at = text.indexOf("0\r\n\r\n", from);
  return at < 0 ? undefined : at + 5;
};

/** Ways in which proxies have read requests, each the cause of some advisory. */
export const readings: Record<string, Reading> = {
  "Content-Length goes before Transfer-Encoding": (text) => {
    const end = headOf(text);
    return end === undefined ? undefined : bodyAfter(text, end, lengthsIn(text.slice(0, end))[0] ?? 0);
  },
  "Transfer-Encoding goes before Content-Length": (text) => {
    const end = headOf(text);
    if (end === undefined) return undefined;
    const head = text.slice(0, end);
    return /chunked/i.test(head) ? chunkedEnd(text, end) : bodyAfter(text, end, lengthsIn(head)[0] ?? 0);
  },
  "the last Content-Length counts": (text) => {
    const end = headOf(text);
    return end === undefined ? undefined : bodyAfter(text, end, lengthsIn(text.slice(0, end)).at(-1) ?? 0);
  },
  "bare LF ends a line": (text) => {
    const found = /\r?\n\r?\n/.exec(text);
    if (found === null) return undefined;
    const end = found.index + found[0].length;
    return bodyAfter(text, end, lengthsIn(text.slice(0, end))[0] ?? 0);
  },
  "no method but POST has a body": (text) => {
    const end = headOf(text);
    if (end === undefined) return undefined;
    return text.startsWith("POST") ? bodyAfter(text, end, lengthsIn(text.slice(0, end))[0] ?? 0) : end;
  },
};

/** One answer, whole: with a Content-Length, or without a body. */
function answerIn(text: string): string | undefined {
  const end = headOf(text);
  if (end === undefined) return undefined;
  const [length = 0] = lengthsIn(text.slice(0, end));
  return text.length >= end + length ? text.slice(0, end + length) : undefined;
}

export interface NaiveProxy {
  readonly port: number;
  /** How often the server closed the shared connection, and the proxy made a new one. */
  reconnected(): number;
  close(): Promise<void>;
}

export async function openNaiveProxy(house: AttackedHouse, read: Reading): Promise<NaiveProxy> {
  let upstream: TLSSocket | undefined;
  let connections = 0;
  let held = "";
  let turn = Promise.resolve();
  const connected = async () => {
    if (upstream !== undefined && !upstream.destroyed) return upstream;
    connections++;
    held = "";
    const made = await house.connect();
    made.on("data", (piece: Buffer) => (held += piece.toString("latin1")));
    made.on("error", () => {});
    upstream = made;
    return made;
  };
  /** Passes one request on and takes the next answer that comes, as a proxy must that does not look inside. */
  const pass = async (request: string): Promise<string> => {
    const socket = await connected();
    socket.write(request, "latin1");
    for (let tries = 0; tries < 60; tries++) {
      const answer = answerIn(held);
      if (answer !== undefined) {
        held = held.slice(answer.length);
        if (/connection: close/i.test(answer)) socket.destroy();
        return answer;
      }
      if (socket.destroyed) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    socket.destroy();
    return "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
  };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    let text = "";
    client.on("error", () => {});
    client.on("data", (piece) => {
      text += piece.toString("latin1");
      const length = read(text);
      if (length === undefined) return;
      const request = text.slice(0, length);
      text = text.slice(length);
      turn = turn.then(async () => {
        client.end(await pass(request), "latin1");
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    reconnected: () => connections - 1,
    async close() {
      for (const socket of sockets) socket.destroy();
      upstream?.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
