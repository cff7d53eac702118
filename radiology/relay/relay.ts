import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { Archive, StudyIndex } from "#radiology/archive";
import type { Routing } from "#radiology/routing";
import { type Actor, covers, type Gate, isNowhere, type Pass } from "#trust/access";
import type { Records, Vault } from "#trust/vault";
import { createJudgeKept, type JudgeKept } from "./commitment.ts";
import { askKey, type Errand, instancesOf, performErrands, referencesOf } from "./errands.ts";
import { createOutbox, type Outbox, type Transfer } from "./outbox.ts";
import type { CommitmentRequest, FoundStudy, Peers } from "./peers.ts";

export interface SendRequest {
  readonly studyToken: string;
  /** Id of the machine. */
  readonly to: string;
  readonly seriesUids?: readonly string[];
  /** Ask the machine whether it keeps them, when it has taken all. */
  readonly commit: boolean;
}

/** What was said of the instances of a commitment that we asked for. */
export interface CommitmentAnswer {
  readonly transactionUid: string;
  readonly keptUids: readonly string[];
}

/** What goes between this archive and other machines. Every call of a person or machine names its actor and goes through the gate. */
export interface Relay {
  /** A copy of a study for another machine: act `study.send`, a disclosure. */
  send(actor: Actor, request: SendRequest): Promise<Transfer>;
  /** Has a study of another archive sent here: act `archive.fetch`. */
  fetch(actor: Actor, from: string, studyUid: string): Promise<Transfer>;
  /** Studies of another archive, by values for keywords: act `archive.query`. */
  find(actor: Actor, at: string, keys: Readonly<Record<string, string>>): Promise<FoundStudy[]>;
  /** What is under way and what has ended, as far as the actor may know of its studies; the newest first. */
  list(actor: Actor, studyToken?: string): Promise<Transfer[]>;
  /** Tells how far one is; resolves when it is over. Problem `unavailable` when `signal` ends that. */
  follow(actor: Actor, id: string, tell: (transfer: Transfer) => void, signal: AbortSignal): Promise<Transfer>;
  retry(actor: Actor, id: string): Promise<Transfer>;
  cancel(actor: Actor, id: string): Promise<Transfer>;
  /** A machine asks what is kept here. Resolves when the request rests: it will be answered. Problem `too-large` for too many. */
  commitmentAsked(actor: Actor, device: string, request: CommitmentRequest): Promise<void>;
  /** A machine says what it keeps of what we sent. Problem `absent` when it was not asked. */
  commitmentAnswered(actor: Actor, device: string, answer: CommitmentAnswer): Promise<void>;
  begin(): Promise<void>;
  close(): Promise<void>;
}

export interface RelayParts {
  readonly archive: Pick<Archive, "heldOf" | "settled" | "subjectOf" | "watch">;
  readonly index: Pick<StudyIndex, "conflicts" | "findInstances">;
  readonly vault: Pick<Vault, "prove">;
  readonly gate: Gate;
  readonly records: Records;
  readonly peers: Peers;
  readonly routing: Pick<Routing, "close" | "forwardBy" | "note" | "outgoing">;
  /** What is kept for good, where that is not what the archive here keeps. */
  readonly judge?: JudgeKept;
  /** Ids of the machines that are told when a study has come to rest. */
  readonly notified: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** In one request for storage commitment. */
export const commitmentMost = 10_000;
const shownMost = 500;
/** Of the newest so many: where each lies is looked up. */
const lookedMost = 5_000;

export function createRelay(parts: RelayParts): Relay {
  const { archive, gate, peers, records, log } = parts;
  const judge = parts.judge ?? createJudgeKept({ ...parts, settled: archive.settled });
  const perform = performErrands({ ...parts, judge, add: (transfer) => outbox.add(transfer) });
  const outbox = createOutbox<Errand>({ ...parts, perform });
  let unwatch = () => {};

  const named = (id: string): Transfer => {
    const found = outbox.list().find((transfer) => transfer.id === id);
    if (found !== undefined) return found;
    throw new Problem("absent", "no such transfer", { remedy: "`leadglass transfers` lists those there are" });
  };
  /** Only of studies that lie in the actor's reach. */
  const isSeen = async (pass: Pass, { study }: Transfer): Promise<boolean> => {
    if (pass.reach.length === 0) return true;
    const subject = study === undefined ? undefined : await archive.subjectOf(study);
    return covers(pass.reach, subject?.facts);
  };
  const steer = (actor: Actor, id: string, work: (id: string) => Promise<Transfer>): Promise<Transfer> =>
    gate.pass(actor, "transfer.steer", undefined, async (pass) => {
      const transfer = named(id);
      if (!(await isSeen(pass, transfer))) named("");
      return work(id);
    });

  const announce = async (studyToken: string): Promise<void> => {
    for (const to of await parts.notified()) {
      const key = `announce ${to} ${studyToken}`;
      const errand = { does: "announce", studyToken } as const;
      await outbox.add({ key, kind: "announcement", to, study: studyToken, by: "system", priority: 2, errand });
    }
  };

  parts.routing.forwardBy(async (batch, changes) => {
    const { rule, to, studyToken: study, seriesUid, since } = batch;
    const key = ["route", rule, to, seriesUid, since].join(" ");
    const errand = { does: "route", batch, ...(changes && { changes }), sent: [] } as const;
    await outbox.add({ key, kind: "route", to, study, by: "system", priority: 1, errand });
  });

  return {
    async send(actor, { studyToken, to, seriesUids, commit }) {
      // Somebody who may not send learns nothing of machines, and what is told of one stands in the entry.
      const [subject, ae] = await Promise.all([archive.subjectOf(studyToken), peers.titleOf(to).catch(() => "")]);
      const only = seriesUids === undefined ? {} : { seriesUids: [...new Set(seriesUids)].sort() };
      return gate.pass(
        actor,
        "study.send",
        subject,
        async () => {
          if (subject === undefined)
            throw new Problem("absent", "not found", { remedy: "a search shows what there is" });
          await peers.titleOf(to);
          const key = ["send", to, studyToken, commit, ...(only.seriesUids ?? [])].join(" ");
          const errand = { does: "send", studyToken, ...only, commit, sent: [] } as const;
          return outbox.add({ key, kind: "send", to, study: studyToken, by: actor.id, priority: 1, errand });
        },
        { Destination: ae },
      );
    },
    fetch: (actor, from, studyUid) =>
      gate.pass(actor, "archive.fetch", machine(from), async () => {
        await peers.titleOf(from);
        const errand = { does: "fetch", studyUid } as const;
        const key = ["fetch", from, studyUid].join(" ");
        return outbox.add({ key, kind: "fetch", to: from, by: actor.id, priority: 1, errand });
      }),
    find: (actor, at, keys) => gate.pass(actor, "archive.query", machine(at), () => peers.find(at, keys)),
    list: (actor, studyToken) =>
      gate.pass(actor, "transfer.read", undefined, async (pass) => {
        if (isNowhere(pass.reach)) return [];
        const seen: Transfer[] = [];
        for (const transfer of outbox.list().slice(0, lookedMost)) {
          if (seen.length >= shownMost) break;
          if (studyToken !== undefined && transfer.study !== studyToken) continue;
          if (await isSeen(pass, transfer)) seen.push(transfer);
        }
        return seen;
      }),
    follow: (actor, id, tell, signal) =>
      gate.pass(actor, "transfer.read", undefined, async (pass) => {
        if (!(await isSeen(pass, named(id)))) named("");
        return untilOver(outbox, named(id), tell, signal);
      }),
    retry: (actor, id) => steer(actor, id, outbox.retry),
    cancel: (actor, id) => steer(actor, id, outbox.cancel),
    commitmentAsked: (actor, device, { transactionUid, references }) =>
      gate.pass(actor, "commitment.request", machine(device), async () => {
        if (references.length > commitmentMost) {
          throw new Problem("too-large", `a storage commitment names at most ${commitmentMost} instances`);
        }
        const key = ["report", device, transactionUid].join(" ");
        const errand = { does: "report", transactionUid, references: referencesOf(references) } as const;
        await outbox.add({ key, kind: "commitment-report", to: device, by: actor.id, priority: 0, errand });
      }),
    commitmentAnswered: (actor, device, { transactionUid, keptUids }) =>
      gate.pass(actor, "commitment.answer", machine(device), async () => {
        const { id, to, state } = named(records.idOf("transfer", askKey(transactionUid)));
        if (to !== device) named("");
        // A machine that did not hear us say so says it again.
        if (state === "done" || state === "cancelled") return;
        const kept = new Set(keptUids);
        await outbox.wake(id, (errand) => {
          if (errand.does !== "ask") return errand;
          const lost = instancesOf(errand.references).filter(({ sopInstanceUid }) => !kept.has(sopInstanceUid));
          return { ...errand, isAsked: true, notKept: lost.length };
        });
      }),
    async begin() {
      await outbox.begin();
      unwatch = archive.watch((studyToken) => {
        announce(studyToken).catch((error) => log.warn("machines were not told of a study", {}, error));
      });
    },
    async close() {
      unwatch();
      await outbox.close();
    },
  };
}

/** Only what looks like a token of ours goes into the log; anything else came from the caller. */
function machine(id: string) {
  return { kind: "device", id: /^[0-9a-f]{32}$/.test(id) ? id : "unknown" } as const;
}

function untilOver(
  { watch }: Pick<Outbox<Errand>, "watch">,
  begun: Transfer,
  tell: (transfer: Transfer) => void,
  signal: AbortSignal,
): Promise<Transfer> {
  const over = Promise.withResolvers<Transfer>();
  const look = (transfer: Transfer) => {
    if (transfer.id !== begun.id) return;
    if (transfer.state === "waiting" || transfer.state === "running") tell(transfer);
    else over.resolve(transfer);
  };
  const leave = () => over.reject(new Problem("unavailable", "nobody waits for this any more"));
  signal.addEventListener("abort", leave);
  const unwatch = watch(look);
  look(begun);
  return over.promise.finally(() => {
    unwatch();
    signal.removeEventListener("abort", leave);
  });
}
