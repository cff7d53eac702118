import { timingSafeEqual } from "node:crypto";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { Account } from "./access-store.ts";
import { digestOf, newSecret } from "./secrets.ts";
import type { PendingAccount, SignIn } from "./sign-in.ts";

/**
 * The first start: whoever holds the one-use link makes the administrator. The link's secret lives in memory only, a
 * restart makes a new one, and it is over when the first account exists.
 */
export interface Setup {
  needed(): Promise<boolean>;
  /** For the link that is printed on the operator's terminal. */
  readonly secret: string;
  administrator(secret: string, name: string, password: string): Promise<PendingAccount>;
  confirm(secret: string, code: string): Promise<{ account: Account; recoveryCodes: string[] }>;
}

export function createSetup(parts: { signIn: SignIn; random: Random }): Setup {
  const { signIn, random } = parts;
  const secret = newSecret(random);
  let pending: PendingAccount | undefined;
  /** One confirmation at a time: two at once would make two administrators. */
  let confirming = false;

  const check = async (typed: string): Promise<void> => {
    const same = timingSafeEqual(Buffer.from(digestOf(typed), "hex"), Buffer.from(digestOf(secret), "hex"));
    if (same && !(await signIn.hasAccount())) return;
    throw new Problem("denied", "this link is not valid", {
      remedy: "use the link that the server printed at its last start",
    });
  };

  return {
    needed: async () => !(await signIn.hasAccount()),
    secret,
    async administrator(typed, name, password) {
      await check(typed);
      pending = await signIn.prepareAccount(name, password);
      return pending;
    },
    async confirm(typed, code) {
      await check(typed);
      if (pending === undefined || confirming) {
        throw new Problem("conflict", "no administrator is being made", { remedy: "begin with name and password" });
      }
      confirming = true;
      try {
        const { recoveryCodes } = await signIn.confirmAccount(pending, code);
        const { account } = pending;
        pending = undefined;
        return { account, recoveryCodes };
      } finally {
        confirming = false;
      }
    },
  };
}
