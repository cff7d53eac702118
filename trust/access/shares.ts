import type { Clock, Timer } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import { type Actor, actorOf, system } from "./acts.ts";
import { createAttempts } from "./attempts.ts";
import type { Gate, Subject } from "./gate.ts";
import type { Grant, Purpose } from "./grant-store.ts";
import type { Grants } from "./grants.ts";
import { covers } from "./place.ts";
import type { Policy } from "./policy.ts";
import type { SecretBox } from "./secret-box.ts";
import { digestOf, newSecret } from "./secrets.ts";
import type { Session } from "./session-store.ts";
import type { BrowserFacts, Sessions } from "./sessions.ts";
import type { ShareMode, ShareStore, StoredShare } from "./share-store.ts";

export interface ShareTerms {
  /** Token of the study. */
  readonly study: string;
  readonly mode: ShareMode;
  readonly days: number;
  readonly purpose: Purpose;
  /** Who it is for. */
  readonly recipient: string;
  readonly note: string;
}

export interface Share extends Omit<StoredShare, "digest" | "codeDigest" | "aboutSealed"> {
  readonly recipient: string;
  readonly note: string;
  readonly isLive: boolean;
  /** 0 and empty until somebody ended it. */
  readonly endedAt: number;
  readonly endedBy: string;
}

/**
 * Links to one study for somebody outside. Who has the secret of the link and the code, which goes another way, gets a session of an
 * actor `share:…` that holds one grant on that study. A share holds while its grant does, and while its maker might still make it.
 */
export interface Shares {
  /** Secret and code are told this once. Problem `conflict` where the maker may not take away what the link would give. */
  make(
    actor: Actor,
    terms: ShareTerms,
  ): Promise<{ readonly share: Share; readonly secret: string; readonly code: string }>;
  /** Problem `absent` for a secret that is none or has ended, `invalid` for a wrong code, `busy` after five of these. */
  open(
    secret: string,
    code: string,
    from: BrowserFacts,
  ): Promise<{ readonly share: Share; readonly secret: string; readonly session: Session }>;
  /** The share that this actor came by. */
  opened(actor: Actor): Promise<Share>;
  /** One's own, and those of studies in one's reach; the newest first. */
  list(actor: Actor, study?: string): Promise<Share[]>;
  /** Whoever opened it is out at once. Problem `absent` when there is none in reach. */
  end(actor: Actor, id: string): Promise<void>;
  /** Who a share was made for, by its actor id. */
  recipients(): Promise<ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

export interface SharesParts {
  readonly store: ShareStore;
  readonly grants: Pick<Grants, "giveWith" | "endAllOf" | "liveOf" | "list" | "watchEnded">;
  readonly policy: Policy;
  readonly gate: Gate;
  readonly sessions: Pick<Sessions, "begin">;
  readonly subjectOf: (studyToken: string) => Promise<Subject | undefined>;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const dayMs = 86_400_000;
const daysMost = 30;
/** A maker whose own access was over by time is noticed within this. */
const lookEveryMs = 20_000;
const codeDigits = 8;
const slowing = { free: 5, firstPauseMs: 2_000, longestPauseMs: 15 * 60_000 };

export async function createShares(parts: SharesParts): Promise<Shares> {
  const { store, grants, policy, gate, sessions, subjectOf, box, clock, random } = parts;
  const attempts = createAttempts(clock);
  const isLive = ({ id }: Pick<StoredShare, "id">) => grants.liveOf(holderOf(id)).length > 0;
  const viewed = (share: StoredShare, ended: Grant | undefined): Share => {
    const { digest: _digest, codeDigest: _code, aboutSealed, ...rest } = share;
    const { endedAt = 0, endedBy = "" } = ended ?? {};
    return { ...rest, ...aboutOf(box, share.id, aboutSealed), isLive: isLive(share), endedAt, endedBy };
  };
  const upkeep = createUpkeep(parts, (await store.shares()).filter(isLive));

  const list: Shares["list"] = (actor, study) =>
    gate.pass(actor, "share.read", undefined, async ({ reach }) => {
      const found = (await store.shares()).filter((share) => study === undefined || share.study === study);
      const ended = new Map((await grants.list()).filter(isOfShare).map((grant) => [grant.holder, grant]));
      const seen = await within(found, (share) => isTheirs(share, actor, reach));
      return seen.map((share) => viewed(share, ended.get(holderOf(share.id))));
    });
  const isTheirs = async (share: StoredShare, actor: Actor, reach: Parameters<typeof covers>[0]) =>
    share.madeBy === actor.id || covers(reach, (await subjectOf(share.study))?.facts);

  return {
    async make(actor, terms) {
      const subject = await subjectOf(terms.study);
      return gate.pass(
        actor,
        "share.make",
        subject,
        async () => {
          if (subject === undefined) throw absent();
          requireTerms(terms);
          requireOwn(policy, actor, subject, terms.mode);
          const secret = newSecret(random);
          const code = newCode(random);
          const share = draft(actor, terms, { secret, code, box, random, now: clock.now() });
          const place = { kind: "study", id: share.study } as const;
          const role = share.mode === "download" ? "recipient" : "guest";
          const granted = [{ role, place, purpose: share.purpose, endsAt: share.endsAt } as const];
          await grants.giveWith(holderOf(share.id), granted, actor, (given) => store.addShare(share, given));
          upkeep.add(share);
          return { share: viewed(share, undefined), secret, code };
        },
        { recipient: terms.recipient },
      );
    },
    async open(typed, code, from) {
      const share = await store.shareOf(digestOf(typed));
      if (share === undefined || !(await upkeep.holds(share))) throw absent();
      // Counted for this share alone, and only against who has its secret: a stranger cannot stop anybody.
      const isRight = async () => digestOf(`${typed} ${code.replace(/\s/g, "")}`) === share.codeDigest || undefined;
      if (!(await attempts.make([{ key: share.id, slowing }], isRight))) {
        throw new Problem("invalid", "the code is wrong", { remedy: "ask who gave you the link for its code" });
      }
      const actor = actorOf("share", share.id);
      const begun = await gate.pass(actor, "session.begin", { kind: "share", id: share.id }, async () => {
        const session = await sessions.begin(actor.id, from);
        await store.useShare(share.id, clock.now());
        return session;
      });
      return { share: viewed(share, undefined), ...begun };
    },
    opened: (actor) =>
      gate.pass(actor, "session.read", undefined, async () => {
        const share = (await store.shares()).find(({ id }) => holderOf(id) === actor.id);
        if (share === undefined) throw absent();
        return viewed(share, undefined);
      }),
    list,
    end: (actor, id) =>
      gate.pass(actor, "share.end", { kind: "share", id: /^[0-9a-f]{32}$/.test(id) ? id : "unknown" }, async (pass) => {
        const share = (await store.shares()).find((one) => one.id === id);
        if (share === undefined || !isLive(share) || !(await isTheirs(share, actor, pass.reach))) throw absent();
        await grants.endAllOf(holderOf(id), actor);
      }),
    async recipients() {
      const all = await store.shares();
      return new Map(all.map(({ id, aboutSealed }) => [holderOf(id), aboutOf(box, id, aboutSealed).recipient]));
    },
    close: upkeep.close,
  };
}

/** Ends shares whose maker might not make them any more: at once when somebody ended the maker's grants, soon when these ran out. */
function createUpkeep({ grants, policy, subjectOf, clock, log }: SharesParts, found: readonly StoredShare[]) {
  const live = new Map(found.map((share) => [share.id, share]));
  const turns = createTurns();
  let timer: Timer | undefined;
  let isClosed = false;

  /** Whether it holds; one whose maker lost access is ended. */
  const holds = async (share: StoredShare): Promise<boolean> => {
    const holder = holderOf(share.id);
    if (grants.liveOf(holder).length === 0) {
      live.delete(share.id);
      return false;
    }
    const facts = (await subjectOf(share.study))?.facts;
    if (facts !== undefined && mayPassOn(policy, actorOfId(share.madeBy), facts, share.mode)) return true;
    await grants.endAllOf(holder, system);
    live.delete(share.id);
    return false;
  };
  const look = (which: (share: StoredShare) => boolean): void => {
    turns
      .take(async () => {
        for (const share of [...live.values()].filter(which)) await holds(share);
      })
      .catch((error) => log.warn("share links of who lost access were not ended yet", {}, error));
  };
  const lookAgain = () => {
    look(() => true);
    if (!isClosed) timer = clock.after(lookEveryMs, lookAgain);
  };
  const stopWatching = grants.watchEnded((holder) => look(({ madeBy }) => madeBy === holder));
  timer = clock.after(lookEveryMs, lookAgain);
  return {
    add: (share: StoredShare) => void live.set(share.id, share),
    holds,
    async close() {
      isClosed = true;
      stopWatching();
      timer?.stop();
      await turns.idle();
    },
  };
}

type Facts = NonNullable<Subject["facts"]>;

/** Whether an actor may give others what it has of a study itself. What was opened in an emergency is not passed on. */
function mayPassOn(policy: Policy, actor: Actor, facts: Facts, mode: ShareMode): boolean {
  const making = policy.decide(actor, "share.make", facts);
  if (!making.isAllowed || making.purpose === "break-glass") return false;
  return mode === "view" || policy.decide(actor, "study.read", facts).isAllowed;
}

function requireOwn(policy: Policy, actor: Actor, { facts }: Subject, mode: ShareMode): void {
  if (facts !== undefined && mayPassOn(policy, actor, facts, mode)) return;
  throw new Problem("conflict", "a link gives others no more than you have yourself", {
    remedy: "let others only look, or ask who may download",
  });
}

function requireTerms({ days, recipient, note, purpose }: ShareTerms): void {
  if (!Number.isInteger(days) || days < 1 || days > daysMost) {
    throw new Problem("invalid", `a link holds 1 to ${daysMost} days`);
  }
  if (recipient.trim() === "" || recipient.length > 200 || note.length > 500) {
    throw new Problem("invalid", "say who the link is for, in 1 to 200 characters, and no more than 500 beside");
  }
  if (purpose === "break-glass" || purpose === "research") {
    throw new Problem("invalid", "a link is for treatment, payment, operations or at the patient's request");
  }
}

function draft(
  actor: Actor,
  terms: ShareTerms,
  { secret, code, box, random, now }: { secret: string; code: string; box: SecretBox; random: Random; now: number },
): StoredShare {
  const id = newToken(random);
  const { study, mode, purpose, recipient, note, days } = terms;
  const about = Buffer.from(JSON.stringify({ recipient: recipient.trim(), note: note.trim() }), "utf8");
  const secrets = { digest: digestOf(secret), codeDigest: digestOf(`${secret} ${code}`) };
  const times = { madeBy: actor.id, madeAt: now, endsAt: now + days * dayMs, uses: 0, lastUsedAt: 0 };
  return { id, ...secrets, study, mode, purpose, ...times, aboutSealed: box.seal(boxPurpose(id), about) };
}

/** Each as likely as any other. */
function newCode(random: Random): string {
  const codes = 10 ** codeDigits;
  const fair = Math.floor(2 ** 32 / codes) * codes;
  for (;;) {
    const drawn = Buffer.from(random(new Uint8Array(4))).readUInt32BE();
    if (drawn < fair) return String(drawn % codes).padStart(codeDigits, "0");
  }
}

const holderOf = (id: string) => `share:${id}`;
const isOfShare = ({ holder, endedAt }: Grant) => holder.startsWith("share:") && endedAt !== 0;
const boxPurpose = (id: string) => `share ${id}`;

function aboutOf(box: SecretBox, id: string, sealed: Uint8Array): Pick<Share, "recipient" | "note"> {
  return JSON.parse(Buffer.from(box.open(boxPurpose(id), sealed)).toString("utf8")) as Pick<
    Share,
    "recipient" | "note"
  >;
}

/** Whoever made it, as the policy is asked about them now; their session is not needed any more. */
function actorOfId(id: string): Actor {
  const [kind = "", token = ""] = id.split(":");
  if (kind === "user" || kind === "client") return actorOf(kind, token);
  return { kind: kind === "operator" ? "operator" : "anonymous", id };
}

async function within<T>(all: readonly T[], isIn: (one: T) => Promise<boolean>): Promise<T[]> {
  const found = await Promise.all(all.map(isIn));
  return all.filter((_, at) => found[at]);
}

function absent(): Problem {
  return new Problem("absent", "not found", { remedy: "ask who gave you the link for another" });
}
