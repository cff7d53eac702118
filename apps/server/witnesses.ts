import { readFile } from "node:fs/promises";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { isIP } from "node:net";
import { resolve } from "node:path";
import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { WitnessView } from "#formats/api";
import {
  type AuditLog,
  type Checkpoint,
  type CosignatureVerifier,
  createCosignatureVerifier,
  writeAddCheckpoint,
} from "#trust/audit";
import { repeat } from "./repeat.ts";

/** A witness as the operator names it. */
export interface WitnessSetting {
  /** `https://…`, or `http://` on this machine; its `add-checkpoint` is asked. */
  readonly url: URL;
  /** Verifier key of the witness. */
  readonly key: string;
  /** Path of an authority's certificate, PEM, where it is not one of those that everybody trusts. */
  readonly ca?: string;
}

export interface WitnessReply {
  readonly status: number;
  readonly body: string;
}

/** Posts a request to a witness. Rejects when it does not answer in time. */
export type AskWitness = (setting: WitnessSetting, body: string) => Promise<WitnessReply>;

/** The witnesses that sign this log's checkpoints too. */
export interface Cosigning {
  /** Asks, from now on, soon after each checkpoint. */
  start(): void;
  /** Asks each that has not signed the newest checkpoint, and waits for the answers, for some seconds at most. */
  settle(): Promise<void>;
  view(): WitnessView[];
  stop(): Promise<void>;
}

const witnessesMost = 8;
const nameBytesMost = 128;
const roundEveryMs = 5_000;
const retryFirstMs = 5_000;
const retryMostMs = 5 * 60_000;
const answerMsMost = 10_000;
const settleMsMost = 10_000;
const stopMsMost = 1_000;
const answerBytesMost = 16 * 1024;
/** The witness tells its size, is asked again from there, and once more where another of our requests came between. */
const turnsMost = 3;

/** Of `witnesses` in leadglass.json of a home, from which paths go out. Problem `invalid` says what is wrong with it. */
export function parseWitnesses(given: unknown, home: string): WitnessSetting[] {
  if (given === undefined) return [];
  if (!Array.isArray(given) || given.length > witnessesMost)
    throw refused(`must be a list of ${witnessesMost} at most`);
  const settings = given.map((each) => parseWitness(each, home));
  const names = settings.map(({ key }) => createCosignatureVerifier(key).name);
  if (new Set(names).size < names.length) throw refused("name the same witness twice");
  if (names.some((name) => Buffer.byteLength(name) > nameBytesMost)) throw refused("have a name that is too long");
  return settings;
}

function parseWitness(given: unknown, home: string): WitnessSetting {
  const fields = typeof given === "object" && given !== null ? given : {};
  const { url, key, ca, ...more } = fields as Readonly<Record<string, unknown>>;
  if (typeof url !== "string" || !URL.canParse(url) || typeof key !== "string" || Object.keys(more).length > 0) {
    throw refused("need a url and a key each, may have a ca, and nothing more");
  }
  if (ca !== undefined && typeof ca !== "string") throw refused("have a ca that is no path");
  const parsed = new URL(url);
  const isHere = parsed.hostname === "[::1]" || (isIP(parsed.hostname) === 4 && parsed.hostname.startsWith("127."));
  const isSecret = parsed.protocol === "https:" || (parsed.protocol === "http:" && isHere);
  if (!isSecret) throw refused("are reached by https, by http only on this machine (http://127.0.0.1:…)");
  if (parsed.username !== "" || parsed.password !== "" || parsed.search !== "" || parsed.hash !== "") {
    throw refused("have a url with a name, a query or a fragment");
  }
  createCosignatureVerifier(key);
  return { url: parsed, key, ...(ca !== undefined && { ca: resolve(home, ca) }) };
}

const refused = (why: string) =>
  new Problem("invalid", `refusing to start: witnesses ${why}`, {
    remedy: 'write "witnesses": [{ "url": "https://…", "key": "name+hash+base64" }] in leadglass.json',
  });

/** Nothing here holds up the log: a witness that is away is asked again later, and what it does not sign is told of. */
export function createCosigning(parts: {
  readonly audit: AuditLog;
  readonly settings: readonly WitnessSetting[];
  readonly clock: Clock;
  readonly log: Log;
  readonly ask?: AskWitness;
}): Cosigning {
  const { audit, settings, clock, log, ask = askByHttp(clock) } = parts;
  const asked = settings.map((setting) => askedWitness({ audit, setting, clock, log, ask }));
  const round = (isPatient: boolean) => Promise.all(asked.map((witness) => witness.round(isPatient)));
  let timer: Timer | undefined;
  return {
    start() {
      if (asked.length > 0) {
        timer = repeat({ clock, log, what: "asking witnesses", everyMs: roundEveryMs, work: () => round(true) });
      }
    },
    settle: () => within(clock, settleMsMost, round(false)),
    view: () => asked.map((witness) => witness.view()),
    stop() {
      timer?.stop();
      // What comes later than that finds the log closed and is not kept.
      return within(clock, stopMsMost, Promise.all(asked.map((witness) => witness.idle())));
    },
  };
}

/** Waits for the work, so long at most. Nothing is left behind that would keep the process. */
async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = clock.after(ms, over.resolve);
  await Promise.race([work, over.promise]).finally(timer.stop);
}

type Trouble = "away" | "refuses";

function askedWitness(parts: {
  readonly audit: AuditLog;
  readonly setting: WitnessSetting;
  readonly clock: Clock;
  readonly log: Log;
  readonly ask: AskWitness;
}) {
  const { audit, setting, clock, log, ask } = parts;
  const verifier = createCosignatureVerifier(setting.key);
  let signed = signedBy(verifier, audit.latestCheckpoint());
  let known = signed?.size ?? 0;
  let trouble: { readonly kind: Trouble; readonly why: string; readonly since: number } | undefined;
  let failures = 0;
  let retryAtMs = 0;
  const rounds = createTurns();

  const inTrouble = (kind: Trouble, why: string): void => {
    failures++;
    retryAtMs = clock.monotonicMs() + Math.min(retryMostMs, retryFirstMs * 2 ** Math.min(failures - 1, 10));
    if (trouble?.kind === kind && trouble.why === why) return;
    trouble = { kind, why, since: clock.now() };
    const fields = { witness: verifier.name, why, knows: known, entries: audit.size() };
    if (kind === "refuses") log.error("ALARM: a witness knows another tree than this log", fields);
    else log.warn("a witness does not sign", fields);
  };
  /** Whether the witness is to be asked again. */
  const turn = async (checkpoint: Checkpoint): Promise<boolean> => {
    if (known > checkpoint.size) {
      inTrouble("refuses", "it signed a larger tree of this log");
      return false;
    }
    const isStep = known > 0 && known < checkpoint.size;
    const proof = isStep ? await audit.proveConsistency(known, checkpoint.size) : [];
    const reply = await ask(setting, writeAddCheckpoint({ oldSize: known, proof, note: checkpoint.note }));
    const outcome = outcomeOf(reply, checkpoint, verifier);
    if (outcome.kind === "signed") {
      await audit.addCosignature(checkpoint.size, outcome.line);
      if (trouble !== undefined) log.info("a witness signs again", { witness: verifier.name });
      signed = { size: checkpoint.size, at: outcome.at };
      known = checkpoint.size;
      trouble = undefined;
      failures = 0;
      return false;
    }
    if (outcome.kind === "knows" && outcome.size !== known) {
      known = outcome.size;
      return true;
    }
    if (outcome.kind === "knows") inTrouble("refuses", "it signed another tree of this size");
    else inTrouble(outcome.kind, outcome.why);
    return false;
  };
  const askOnce = async (isPatient: boolean): Promise<void> => {
    if (isPatient && clock.monotonicMs() < retryAtMs) return;
    try {
      for (let turns = 0; turns < turnsMost; turns++) {
        const checkpoint = audit.latestCheckpoint();
        if (checkpoint === undefined || signed?.size === checkpoint.size) return;
        if (!(await turn(checkpoint))) return;
      }
      inTrouble("away", "it told another size each time");
    } catch (error) {
      inTrouble("away", isProblem(error, "unavailable") ? "it does not answer" : "its signature could not be kept");
    }
  };
  return {
    round: (isPatient: boolean) => rounds.take(() => askOnce(isPatient)),
    idle: () => rounds.idle(),
    view(): WitnessView {
      const isNewest = signed !== undefined && signed.size === audit.latestCheckpoint()?.size;
      return {
        name: verifier.name,
        state: trouble?.kind ?? (isNewest ? "signed" : "behind"),
        signedEntries: signed?.size ?? 0,
        signedAt: signed?.at ?? null,
        ...(trouble !== undefined && { why: trouble.why, since: trouble.since }),
      };
    },
  };
}

type Outcome =
  | { readonly kind: "signed"; readonly line: string; readonly at: number }
  | { readonly kind: "knows"; readonly size: number }
  | { readonly kind: Trouble; readonly why: string };

function outcomeOf({ status, body }: WitnessReply, checkpoint: Checkpoint, verifier: CosignatureVerifier): Outcome {
  if (status === 200) {
    const found = verifier.find(`${ownNote(checkpoint.note)}${body}`);
    const isFound = found !== undefined && found !== "void";
    return isFound ? { kind: "signed", ...found } : { kind: "away", why: "its signature is not by its key" };
  }
  if (status === 409 && /^(0|[1-9][0-9]{0,14})\n$/.test(body)) return { kind: "knows", size: Number(body) };
  if (status === 422) return { kind: "refuses", why: "it signed a tree that this log does not begin with" };
  if (status === 404 || status === 403) return { kind: "away", why: "it does not watch this log" };
  return { kind: "away", why: `it answered with status ${status}` };
}

/** What is kept of the witness's signature from before. */
function signedBy(verifier: CosignatureVerifier, checkpoint: Checkpoint | undefined) {
  const found = checkpoint && verifier.find(checkpoint.note);
  return found === undefined || found === "void" ? undefined : { size: checkpoint?.size ?? 0, at: found.at };
}

/** Without cosignatures: with the first signature line alone. */
const ownNote = (note: string) => note.slice(0, note.indexOf("\n", note.lastIndexOf("\n\n") + 2) + 1);

const askByHttp =
  (clock: Clock): AskWitness =>
  async ({ url, ca }, body) => {
    const certificate = ca === undefined ? undefined : await readFile(ca);
    const unavailable = (cause: unknown) => new Problem("unavailable", "the witness does not answer", { cause });
    return new Promise((resolve, reject) => {
      const path = `${url.pathname.replace(/\/+$/, "")}/add-checkpoint`;
      const request = url.protocol === "https:" ? requestTls : requestPlain;
      const tls = certificate === undefined ? {} : { ca: certificate };
      const headers = { "content-type": "text/plain; charset=utf-8", "content-length": Buffer.byteLength(body) };
      const sent = request(new URL(path, url), { method: "POST", headers, ...tls }, (answer) => {
        const pieces: Buffer[] = [];
        let length = 0;
        answer.on("data", (piece: Buffer) => {
          length += piece.length;
          if (length > answerBytesMost) sent.destroy(new Error("too long"));
          else pieces.push(piece);
        });
        answer.on("error", (cause) => reject(unavailable(cause)));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(pieces).toString("utf8") }),
        );
      });
      sent.on("error", (cause) => reject(unavailable(cause)));
      const tooLong = clock.after(answerMsMost, () => sent.destroy(new Error("too slow")));
      sent.on("close", () => tooLong.stop());
      sent.end(body);
    });
  };
