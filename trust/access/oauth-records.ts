import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { OauthRecordsStore } from "./oauth-records-store.ts";
import type { SecretBox } from "./secret-box.ts";
import { digestOf } from "./secrets.ts";

/** What a record says: JSON. */
export type OauthContent = Readonly<Record<string, unknown>>;

export interface OauthRecord {
  readonly content: OauthContent;
  /** Epoch milliseconds. */
  readonly endsAt: number;
}

/**
 * What the OAuth provider remembers: codes, tokens, grants, requests that wait. All that are live are in memory, written through: a request
 * that comes with a token costs no read of a database, and what is removed counts no more from that moment on, whatever the disk says.
 * At rest neither a secret nor its meaning can be read.
 */
export interface OauthRecords {
  find(kind: string, secret: string): OauthRecord | undefined;
  /** The one of this kind whose content has this value there. */
  findWhere(kind: string, name: "uid" | "userCode", value: string): OauthRecord | undefined;
  /** All of this kind that hold. */
  all(kind: string): OauthRecord[];
  put(kind: string, secret: string, content: OauthContent, endsAt: number): Promise<void>;
  /** The same, for what must not be there yet; false, changing nothing, when it is. */
  add(kind: string, secret: string, content: OauthContent, endsAt: number): Promise<boolean>;
  /** Marks it used; false when there is none or it was used before. Of two at once one gets true. */
  consume(kind: string, secret: string): Promise<boolean>;
  remove(kind: string, secret: string): Promise<void>;
  /** Removes what matches, at once. */
  removeWhere(matches: (kind: string, content: OauthContent) => boolean): Promise<void>;
}

interface Held extends OauthRecord {
  readonly kind: string;
  readonly digest: string;
}

const sweepEveryMs = 60_000;
/** What lasts minutes and anybody can have made: kept in memory alone, so that strangers write nothing to disk, and no more than so many. */
const fleeting = new Set(["Interaction", "PushedAuthorizationRequest", "DeviceCode", "AuthorizationCode", "Launch"]);
const fleetingMax = 20_000;

export async function createOauthRecords(parts: {
  readonly store: OauthRecordsStore;
  readonly box: SecretBox;
  readonly clock: Clock;
}): Promise<OauthRecords> {
  const { store, box, clock } = parts;
  const lasting = new Map<string, Held>();
  const brief = new Map<string, Held>();
  const mapOf = (kind: string) => (fleeting.has(kind) ? brief : lasting);
  const live = (one: Held | undefined) => (one !== undefined && one.endsAt > clock.now() ? one : undefined);
  const named = (kind: string, secret: string) => live(mapOf(kind).get(keyOf(kind, digestOf(`${kind} ${secret}`))));
  const all = (kind: string) => [...mapOf(kind).values()].filter((one) => one.kind === kind && live(one) !== undefined);
  for (const { kind, digest, sealed, endsAt } of await store.oauthRecords()) {
    lasting.set(keyOf(kind, digest), { kind, digest, endsAt, content: opened(box, kind, digest, sealed) });
  }

  const drop = async (ended: readonly Held[]): Promise<void> => {
    for (const { kind, digest } of ended) mapOf(kind).delete(keyOf(kind, digest));
    const stored = ended.filter(({ kind }) => !fleeting.has(kind));
    if (stored.length > 0) await store.removeOauthRecords(stored);
  };
  let sweptAt = Number.NEGATIVE_INFINITY;
  const sweep = async (): Promise<void> => {
    if (clock.now() - sweptAt < sweepEveryMs) return;
    sweptAt = clock.now();
    await drop([...lasting.values(), ...brief.values()].filter((one) => live(one) === undefined));
  };
  const keep = async ({ kind, digest, content, endsAt }: Held): Promise<void> => {
    if (fleeting.has(kind)) return;
    const sealed = box.seal(purposeOf(kind, digest), Buffer.from(JSON.stringify(content), "utf8"));
    await store.putOauthRecord({ kind, digest, sealed, endsAt });
  };
  const write = async (kind: string, secret: string, content: OauthContent, endsAt: number): Promise<void> => {
    const one: Held = { kind, content, endsAt, digest: digestOf(`${kind} ${secret}`) };
    const [map, key] = [mapOf(kind), keyOf(kind, one.digest)];
    const before = map.get(key);
    if (before === undefined && map === brief && brief.size >= fleetingMax) {
      throw new Problem("busy", "too many sign-ins are under way", { remedy: "try again in a few minutes" });
    }
    map.set(key, one);
    try {
      await keep(one);
    } catch (error) {
      // Not stored, so not there; what was removed meanwhile is not brought back.
      if (map.get(key) === one && before !== undefined) map.set(key, before);
      else if (map.get(key) === one) map.delete(key);
      throw error;
    }
    // Removed while it was being written: what is on disk goes too.
    if (map.get(key) === undefined) await drop([one]);
  };
  const put: OauthRecords["put"] = async (...record) => {
    await sweep();
    await write(...record);
  };

  return {
    find: named,
    findWhere: (kind, name, value) => all(kind).find(({ content }) => content[name] === value),
    all,
    put,
    async add(kind, secret, content, endsAt) {
      if (named(kind, secret) !== undefined) return false;
      await write(kind, secret, content, endsAt);
      return true;
    },
    async consume(kind, secret) {
      const one = named(kind, secret);
      if (one === undefined || one.content.consumed !== undefined) return false;
      const used: Held = { ...one, content: { ...one.content, consumed: Math.floor(clock.now() / 1000) } };
      mapOf(kind).set(keyOf(kind, one.digest), used);
      // If this fails it stays used until the next start.
      await keep(used);
      return true;
    },
    async remove(kind, secret) {
      const one = named(kind, secret);
      if (one !== undefined) await drop([one]);
    },
    removeWhere: (matches) =>
      drop([...lasting.values(), ...brief.values()].filter(({ kind, content }) => matches(kind, content))),
  };
}

const keyOf = (kind: string, digest: string) => `${kind} ${digest}`;
const purposeOf = (kind: string, digest: string) => `oauth ${kind} ${digest}`;

function opened(box: SecretBox, kind: string, digest: string, sealed: Uint8Array): OauthContent {
  try {
    return JSON.parse(Buffer.from(box.open(purposeOf(kind, digest), sealed)).toString("utf8")) as OauthContent;
  } catch (cause) {
    throw new Problem("damaged", "what the OAuth provider remembers cannot be opened", {
      remedy: "restore the access database from a backup",
      cause,
    });
  }
}
