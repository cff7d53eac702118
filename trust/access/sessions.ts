import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import { type Actor, actorOf, type Role } from "./acts.ts";
import type { Grants } from "./grants.ts";
import type { SecretBox } from "./secret-box.ts";
import { digestOf, newSecret } from "./secrets.ts";
import type { Session, SessionStore } from "./session-store.ts";

/** Who holds a session secret. */
export interface SignedIn {
  readonly actor: Actor;
  readonly session: Session;
}

/** Where somebody signed in: shown to its owner, so that a foreign session is noticed. */
export interface BrowserFacts {
  readonly userAgent: string;
  readonly address: string;
}

export interface SessionFacts extends BrowserFacts {
  /** The digest of its secret: names it, opens nothing. */
  readonly id: string;
  readonly holder: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

/**
 * Signed-in browsers. All that are live are in memory, written through: a request costs no read, and what is ended counts no more from
 * that moment on, whatever it had open.
 */
export interface Sessions {
  /** Only for who has just proved who they are. */
  begin(holder: string, from: BrowserFacts): Promise<{ readonly secret: string; readonly session: Session }>;
  /** Undefined when it is unknown, idle too long or over, or its holder has no grant left. Only `use` keeps it alive. */
  of(secret: string, reason?: "use" | "watch"): SignedIn | undefined;
  /** Whether the session of this id (the digest of its secret) still holds. */
  isLive(id: string): boolean;
  /** Its holder has proved again who they are. */
  provedAgain(session: Session): Promise<void>;
  /** Of one holder, or everybody's; the last used first. */
  list(holder?: string): SessionFacts[];
  /** False when there is none of this id, or not of this holder. */
  end(id: string, holder?: string): Promise<boolean>;
  endAllOf(holder: string, except?: Session): Promise<void>;
  /** Tells whose sessions were ended by somebody (not by time). Returns how to stop. */
  watchEnded(listener: (holder: string) => void): () => void;
}

interface Limits {
  readonly idleMinutes: number;
  readonly hours: number;
}

/** How long a session lasts unused, and at all. Of several roles the strictest counts. */
const limitsOf: Readonly<Record<Role, Limits>> = {
  administrator: { idleMinutes: 15, hours: 8 },
  radiologist: { idleMinutes: 30, hours: 12 },
  technologist: { idleMinutes: 30, hours: 12 },
  "front-desk": { idleMinutes: 15, hours: 10 },
  referrer: { idleMinutes: 15, hours: 8 },
  patient: { idleMinutes: 15, hours: 1 },
  researcher: { idleMinutes: 30, hours: 8 },
  auditor: { idleMinutes: 15, hours: 8 },
  service: { idleMinutes: 15, hours: 1 },
  guest: { idleMinutes: 30, hours: 8 },
  recipient: { idleMinutes: 30, hours: 8 },
};

/** A session's last use is written at most this often: reads must not each cost a write. */
const touchEveryMs = 60_000;
/** The one that was used longest ago ends when somebody begins more. */
const sessionsOfOneMax = 20;
export const recentMs = 5 * 60_000;

export interface SessionsParts {
  readonly store: SessionStore & { removeEnded(before: number): Promise<void> };
  readonly grants: Pick<Grants, "liveOf" | "watchEnded">;
  readonly box: SecretBox;
  readonly random: Random;
  readonly clock: Clock;
}

interface Held {
  session: Session;
  readonly actor: Actor;
}

export async function createSessions(parts: SessionsParts): Promise<Sessions> {
  const { store, grants, box, random, clock } = parts;
  const held = new Map<string, Held>();
  const listeners = new Set<(holder: string) => void>();

  const isLive = ({ session }: Held): boolean => {
    if (!held.has(session.digest)) return false;
    const now = clock.now();
    const limits = strictest(grants.liveOf(session.holder).map(({ role }) => role));
    if (limits === undefined) return false;
    const isOver = session.endsAt <= now || session.createdAt + limits.hours * 3_600_000 <= now;
    return !isOver && session.lastSeenAt + limits.idleMinutes * 60_000 > now;
  };
  const hold = (session: Session): Held => {
    const one: Held = { session, actor: actorOfHolder(session.holder, () => isLive(one)) };
    held.set(session.digest, one);
    return one;
  };
  const of = (holder?: string) =>
    [...held.values()]
      .filter(({ session }) => holder === undefined || session.holder === holder)
      .sort((a, b) => b.session.lastSeenAt - a.session.lastSeenAt || b.session.createdAt - a.session.createdAt);
  const touch = (one: Held, times: Partial<Pick<Session, "lastSeenAt" | "authenticatedAt">>): Promise<void> => {
    one.session = { ...one.session, ...times };
    return store.touchSession(one.session.digest, one.session);
  };
  const drop = async (ended: readonly Held[]): Promise<void> => {
    // At once, whatever the disk says afterwards.
    for (const { session } of ended) held.delete(session.digest);
    for (const holder of new Set(ended.map(({ session }) => session.holder)))
      for (const listener of listeners) listener(holder);
    for (const { session } of ended) await store.endSession(session.digest);
  };
  const endAllOf = (holder: string, except?: Session): Promise<void> =>
    drop(of(holder).filter(({ session }) => session.digest !== except?.digest));

  await store.removeEnded(clock.now());
  for (const session of await store.sessions()) hold(session);
  grants.watchEnded((holder) => {
    // It counts no more already, without a grant; what is left on disk goes with the next start if this fails.
    if (grants.liveOf(holder).length === 0) endAllOf(holder).catch(() => {});
  });

  return {
    async begin(holder, from) {
      const limits = strictest(grants.liveOf(holder).map(({ role }) => role));
      if (limits === undefined) throw nothingGranted();
      await drop([...held.values()].filter((one) => !isLive(one)));
      await drop(of(holder).slice(sessionsOfOneMax - 1));
      const secret = newSecret(random);
      const digest = digestOf(secret);
      const now = clock.now();
      const session: Session = {
        ...{ digest, holder, createdAt: now, authenticatedAt: now, lastSeenAt: now },
        endsAt: now + limits.hours * 3_600_000,
        fromSealed: box.seal(purposeOf(digest), Buffer.from(JSON.stringify(shortened(from)), "utf8")),
      };
      await store.addSession(session);
      hold(session);
      return { secret, session };
    },
    of(secret, reason = "use") {
      const one = held.get(digestOf(secret));
      if (one === undefined || !isLive(one)) return undefined;
      const now = clock.now();
      // Written behind: a power cut forgets at most that somebody went on for a minute.
      if (reason === "use" && now - one.session.lastSeenAt >= touchEveryMs)
        touch(one, { lastSeenAt: now }).catch(() => {});
      return { actor: one.actor, session: one.session };
    },
    isLive(id) {
      const one = held.get(id);
      return one !== undefined && isLive(one);
    },
    async provedAgain({ digest }) {
      const one = held.get(digest);
      const now = clock.now();
      if (one !== undefined) await touch(one, { lastSeenAt: now, authenticatedAt: now });
    },
    list: (holder) =>
      of(holder)
        .filter(isLive)
        .map(({ session: { digest, fromSealed, ...facts } }) => {
          const from = JSON.parse(
            Buffer.from(box.open(purposeOf(digest), fromSealed)).toString("utf8"),
          ) as BrowserFacts;
          return {
            ...from,
            id: digest,
            holder: facts.holder,
            createdAt: facts.createdAt,
            lastSeenAt: facts.lastSeenAt,
          };
        }),
    async end(id, holder) {
      const one = held.get(id);
      if (one === undefined || (holder !== undefined && one.session.holder !== holder)) return false;
      await drop([one]);
      return true;
    },
    endAllOf,
    watchEnded(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Throws Problem `unproven` unless the holder of this session proved within these last minutes who they are. */
export function requireRecent(session: Session, clock: Clock, withinMs = recentMs): void {
  if (clock.now() - session.authenticatedAt <= withinMs) return;
  throw new Problem("unproven", "show again that it is you", { remedy: "use a passkey or a code" });
}

function strictest(roles: readonly Role[]): Limits | undefined {
  if (roles.length === 0) return undefined;
  const limits = roles.map((role) => limitsOf[role]);
  return {
    idleMinutes: Math.min(...limits.map(({ idleMinutes }) => idleMinutes)),
    hours: Math.min(...limits.map(({ hours }) => hours)),
  };
}

function actorOfHolder(holder: string, isLive: () => boolean): Actor {
  const [kind, token] = [holder.slice(0, holder.indexOf(":")), holder.slice(holder.indexOf(":") + 1)];
  if (kind !== "user" && kind !== "share") throw new Problem("fault", "a session of somebody who cannot have one");
  return actorOf(kind, token, { isLive });
}

const purposeOf = (digest: string) => `session ${digest}`;

const shortened = ({ userAgent, address }: BrowserFacts): BrowserFacts => ({
  userAgent: userAgent.slice(0, 256),
  address: address.slice(0, 64),
});

function nothingGranted(): Problem {
  return new Problem("denied", "nothing is granted to this account any more", { remedy: "ask an administrator" });
}
