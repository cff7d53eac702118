import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import type { Role, SessionView } from "#formats/api";
import {
  type Account,
  type Actor,
  anonymous,
  createChallenges,
  type GrantTerms,
  personOf,
  type Session,
} from "#trust/access";
import type { BrowserCookies } from "./browser-cookies.ts";
import type { ApiParts } from "./parts.ts";

/** How every way of signing in ends. */
export interface Beginning {
  /**
   * Begins the session of who has just proved who they are, in place of the one the browser had: a secret that was there before the proof
   * opens nothing afterwards. Whose account came from an identity provider comes through it each time, so that their leaving takes effect
   * there: without `vouched`, or its word of a moment ago in this browser, they are sent to it.
   */
  begin(
    account: Pick<Account, "id" | "name">,
    request: FastifyRequest,
    reply: FastifyReply,
    by?: "vouched",
  ): Promise<SessionView>;
  /** For who has yet to use a passkey beside the identity provider that has just vouched for them. */
  vouch(account: Pick<Account, "id">, reply: FastifyReply): void;
  /** Notes in the log that a proof was none, then goes on with what was wrong about it. */
  refused(error: unknown): Promise<never>;
}

export function createBeginning(parts: ApiParts, cookies: BrowserCookies): Beginning {
  const { gate, sessions, signIn, identityProviders } = parts;
  const vouchers = createChallenges(parts);
  const requireVoucher = async (accountId: string, voucher: string) => {
    const provider = await identityProviders.providerOf(accountId);
    if (provider === undefined || vouchers.take(voucher, "vouched for", accountId)) return;
    throw new Problem("conflict", `this account signs in through ${provider.label}`, {
      remedy: `choose ${provider.label} on the sign-in page`,
    });
  };
  return {
    async begin(account, request, reply, by) {
      const actor: Actor = personOf(account);
      if (by !== "vouched") await requireVoucher(account.id, cookies.voucherOf(request));
      const from = { userAgent: request.headers["user-agent"] ?? "", address: request.ip };
      const former = parts.sessionOf(request);
      const on = { kind: "account", id: account.id } as const;
      const { secret, session } = await gate.pass(
        actor,
        "session.begin",
        on,
        () => sessions.begin(actor.id, from),
        from,
      );
      if (former !== undefined) await sessions.end(former.digest);
      parts.setSession(reply, secret, session.endsAt);
      cookies.setKnown(reply, await signIn.knowBrowser(account.id));
      return sessionView(parts, actor, account.name, session);
    },
    vouch: ({ id }, reply) => cookies.setVoucher(reply, vouchers.issue("vouched for", id)),
    async refused(error) {
      // The gate writes the refusal down and answers as it answers everybody; the caller is told what was wrong with the proof.
      await gate.pass(anonymous, "session.begin", undefined, async () => {}).catch(() => {});
      throw error;
    },
  };
}

export function sessionView(
  { grants, policy }: Pick<ApiParts, "grants" | "policy">,
  actor: Actor,
  name: string,
  { endsAt, holder }: Session,
): SessionView {
  const id = holder.slice(holder.indexOf(":") + 1);
  const held = grants.liveOf(holder);
  const patients = held.flatMap(({ role, place }) =>
    role === "patient" && place.kind === "patient" ? [place.id] : [],
  );
  return { account: { id, name, roles: rolesIn(held) }, may: policy.actsOf(actor), endsAt, patients };
}

/** Each role once. */
export function rolesIn(grants: readonly Pick<GrantTerms, "role">[]): Role[] {
  return [...new Set(grants.map(({ role }) => role))];
}
