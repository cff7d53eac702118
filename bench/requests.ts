import { readFileSync } from "node:fs";
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as overHttp } from "node:http";
import { Agent as HttpsAgent, request as overHttps } from "node:https";
import { loadNow, usageOf } from "./processes.ts";
import { median, percentile, print, spread, table } from "./report.ts";
import type { Target } from "./targets.ts";

export interface Answer {
  readonly status: number;
  readonly ms: number;
  readonly bytes: number;
  /** Only where it was asked to be kept. */
  readonly body: Buffer;
}

/** Requests over connections that are kept, the same way for every server. */
export interface Client {
  send(path: string, options?: { accept?: string; keep?: boolean; type?: string; body?: Buffer }): Promise<Answer>;
  close(): void;
}

export function createClient(target: Target, connections: number): Client {
  const { web } = target;
  if (web === undefined) throw new Error(`${target.name} has no DICOMweb`);
  const url = new URL(web.url);
  const settings = { keepAlive: true, maxSockets: connections, noDelay: true };
  const agent =
    web.ca === undefined ? new HttpAgent(settings) : new HttpsAgent({ ...settings, ca: readFileSync(web.ca) });
  const open = web.ca === undefined ? overHttp : overHttps;
  return {
    send(path, { accept = "application/dicom+json", keep = false, type, body } = {}) {
      const began = performance.now();
      const headers = { ...web.headers, accept, ...(type !== undefined && { "content-type": type }) };
      const method = body === undefined ? "GET" : "POST";
      return new Promise((resolve, reject) => {
        const take = (answer: IncomingMessage) => {
          const pieces: Buffer[] = [];
          let bytes = 0;
          answer.on("data", (piece: Buffer) => {
            bytes += piece.length;
            if (keep) pieces.push(piece);
          });
          answer.on("error", reject);
          answer.on("end", () => {
            const ms = performance.now() - began;
            resolve({ status: answer.statusCode ?? 0, ms, bytes, body: Buffer.concat(pieces) });
          });
        };
        const options = { host: url.hostname, port: url.port, path: url.pathname + path, method, agent, headers };
        const sent: ClientRequest = open(options, take);
        sent.on("error", reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

/** Something to ask again and again. */
export interface Task {
  readonly name: string;
  readonly accept?: string;
  /** `at` counts up, so that each request may ask for another thing. */
  readonly path: (target: Target, at: number) => string;
  /** Throws when the answer is not what every server must give. */
  readonly check?: (answer: Answer) => void;
}

interface Round {
  readonly p50: number;
  readonly p95: number;
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly bytes: number;
}

/** How long to ask, in how many rounds; servers take turns, in reversed order every other round. */
export interface Pace {
  readonly seconds: number;
  readonly rounds: number;
  readonly clients: readonly number[];
}

/** Asks every server for the same in turns; prints a line each, and returns the rows of a table. */
export function inTurns(targets: readonly Target[], task: Task, pace: Pace): Promise<(string | number)[][]> {
  return askedInTurns(targets, { name: task.name, begin: (target, clients) => asHttp(target, task, clients) }, pace);
}

/** Something that is asked over connections of its own. */
export interface Questions {
  readonly name: string;
  begin(target: Target, clients: number): Promise<Questioner>;
}

export interface Questioner {
  /** One question of one client; the first is checked. Throws when the answer is not what every server must give. */
  ask(client: number, at: number, isFirst: boolean): Promise<{ readonly ms: number; readonly bytes: number }>;
  end(): void;
}

export async function askedInTurns(
  targets: readonly Target[],
  questions: Questions,
  pace: Pace,
): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = [];
  for (const clients of pace.clients) {
    const rounds = new Map<Target, Round[]>(targets.map((target) => [target, []]));
    for (let round = 0; round < pace.rounds; round++) {
      for (const target of round % 2 === 0 ? targets : [...targets].reverse()) {
        rounds.get(target)?.push(await oneRound(target, questions, clients, pace.seconds / pace.rounds, round));
      }
    }
    rows.push(...rowsOf(questions.name, clients, rounds));
  }
  return rows;
}

async function asHttp(target: Target, task: Task, clients: number): Promise<Questioner> {
  const client = createClient(target, clients);
  const accept = task.accept === undefined ? {} : { accept: task.accept };
  return {
    async ask(_, at, isFirst) {
      const answer = await client.send(task.path(target, at), { ...accept, keep: isFirst });
      const { status, body } = answer;
      if (isFirst ? status !== 200 : status !== 200 && status !== 204) {
        throw new Error(`${target.name} answered ${task.name} with ${status}: ${body.toString().slice(0, 300)}`);
      }
      if (isFirst) task.check?.(answer);
      return answer;
    },
    end: () => client.close(),
  };
}

async function oneRound(
  target: Target,
  questions: Questions,
  clients: number,
  seconds: number,
  round: number,
): Promise<Round> {
  const questioner = await questions.begin(target, clients);
  try {
    const first = await questioner.ask(0, round * 1_000_003, true);
    const all: number[] = [];
    let at = round * 1_000_003 + 1;
    const cpu = usageOf(target.pid).cpuSeconds;
    const began = performance.now();
    const ask = async (_: unknown, client: number) => {
      while (performance.now() - began < seconds * 1_000 || all.length < 3) {
        all.push((await questioner.ask(client, at++, false)).ms);
      }
    };
    await Promise.all(Array.from({ length: clients }, ask));
    const elapsed = (performance.now() - began) / 1_000;
    const cpuMs = ((usageOf(target.pid).cpuSeconds - cpu) * 1_000) / all.length;
    const perSecond = all.length / elapsed;
    return { p50: percentile(all, 50), p95: percentile(all, 95), perSecond, cpuMs, bytes: first.bytes };
  } finally {
    questioner.end();
  }
}

const headings = [
  "request",
  "clients",
  "server",
  "p50 ms",
  "p95 ms",
  "requests/s",
  "ms CPU each",
  "KB",
  "leadglass to it",
];

function rowsOf(name: string, clients: number, rounds: ReadonlyMap<Target, readonly Round[]>): (string | number)[][] {
  const rate = (target: Target) => median(rounds.get(target)?.map(({ perSecond }) => perSecond) ?? []);
  const ours = [...rounds.keys()].find((target) => target.name === "leadglass");
  return [...rounds].map(([target, all]) => {
    const over = (value: (round: Round) => number) => median(all.map(value));
    const ratio = ours === undefined || ours === target ? "" : (rate(ours) / rate(target)).toFixed(1);
    print(`  ${name}, ${clients}: ${target.name} ${rate(target).toFixed(0)}/s, load ${loadNow()}`);
    return [
      name,
      clients,
      target.name,
      over(({ p50 }) => p50).toFixed(2),
      over(({ p95 }) => p95).toFixed(2),
      spread(all.map(({ perSecond }) => perSecond)),
      over(({ cpuMs }) => cpuMs).toFixed(2),
      (over(({ bytes }) => bytes) / 1_000).toFixed(1),
      ratio,
    ];
  });
}

export function requestTable(rows: readonly (readonly (string | number)[])[]): string {
  return table(headings, rows);
}
