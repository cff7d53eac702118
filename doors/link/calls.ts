import { Agent, type IncomingMessage, request } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Clock } from "#base/clock";
import { isProblem, Problem, type ProblemCode } from "#base/problem";
import { createTurns } from "#base/turns";
import type { ProblemView } from "#formats/api";
import type { Target } from "./proxy.ts";

/** Nothing more is heard so long. */
const silentMs = 20_000;
/** An answer that goes on: so long in all, and longer as it brings this much in a millisecond. */
const wholeMs = 5 * 60_000;
const bytesPerMs = 32;
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
  /** Breaks it off. */
  readonly signal?: AbortSignal;
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
  const open = (): Promise<Opened> => {
    const own: Promise<Opened> = dial().then((socket) => {
      // It may end while nobody asks anything: the next call is not to wait for an answer from it. One that came after it stays.
      socket.once("close", () => {
        if (opening === own) opening = undefined;
      });
      return kept(socket);
    });
    return own;
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
  // Whoever is late has the connection closed, which must be nobody else's; and waiting for it is not the cloud's silence.
  const { take: inTurn } = createTurns();
  return {
    call<T>(asked: CloudCall) {
      const isUsed = opening !== undefined;
      return inTurn(async () => {
        try {
          return await callOnce<T>(asked);
        } catch (error) {
          if (isUsed && asked.signal?.aborted !== true && isProblem(error, "unavailable")) return callOnce<T>(asked);
          throw error;
        }
      });
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

async function said<T>(opened: Opened, asked: CloudCall): Promise<T> {
  const patience = patienceOf(opened.socket, asked);
  try {
    const { status, text } = await answerTo(opened.way, asked, patience);
    const answered: unknown = JSON.parse(text);
    if (status < 400) return answered as T;
    throw problemIn(answered as ProblemView);
  } catch (error) {
    throw asUnanswered(error);
  } finally {
    patience.end();
  }
}

/** The bytes of one answer, as they come; the connection is closed with it. Rejects with the Problem that the cloud answers. */
export async function* streamFromCloud(socket: TLSSocket, asked: CloudCall): AsyncGenerator<Buffer> {
  const patience = patienceOf(socket, asked);
  try {
    const answer = await begunAnswer({ createConnection: () => socket }, asked, patience.signal);
    const pieces: Buffer[] = [];
    for await (const piece of answer as AsyncIterable<Buffer>) {
      patience.pause();
      if (answer.statusCode === 200) yield piece;
      else if (pieces.length < 16) pieces.push(piece);
      patience.heard(piece.length);
    }
    if (answer.statusCode === 200) return;
    throw problemIn(JSON.parse(Buffer.concat(pieces).toString("utf8")) as ProblemView);
  } catch (error) {
    throw asUnanswered(error);
  } finally {
    patience.end();
    socket.destroy();
  }
}

/** How long an answer is waited for: what takes longer is broken off, and its connection closed. */
interface Patience {
  readonly signal: AbortSignal;
  heard(bytes: number): void;
  /** Until more is asked for: who takes what came takes its own time. */
  pause(): void;
  end(): void;
}

function patienceOf(socket: TLSSocket, { clock, signal }: CloudCall): Patience {
  const stop = new AbortController();
  const giveUp = () => {
    stop.abort();
    socket.destroy();
  };
  let late = clock.after(silentMs, giveUp);
  let endsAt = clock.monotonicMs() + wholeMs;
  let pausedAt: number | undefined;
  signal?.addEventListener("abort", giveUp, { once: true });
  if (signal?.aborted === true) giveUp();
  return {
    signal: stop.signal,
    heard(bytes) {
      late.stop();
      const now = clock.monotonicMs();
      endsAt += bytes / bytesPerMs + (now - (pausedAt ?? now));
      pausedAt = undefined;
      if (now > endsAt) giveUp();
      else late = clock.after(silentMs, giveUp);
    },
    pause() {
      late.stop();
      pausedAt = clock.monotonicMs();
    },
    end() {
      late.stop();
      signal?.removeEventListener("abort", giveUp);
    },
  };
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

function tooLong(): Problem {
  return new Problem("too-large", "the cloud's answer is longer than is listened to", { remedy: "ask for less" });
}

const hostOf = ({ host, port }: Target) =>
  `${host.includes(":") ? `[${host}]` : host}${port === 443 ? "" : `:${port}`}`;

async function answerTo(
  way: Opened["way"],
  asked: CloudCall,
  patience: Patience,
): Promise<{ status: number; text: string }> {
  const { answerBytesMax = answerBytesUsual } = asked;
  const answer = await begunAnswer(way, asked, patience.signal);
  const pieces: Buffer[] = [];
  let held = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    held += piece.length;
    if (held > answerBytesMax) throw tooLong();
    patience.heard(piece.length);
    pieces.push(piece);
  }
  return { status: answer.statusCode ?? 500, text: Buffer.concat(pieces).toString("utf8") };
}
