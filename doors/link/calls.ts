import { Agent, request } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Clock } from "#base/clock";
import { isProblem, Problem, type ProblemCode } from "#base/problem";
import type { ProblemView } from "#formats/api";
import type { Target } from "./proxy.ts";

const withinMs = 20_000;
const answerBytesUsual = 64 * 1024;

/** What is asked of the cloud. */
export interface CloudCall {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Longer answers break off. */
  readonly answerBytesMax?: number;
  readonly cloud: Target;
  readonly clock: Clock;
}

/** One request over a connection that speaks `linkProtocols.calls`, which is closed with it. Rejects with the Problem that the cloud answers. */
export async function callCloud<T>(socket: TLSSocket, asked: CloudCall): Promise<T> {
  try {
    return await said<T>({ socket, way: { createConnection: () => socket } }, asked);
  } finally {
    socket.destroy();
  }
}

/**
 * One request after the other over one connection, which is opened with the first, and again when it has ended. What was asked just then is
 * asked again: for calls that may be done twice.
 */
export interface CloudCalls {
  call<T>(asked: CloudCall): Promise<T>;
  /** The next call opens another one. */
  close(): void;
}

export function keepCalling(dial: () => Promise<TLSSocket>): CloudCalls {
  let opening: Promise<Opened> | undefined;
  const close = () => {
    opening?.then(({ socket }) => socket.destroy()).catch(() => {}); // who opened it was told
    opening = undefined;
  };
  const callOnce = async <T>(asked: CloudCall): Promise<T> => {
    opening ??= dial().then(kept);
    const own = opening;
    try {
      return await said<T>(await own, asked);
    } catch (error) {
      // Where its answer would begin may not be known; and who was refused is judged anew on another one.
      if (opening === own) close();
      throw error;
    }
  };
  return {
    async call<T>(asked: CloudCall) {
      const isUsed = opening !== undefined;
      try {
        return await callOnce<T>(asked);
      } catch (error) {
        if (isUsed && isProblem(error, "unavailable")) return callOnce<T>(asked);
        throw error;
      }
    },
    close,
  };
}

interface Opened {
  readonly socket: TLSSocket;
  readonly way: { readonly agent: Agent } | { readonly createConnection: () => TLSSocket };
}

function kept(socket: TLSSocket): Opened {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  return { socket, way: { agent } };
}

async function said<T>({ socket, way }: Opened, asked: CloudCall): Promise<T> {
  const { clock } = asked;
  const late = clock.after(withinMs, () => socket.destroy());
  try {
    const { status, text } = await answerTo(way, asked);
    const answered: unknown = JSON.parse(text);
    if (status < 400) return answered as T;
    const { code, message, remedy } = answered as ProblemView;
    throw new Problem(code as ProblemCode, message, remedy === undefined ? {} : { remedy });
  } catch (error) {
    if (error instanceof Problem) throw error;
    const remedy = "it is tried again; if that stays so, look at the cloud's status";
    throw new Problem("unavailable", "the cloud's answer did not come, or cannot be read", { remedy, cause: error });
  } finally {
    late.stop();
  }
}

const hostOf = ({ host, port }: Target) =>
  `${host.includes(":") ? `[${host}]` : host}${port === 443 ? "" : `:${port}`}`;

function answerTo(way: Opened["way"], { method, path, body, cloud, answerBytesMax = answerBytesUsual }: CloudCall) {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body), "utf8");
  const headers = {
    host: hostOf(cloud),
    ...(bytes && { "content-type": "application/json", "content-length": bytes.length }),
  };
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request({ method, path, headers, ...way }, (answer) => {
      const pieces: Buffer[] = [];
      let held = 0;
      answer.on("data", (piece: Buffer) => {
        held += piece.length;
        if (held > answerBytesMax) answer.destroy(new Error("the answer is too long"));
        else pieces.push(piece);
      });
      answer.on("error", reject);
      answer.on("close", () => reject(new Error("the answer broke off")));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 500, text: Buffer.concat(pieces).toString("utf8") }),
      );
    });
    asked.on("error", reject);
    asked.end(bytes);
  });
}
