import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, Problem, type ProblemCode } from "#base/problem";
import type { AuditSubject } from "#trust/audit";
import type { AccessStore, RequestState, StoredRequest } from "./access-store.ts";
import { type Actor, actorOf, type PairAct } from "./acts.ts";
import type { Gate, Pass } from "./gate.ts";
import type { Grants } from "./grants.ts";
import type { Policy } from "./policy.ts";
import type { SecretBox } from "./secret-box.ts";
import type { SignIn } from "./sign-in.ts";

/**
 * Does the act, as often as it is called: after a crash in the middle it is called again, and the second time finds done what
 * the first did. `pass.on` says on what; nobody but a pair gets a pass for such an act. Once `stopping` is aborted it may
 * reject at any point and goes on at the next start. What it resolves with is JSON, for who asked.
 */
export type Perform = (pass: Pass, stopping: AbortSignal) => Promise<unknown>;

/** What the second person is told of the act, in their words: `{ Images: "124" }`. Put together by the server. */
export type ActDetail = Readonly<Record<string, string>>;

/** An act that was asked for and that somebody else has to confirm. */
export interface Confirmation {
  readonly id: string;
  readonly act: PairAct;
  readonly on: AuditSubject;
  readonly detail: ActDetail;
  /** Actor ids. */
  readonly requestedBy: string;
  readonly requestedAt: number;
  readonly endsAt: number;
  readonly state: RequestState | "expired";
  readonly decidedBy?: string;
  readonly decidedAt?: number;
  /** What came of it, for who asked and nobody else. */
  readonly result?: unknown;
  /** Why it failed. */
  readonly problem?: { readonly code: ProblemCode; readonly message: string; readonly remedy?: string };
}

/**
 * Dual control: what one person must not do alone is asked for by one and confirmed by another, who is an administrator,
 * signed in, and shows the second factor again. Then it is done, once.
 */
export interface Confirmations {
  /** Problem `conflict` with fewer than two administrators, and when the same is asked for already. */
  request(actor: Actor, act: PairAct, on: AuditSubject, detail: ActDetail): Promise<Confirmation>;
  /** The newest first. What ended some days ago is no longer there. */
  list(actor: Actor): Promise<Confirmation[]>;
  read(actor: Actor, id: string): Promise<Confirmation>;
  /** Resolves when it is confirmed and begun. Problem `conflict` when it is not there to be confirmed (any more), or not by them. */
  confirm(actor: Actor, id: string, code: string): Promise<Confirmation>;
  refuse(actor: Actor, id: string): Promise<Confirmation>;
  /** By who asked. */
  withdraw(actor: Actor, id: string): Promise<Confirmation>;
  /** Called with the id of each that changes, but not when one's time is over. Returns how to stop watching. */
  watch(listener: (id: string) => void): () => void;
  /**
   * More of an act that is done, as the pair and with an entry of its own: what was confirmed is handed out piece by piece. For who
   * asked, and nobody else: Problem `absent`. How much and how long is for the act's own side to say.
   */
  goOn<T>(
    actor: Actor,
    id: string,
    act: PairAct,
    on: AuditSubject,
    work: (pass: Pass, confirmation: Confirmation) => Promise<T>,
  ): Promise<T>;
  /** At the start of a server: what was confirmed and not finished when the last one stopped is done now. */
  resume(): Promise<void>;
  /** Asks what is being done to stop and waits for it. */
  close(): Promise<void>;
}

export interface ConfirmationParts {
  readonly store: AccessStore;
  readonly grants: Pick<Grants, "holdersOf">;
  readonly policy: Policy;
  readonly gate: Gate;
  readonly signIn: Pick<SignIn, "secondFactorIs">;
  /** Seals what is told and what came of it: they rest in the database. */
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly perform: Partial<Record<PairAct, Perform>>;
  /** How long there is to confirm. */
  readonly minutes?: number;
}

const minutesDefault = 30;
const pendingMax = 100;
/** How often an act is begun: one that takes the server down with it is not begun again for ever. */
const begunMax = 3;
/** What came of it can be fetched so long. */
const keptMs = 72 * 3_600_000;

export function createConfirmations(parts: ConfirmationParts): Confirmations {
  const { store, grants, policy, gate, signIn, box, clock, random, minutes = minutesDefault } = parts;
  const listeners = new Set<(id: string) => void>();
  const tell = (id: string) => {
    for (const listener of listeners) listener(id);
  };
  const opened = (request: StoredRequest, actor: Actor) => openRequest(request, actor, { box, now: clock.now() });
  const doing = createDoing(parts, tell);

  /** Loads it first, so that the entry in the log says what it is about. */
  const decide = async (
    actor: Actor,
    act: "confirmation.read" | "confirmation.confirm" | "confirmation.refuse" | "confirmation.withdraw",
    id: string,
    work: (request: StoredRequest) => Promise<void>,
  ): Promise<StoredRequest> => {
    const request = await store.request(id);
    const on = { kind: "confirmation", id: request === undefined ? "unknown" : entryOf(request) } as const;
    await gate.pass(actor, act, on, async () => {
      if (request === undefined) throw absent();
      await work(request);
    });
    return (await store.request(id)) ?? Promise.reject(absent());
  };
  const move = async (request: StoredRequest, to: Change): Promise<void> => {
    requirePending(request, clock.now());
    if (await store.moveRequest(request, { ...to, decidedAt: clock.now() })) return;
    const moved = await store.request(request.id);
    if (moved !== undefined) requirePending(moved, clock.now());
    throw new Problem("conflict", "somebody else is deciding this", { remedy: "look again" });
  };

  return {
    async request(actor, act, on, detail) {
      const request = newRequest(actor, act, on, { box, random, now: clock.now(), minutes, detail });
      // The entry comes first: nothing can be confirmed that is not in the log.
      await gate.pass(actor, "confirmation.request", { kind: "confirmation", id: entryOf(request) }, async () => {
        if (parts.perform[act] === undefined) throw new Problem("unsupported", "this server cannot do that");
        requireTwo(grants);
        await store.removeRequests(clock.now() - keptMs);
        requireNew(request, await store.requests(), clock.now());
      });
      await store.addRequest(request);
      tell(request.id);
      return opened(request, actor);
    },
    list: (actor) =>
      gate.pass(actor, "confirmation.read", undefined, async () =>
        (await store.requests())
          .filter(({ requestedAt }) => requestedAt >= clock.now() - keptMs)
          .map((request) => opened(request, actor)),
      ),
    read: async (actor, id) => opened(await decide(actor, "confirmation.read", id, async () => {}), actor),
    async confirm(actor, id, code) {
      let taken: StoredRequest | undefined;
      const putBack = async (error: unknown): Promise<never> => {
        // Its entry is not in the log, or it could not be begun: as if nobody had confirmed.
        if (taken !== undefined) await store.moveRequest({ ...taken, state: "confirmed" }, unconfirmed);
        throw error;
      };
      const confirmed = await decide(actor, "confirmation.confirm", id, async (request) => {
        requirePending(request, clock.now());
        requireOther(actor, request, grants);
        requireTwo(grants);
        if (!(await signIn.secondFactorIs(accountIdOf(actor.id), code))) throw wrongCode();
        await move(request, { state: "confirmed", decidedBy: actor.id });
        taken = request;
      }).catch(putBack);
      await doing.begin(confirmed).catch(putBack);
      tell(id);
      return opened(confirmed, actor);
    },
    async refuse(actor, id) {
      const refused = await decide(actor, "confirmation.refuse", id, async (request) => {
        if (request.requestedBy === actor.id)
          throw new Problem("conflict", "you asked for this", { remedy: "withdraw it" });
        await move(request, { state: "refused", decidedBy: actor.id });
      });
      tell(id);
      return opened(refused, actor);
    },
    async withdraw(actor, id) {
      const withdrawn = await decide(actor, "confirmation.withdraw", id, async (request) => {
        if (request.requestedBy !== actor.id) {
          throw new Problem("conflict", "somebody else asked for this", { remedy: "refuse it" });
        }
        await move(request, { state: "withdrawn", decidedBy: actor.id });
      });
      tell(id);
      return opened(withdrawn, actor);
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async goOn(actor, id, act, on, work) {
      const request = await store.request(id);
      const isTheirs =
        request?.requestedBy === actor.id &&
        request.act === act &&
        policy.decide(actor, "confirmation.request").isAllowed;
      if (request === undefined || !isTheirs || request.state !== "done") {
        await decide(actor, "confirmation.read", id, async () => {});
        throw absent();
      }
      return gate.pass(actorOf("pair", id), act, on, (pass) => work(pass, opened(request, actor)));
    },
    resume: doing.resume,
    close: doing.close,
  };
}

type Change = Parameters<AccessStore["moveRequest"]>[1];

const unconfirmed = { state: "pending", decidedBy: "", decidedAt: 0 } as const;

/** The act itself, once it is confirmed. */
function createDoing({ store, gate, box, log, perform }: ConfirmationParts, tell: (id: string) => void) {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();

  const finish = async (request: StoredRequest, to: Change): Promise<void> => {
    await store.moveRequest(request, to);
    tell(request.id);
  };
  const failed = (id: string, { code, message, remedy }: Problem) => {
    const problem = { code, message, ...(remedy !== undefined && { remedy }) };
    return { state: "failed", resultSealed: sealed(box, resultPurpose(id), { problem }) } as const;
  };

  const outcomeOf = async ({ id, act, begun, subjectKind, subjectId }: StoredRequest): Promise<Change> => {
    const on = { kind: subjectKind, id: subjectId } as AuditSubject;
    const work = perform[act as PairAct];
    try {
      if (work === undefined) throw new Problem("unsupported", "this server cannot do that");
      const result = await gate.pass(actorOf("pair", id), act as PairAct, on, (pass) => work(pass, stopping.signal));
      return { state: "done", resultSealed: sealed(box, resultPurpose(id), { result }) };
    } catch (error) {
      // A stop is not the act's fault, and the next start goes on; it does not count among the times it took the server down.
      if (stopping.signal.aborted) return { begun: Math.max(1, begun - 1) };
      const problem = asProblem(error, "doing what was confirmed");
      log.error("what was confirmed failed", { act }, problem);
      return failed(id, problem);
    }
  };
  /** From here on the act may be done: it is counted before it begins. */
  const begin = async (request: StoredRequest): Promise<void> => {
    const begun = request.begun + 1;
    if (!(await store.moveRequest(request, { begun }))) return;
    const ran = outcomeOf({ ...request, begun })
      .then((outcome) => finish({ ...request, begun }, outcome))
      // Still confirmed: the next start does it again and finds it done.
      .catch((error) => log.error("the outcome of what was confirmed could not be kept", { act: request.act }, error))
      .finally(() => running.delete(ran));
    running.add(ran);
  };
  return {
    begin,
    async resume() {
      for (const request of (await store.requests()).filter(({ state }) => state === "confirmed")) {
        // Never begun: the log may not have the confirmation.
        if (request.begun === 0) await finish(request, unconfirmed);
        else if (request.begun < begunMax) await begin(request);
        else {
          const message = `the server stopped ${begunMax} times while it did this`;
          const remedy = "see the log of the server, then ask again";
          await finish(request, failed(request.id, new Problem("fault", message, { remedy })));
        }
      }
    },
    async close() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

function newRequest(
  actor: Actor,
  act: PairAct,
  on: AuditSubject,
  from: { box: SecretBox; random: Random; now: number; minutes: number; detail: ActDetail },
): StoredRequest {
  // A UID or a name here would stand in the database and in the log.
  if (!/^[0-9a-z-]{1,64}$/.test(on.id)) throw new Problem("invalid", "the object of an act is named by its token");
  const id = newToken(from.random);
  return {
    id,
    act,
    subjectKind: on.kind,
    subjectId: on.id,
    requestedBy: actor.id,
    requestedAt: from.now,
    endsAt: from.now + Math.round(from.minutes * 60_000),
    state: "pending",
    decidedBy: "",
    decidedAt: 0,
    begun: 0,
    detailSealed: sealed(from.box, detailPurpose(id), from.detail),
    resultSealed: new Uint8Array(0),
  };
}

/** How the log names a request: with what was asked for, so that each entry can be read alone. */
const entryOf = ({ id, act, subjectKind, subjectId }: StoredRequest) => `${id} ${act} ${subjectKind} ${subjectId}`;

const detailPurpose = (id: string) => `request ${id}`;
const resultPurpose = (id: string) => `result ${id}`;
const sealed = (box: SecretBox, purpose: string, value: unknown) =>
  box.seal(purpose, Buffer.from(JSON.stringify(value)));
const unsealed = (box: SecretBox, purpose: string, bytes: Uint8Array): unknown =>
  JSON.parse(Buffer.from(box.open(purpose, bytes)).toString("utf8"));

const accountIdOf = (actorId: string) => actorId.slice(actorId.indexOf(":") + 1);

function openRequest(
  request: StoredRequest,
  actor: Actor,
  { box, now }: { box: SecretBox; now: number },
): Confirmation {
  const { id, requestedBy, requestedAt, endsAt, decidedBy, decidedAt, resultSealed } = request;
  const outcome = (resultSealed.length === 0 ? {} : unsealed(box, resultPurpose(id), resultSealed)) as Pick<
    Confirmation,
    "result" | "problem"
  >;
  return {
    id,
    act: request.act as PairAct,
    on: { kind: request.subjectKind, id: request.subjectId } as AuditSubject,
    detail: unsealed(box, detailPurpose(id), request.detailSealed) as ActDetail,
    requestedBy,
    requestedAt,
    endsAt,
    state: isExpired(request, now) ? "expired" : request.state,
    ...(decidedBy !== "" && { decidedBy, decidedAt }),
    ...(outcome.result !== undefined && requestedBy === actor.id && { result: outcome.result }),
    ...(outcome.problem !== undefined && { problem: outcome.problem }),
  };
}

const isExpired = ({ state, endsAt }: StoredRequest, now: number) => state === "pending" && endsAt <= now;

function requirePending(request: StoredRequest, now: number): void {
  if (isExpired(request, now))
    throw new Problem("conflict", "the time to confirm this is over", { remedy: "ask again" });
  if (request.state === "pending") return;
  const said = {
    confirmed: "this was confirmed already",
    done: "this was confirmed and done already",
    failed: "this was confirmed already, and failed",
    refused: "this was refused",
    withdrawn: "this was withdrawn",
  }[request.state];
  throw new Problem("conflict", said, { remedy: request.state === "done" ? "nothing is left to do" : "ask again" });
}

/** Not who asked, and on behalf of somebody who may still ask. The gate has seen that the actor is an administrator. */
function requireOther(actor: Actor, { requestedBy }: StoredRequest, grants: ConfirmationParts["grants"]): void {
  if (requestedBy === actor.id) {
    throw new Problem("conflict", "who asked cannot confirm", { remedy: "another administrator confirms" });
  }
  if (!requestedBy.startsWith("user:")) return;
  if (grants.holdersOf("administrator").includes(requestedBy)) return;
  throw new Problem("conflict", "who asked is no longer an administrator", { remedy: "refuse it" });
}

function requireTwo(grants: ConfirmationParts["grants"]): void {
  if (grants.holdersOf("administrator").filter((holder) => holder.startsWith("user:")).length >= 2) return;
  const remedy = "make a second one: leadglass user add NAME";
  throw new Problem("conflict", "this needs two administrators, one to confirm what the other asks for", { remedy });
}

function requireNew(request: StoredRequest, all: readonly StoredRequest[], now: number): void {
  const open = all.filter((one) => one.state === "confirmed" || (one.state === "pending" && !isExpired(one, now)));
  const same = open.find(
    ({ act, subjectKind, subjectId }) =>
      act === request.act && subjectKind === request.subjectKind && subjectId === request.subjectId,
  );
  if (same !== undefined) {
    throw new Problem("conflict", "this is asked for already", { remedy: `leadglass confirmation wait ${same.id}` });
  }
  if (open.length < pendingMax) return;
  throw new Problem("busy", "too much waits to be confirmed", { remedy: "confirm, refuse or withdraw some of it" });
}

const absent = () =>
  new Problem("absent", "no such request", { remedy: "leadglass confirmation list shows those there are" });
const wrongCode = () =>
  new Problem("invalid", "the code is wrong, or was used before", {
    remedy: "wait for the next code that your authenticator shows",
  });
