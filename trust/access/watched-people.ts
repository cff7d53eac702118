import { createHmac } from "node:crypto";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { Actor } from "./acts.ts";
import { foldedName } from "./folded-names.ts";
import type { Gate } from "./gate.ts";
import type { SecretBox } from "./secret-box.ts";
import type { MarkedPatient, WatchedStore } from "./watched-store.ts";

/** What is known of a person with an account besides its name. */
export interface PersonFacts {
  /** As in a data set, with all its groups; empty: unknown. */
  readonly fullName: string;
  /** YYYYMMDD, or empty. */
  readonly birthDate: string;
  /** Token of the patient that this person is, or empty. */
  readonly patient: string;
}

/** The same, so that it can be compared and not read. */
export interface KnownPerson {
  readonly families: ReadonlySet<string>;
  readonly wholes: ReadonlySet<string>;
  readonly patient: string;
}

export type Marked = Omit<MarkedPatient, "reasonSealed"> & { readonly reason: string };

/** Of whom looks are reviewed: patients that an administrator marked, and the family of who looks. */
export interface WatchedPeople {
  /** Problem `absent` when the patient is not known. */
  mark(actor: Actor, patient: string | undefined, reason: string): Promise<Marked>;
  unmark(actor: Actor, patient: string): Promise<void>;
  marked(actor: Actor): Promise<Marked[]>;
  isMarked(patient: string): boolean;
  hasMarked(): boolean;
  /** Problem `absent` when there is no such account. */
  describe(actor: Actor, accountId: string | undefined, facts: PersonFacts): Promise<void>;
  /** By actor id. */
  personOf(actorId: string): KnownPerson | undefined;
  /** A patient's name, to be compared with a person's. */
  compared(name: string, birthDate: string): Omit<KnownPerson, "patient">;
}

export interface WatchedPeopleParts {
  readonly store: WatchedStore;
  readonly gate: Gate;
  readonly box: SecretBox;
  readonly clock: Clock;
  /** Names rest in memory as digests under this key. */
  readonly nameKey: Uint8Array;
}

export async function createWatchedPeople(parts: WatchedPeopleParts): Promise<WatchedPeople> {
  const { store, gate, box, clock, nameKey } = parts;
  const marked = new Map((await store.markedPatients()).map((one) => [one.patient, one]));
  const digest = (kind: string, text: string) =>
    createHmac("sha256", nameKey).update(`${kind}\0${text}`, "utf8").digest("base64url");
  const digests = (kind: string, texts: Iterable<string>) => new Set([...texts].map((text) => digest(kind, text)));
  const compared = (name: string, birthDate: string) => {
    const { families, wholes } = foldedName(name);
    const born = birthDate === "" ? [] : [...wholes].map((whole) => `${whole} ${birthDate}`);
    return { families: digests("family", families), wholes: digests("whole", born) };
  };
  const known = ({ fullName, birthDate, patient }: PersonFacts): KnownPerson => ({
    ...compared(fullName, birthDate),
    patient,
  });
  const people = new Map<string, KnownPerson>();
  for (const { accountId, sealed } of await store.personFacts()) {
    const plain = Buffer.from(box.open(factsPurpose(accountId), sealed)).toString("utf8");
    people.set(`user:${accountId}`, known(JSON.parse(plain) as PersonFacts));
  }
  const opened = ({ reasonSealed, ...rest }: MarkedPatient): Marked => {
    return { ...rest, reason: Buffer.from(box.open(markPurpose(rest.patient), reasonSealed)).toString("utf8") };
  };

  return {
    mark: (actor, patient, reason) =>
      gate.pass(actor, "patient.mark", { kind: "patient", id: patient ?? "unknown" }, async () => {
        if (patient === undefined) throw absent("no such patient");
        const reasonSealed = box.seal(markPurpose(patient), Buffer.from(reason.trim(), "utf8"));
        const one = { patient, reasonSealed, markedBy: actor.id, markedAt: clock.now() };
        await store.markPatient(one);
        marked.set(patient, one);
        return opened(one);
      }),
    unmark: (actor, patient) =>
      gate.pass(actor, "patient.mark", { kind: "patient", id: marked.get(patient)?.patient ?? "unknown" }, async () => {
        if (!(await store.unmarkPatient(patient))) throw absent("not marked");
        marked.delete(patient);
      }),
    marked: (actor) =>
      gate.pass(actor, "patient.mark", undefined, async () => (await store.markedPatients()).map(opened)),
    isMarked: (patient) => marked.has(patient),
    hasMarked: () => marked.size > 0,
    describe: (actor, accountId, facts) =>
      gate.pass(actor, "account.describe", { kind: "account", id: accountId ?? "unknown" }, async () => {
        if (accountId === undefined) throw absent("nobody has this name");
        const sealed = box.seal(factsPurpose(accountId), Buffer.from(JSON.stringify(facts), "utf8"));
        await store.putPersonFacts({ accountId, sealed });
        people.set(`user:${accountId}`, known(facts));
      }),
    personOf: (actorId) => people.get(actorId),
    compared,
  };
}

const markPurpose = (patient: string) => `marked patient ${patient}`;
const factsPurpose = (accountId: string) => `person ${accountId}`;

function absent(message: string): Problem {
  return new Problem("absent", message, { remedy: "check the number and its issuer, or the name" });
}
