import { Problem } from "#base/problem";
import type { UserIdentity } from "#doors/dimse";
import type { ProgramOfAssertion } from "#doors/oauth";
import type { Actor, ClientTokens } from "#trust/access";

/** User identity negotiation (PS3.7 §D.3.3.7): who speaks through a machine that is known already. */
export interface UserIdentities {
  /**
   * The program that proves who it is; undefined for a name without a proof, which changes nothing. `isPrivate`: nobody else hears what is said on
   * this line. Problem `denied`, with the reason, for what proves nothing.
   */
  programOf(identity: UserIdentity, isPrivate: boolean): Promise<Actor | undefined>;
}

/** PS3.7 Table D.3-14. */
const kinds = { name: 1, nameAndPasscode: 2, kerberos: 3, saml: 4, jwt: 5 } as const;

export function createUserIdentities(parts: {
  readonly clientTokens: Pick<ClientTokens, "of">;
  readonly programOfAssertion: ProgramOfAssertion;
}): UserIdentities {
  const { clientTokens, programOfAssertion } = parts;
  const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
  return {
    async programOf({ kind, primary, secondary }, isPrivate) {
      if (kind === kinds.name) return undefined;
      if (kind === kinds.kerberos) throw new Problem("denied", "Kerberos tickets are not taken");
      if (kind === kinds.saml) throw new Problem("denied", "SAML assertions are not taken");
      if (!isPrivate) throw new Problem("denied", "a secret came over a line without TLS: take it for known to others");
      const program =
        kind === kinds.jwt ? await programOfAssertion(textOf(primary)) : await clientTokens.of(textOf(secondary));
      if (program !== undefined) return program;
      const what =
        kind === kinds.jwt ? "a JWT that is no program's assertion" : "a passcode that is no program's token";
      throw new Problem("denied", what);
    },
  };
}
