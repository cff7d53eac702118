import { createVirtualClock } from "#base/clock";
import { newToken, systemRandom } from "#base/id";
import { createLog } from "#base/log";
import { createMemoryAccessStore } from "#stores/memory";
import type { AuditEntry, AuditLog } from "#trust/audit";
import {
  type Confirmation,
  type ConfirmationParts,
  createConfirmations,
  createGate,
  createGrants,
  createPeople,
  createPolicy,
  createWaysIn,
  operator,
  type Pass,
  type Perform,
  personOf,
  type Role,
  type SecretBox,
  totpCode,
} from "./index.ts";
import { newTotpSeed } from "./second-factor.ts";

/** Not sealing, only telling purposes apart. */
export const openBox: SecretBox = {
  seal: (purpose, secret) => Buffer.concat([Buffer.from(`${purpose}\0`), secret]),
  open(purpose, sealed) {
    const head = Buffer.from(`${purpose}\0`);
    if (!Buffer.from(sealed).subarray(0, head.length).equals(head)) throw new Error("opened for another purpose");
    return Buffer.from(sealed).subarray(head.length);
  },
};

export interface PersonInTest {
  readonly id: string;
  readonly actor: ReturnType<typeof personOf>;
  /** What the authenticator shows now. */
  code(): string;
}

/** Everything around the confirmations, in memory; `restart` is a new process on the same stores. */
export async function confirmationHouse(perform: ConfirmationParts["perform"], minutes?: number) {
  const clock = createVirtualClock();
  const store = createMemoryAccessStore();
  const entries: Omit<AuditEntry, "at">[] = [];
  const logFails: { error?: Error | undefined } = {};
  const audit = {
    append: async (entry: Omit<AuditEntry, "at">) => {
      if (logFails.error !== undefined) throw logFails.error;
      return entries.push(entry) - 1;
    },
  } as Partial<AuditLog> as AuditLog;
  const grants = await createGrants({ store, clock, random: systemRandom });
  const policy = createPolicy(grants);
  const gate = createGate({ policy, audit, clock });
  const lines: string[] = [];
  const log = createLog({ sink: (line) => lines.push(line), clock });
  const parts = { store, grants, box: openBox, random: systemRandom, clock, log };
  const { signIn, sessions } = await createWaysIn({ ...parts, people: createPeople(parts) });
  const open = () =>
    createConfirmations({
      ...{ store, grants, policy, gate, signIn, box: openBox, clock, random: systemRandom, log, perform },
      ...(minutes !== undefined && { minutes }),
    });
  let confirmations = open();
  const person = async (name: string, role: Role = "administrator"): Promise<PersonInTest> => {
    const seed = newTotpSeed(systemRandom);
    const id = newToken(systemRandom);
    const totpSealed = openBox.seal(`totp ${id}`, seed);
    const account = { id, name, passwordHash: "", totpSealed, totpStep: 0, createdAt: clock.now() };
    await store.addAccount(account, []);
    await grants.give(`user:${id}`, { role, place: { kind: "tenant" }, purpose: "operations", endsAt: 0 }, operator);
    return { id, actor: personOf(account), code: () => totpCode(seed, clock.now()) };
  };
  return {
    ...{ clock, store, grants, entries, logFails, lines, signIn, sessions, gate, person },
    confirmations: () => confirmations,
    /** The process is gone in this moment: what it was doing is not heard of again. */
    restart: async () => {
      confirmations = open();
      await confirmations.resume();
    },
  };
}

/** The next change of this request after which `holds`. */
export async function until(
  house: Awaited<ReturnType<typeof confirmationHouse>>,
  as: PersonInTest["actor"],
  id: string,
  holds: (confirmation: Confirmation) => boolean,
): Promise<Confirmation> {
  for (let turns = 0; turns < 1000; turns++) {
    const seen = await house.confirmations().read(as, id);
    if (holds(seen)) return seen;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("it never came to that");
}

/** Counts how often each was done. */
export function countingPerform(work: Perform): { readonly passes: readonly Pass[]; readonly perform: Perform } {
  const passes: Pass[] = [];
  return {
    passes,
    perform: async (pass, stopping) => {
      passes.push(pass);
      return work(pass, stopping);
    },
  };
}
