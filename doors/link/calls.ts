import { Agent, type IncomingMessage, request } from "node:http";
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
  const open = async (): Promise<Opened> => {
    const socket = await dial();
    // It may end while nobody asks anything: the next call is not to wait for an answer from it.
    socket.once("close", close);
    return kept(socket);
  };
  const callOnce = async <T>(asked: CloudCall): Promise<T> => {
    opening ??= open();
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
  const stop = new AbortController();
  const late = asked.clock.after(withinMs, () => {
    stop.abort();
    socket.destroy();
  });
  try {
    const { status, text } = await answerTo(way, asked, stop.signal);
    const answered: unknown = JSON.parse(text);
    if (status < 400) return answered as T;
    throw problemIn(answered as ProblemView);
  } catch (error) {
    throw asUnanswered(error);
  } finally {
    late.stop();
  }
}

/** The bytes of one answer, as they come; the connection is closed with it. Rejects with the Problem that the cloud answers. */
export async function* streamFromCloud(socket: TLSSocket, asked: CloudCall): AsyncGenerator<Buffer> {
  const { clock } = asked;
  const stop = new AbortController();
  const giveUp = () => {
    stop.abort();
    socket.destroy();
  };
  let late = clock.after(withinMs, giveUp);
  try {
    const answer = await begunAnswer({ createConnection: () => socket }, asked, stop.signal);
    const pieces: Buffer[] = [];
    for await (const piece of answer as AsyncIterable<Buffer>) {
      late.stop();
      late = clock.after(withinMs, giveUp);
      if (answer.statusCode === 200) yield piece;
      else if (pieces.length < 16) pieces.push(piece);
    }
    if (answer.statusCode === 200) return;
    throw problemIn(JSON.parse(Buffer.concat(pieces).toString("utf8")) as ProblemView);
  } catch (error) {
    throw asUnanswered(error);
  } finally {
    late.stop();
    socket.destroy();
  }
}

function problemIn({ code, message, remedy }: ProblemView): Problem {
  return new Problem(code as ProblemCode, message, remedy === undefined ? {} : { remedy });
}

function asUnanswered(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const remedy = "it is tried again; if that stays so, look at the cloud's status";
  return new Problem("unavailable", "the cloud's answer did not come, or cannot be read", { remedy, cause: error });
}

/** Its head has come. */
function begunAnswer(
  way: Opened["way"],
  { method, path, body, cloud }: CloudCall,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body), "utf8");
  const headers = {
    host: hostOf(cloud),
    ...(bytes && { "content-type": "application/json", "content-length": bytes.length }),
  };
  return new Promise((resolve, reject) => {
    const asked = request({ method, path, headers, signal, ...way }, resolve);
    asked.on("error", reject);
    asked.end(bytes);
  });
}

const hostOf = ({ host, port }: Target) =>
  `${host.includes(":") ? `[${host}]` : host}${port === 443 ? "" : `:${port}`}`;

async function answerTo(
  way: Opened["way"],
  asked: CloudCall,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const { answerBytesMax = answerBytesUsual } = asked;
  const answer = await begunAnswer(way, asked, signal);
  const pieces: Buffer[] = [];
  let held = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    held += piece.length;
    if (held > answerBytesMax) throw new Error("the answer is too long");
    pieces.push(piece);
  }
  return { status: answer.statusCode ?? 500, text: Buffer.concat(pieces).toString("utf8") };
}
