import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isProblem } from "#base/problem";
import {
  type IdentityProviderRequest,
  type IdentityProviderView,
  purposes,
  roles,
  type SignInOffer,
} from "#formats/api";
import { createChallenges, type IdentityProvider } from "#trust/access";
import type { Beginning } from "./beginning.ts";
import type { BrowserCookies } from "./browser-cookies.ts";
import type { ApiParts } from "./parts.ts";
import { createProviderClient, type ProviderRound } from "./provider-client.ts";
import { placeSchema } from "./schemas.ts";

interface Named {
  Params: { id: string };
}

const anonymous = { config: { anonymous: true } };
const purposeOf = ({ id }: IdentityProvider) => `sign-in with ${id}`;

/** What the sign-in page offers, and the way through the customer's own identity provider. */
export function registerSignInWith(
  server: FastifyInstance,
  parts: ApiParts,
  { beginning, cookies }: { readonly beginning: Beginning; readonly cookies: BrowserCookies },
): void {
  const { identityProviders, passkeys, recovery } = parts;
  const client = createProviderClient(parts.clock);
  const challenges = createChallenges(parts);
  const roundOf = ({ id }: IdentityProvider, browser: string, state: string): ProviderRound => {
    // Who has the answer but not this browser's secret can redeem nothing: neither the code nor the token fits.
    const derived = (what: string) => createHash("sha256").update(`${what}\0${browser}\0${state}`).digest("base64url");
    const redirectUri = `${parts.pageUrl()}sign-in-with/${id}/callback`;
    return { state, nonce: derived("nonce"), verifier: derived("verifier"), redirectUri };
  };
  /** Always to our own first page: where to go on is never taken from a request. */
  const toPage = (reply: FastifyReply, fragment: string) =>
    reply.header("referrer-policy", "no-referrer").redirect(`/${fragment === "" ? "" : `#${fragment}`}`, 303);
  const toProblem = (reply: FastifyReply, error: unknown) => {
    parts.log.warn("sign-in through an identity provider came to nothing", {}, error);
    const code = isProblem(error) && error.code in problemFragments ? error.code : "invalid";
    return toPage(reply, `sign-in=${problemFragments[code]}`);
  };

  server.get("/api/sign-in", anonymous, async (): Promise<SignInOffer> => {
    const providers = await identityProviders.list();
    return {
      passkeys: passkeys.isOffered(new URL(parts.pageUrl()).origin),
      providers: providers.map(({ id, label }) => ({ id, label })),
    };
  });

  server.get<Named>("/sign-in-with/:id", anonymous, async (request, reply) => {
    try {
      const provider = await identityProviders.provider(request.params.id);
      const browser = cookies.provider(reply);
      const round = roundOf(provider, browser, challenges.issue(purposeOf(provider), browser));
      const url = await client.begin(provider, identityProviders.secretOf(provider), round);
      return reply.redirect(url.href, 303);
    } catch (error) {
      await beginning.refused(error).catch(() => {});
      return toProblem(reply, error);
    }
  });

  const comeBack = async (request: FastifyRequest<Named>, reply: FastifyReply) => {
    const provider = await identityProviders.provider(request.params.id);
    const query = new URL(request.raw.url ?? "", parts.pageUrl()).searchParams;
    const browser = cookies.providerOf(request);
    cookies.clearProvider(reply);
    // Once, by this browser and for this provider; else another's answer would be taken for ours (RFC 9700 §4.4, §4.7).
    const state = query.getAll("state").length === 1 ? (query.get("state") ?? "") : "";
    if (!challenges.take(state, purposeOf(provider), browser)) return toPage(reply, "sign-in=again");
    if (query.get("error") === "access_denied") return toPage(reply, "sign-in=declined");
    const round = roundOf(provider, browser, state);
    const claims = await client.finish(provider, identityProviders.secretOf(provider), round, query);
    const { account, isStrong } = await identityProviders.arrive(provider, claims);
    if (isStrong) {
      await beginning.begin(account, request, reply, "vouched");
      return toPage(reply, "");
    }
    const { passkeys: held } = await parts.credentials.of(account.id);
    if (held.length === 0) return toPage(reply, `setup=${(await recovery.enrol(account.id)).secret}`);
    beginning.vouch(account, reply);
    return toPage(reply, "sign-in=passkey");
  };

  server.get<Named>("/sign-in-with/:id/callback", anonymous, async (request, reply) => {
    try {
      return await comeBack(request, reply);
    } catch (error) {
      await beginning.refused(error).catch(() => {});
      return toProblem(reply, error);
    }
  });
}

/** What the first page is told; it has the words. */
const problemFragments: Readonly<Record<string, string>> = {
  unavailable: "unavailable",
  denied: "nothing-granted",
  absent: "absent",
  invalid: "again",
};

/** Who may sign in from elsewhere, and what their groups are worth. */
export function registerIdentityProviders(server: FastifyInstance, parts: ApiParts): void {
  const { identityProviders, gate, actorOf } = parts;

  server.get(
    "/api/identity-providers",
    (request): Promise<IdentityProviderView[]> =>
      gate.pass(actorOf(request), "identity-provider.read", undefined, async () =>
        (await identityProviders.list()).map(providerView),
      ),
  );

  server.put<{ Body: IdentityProviderRequest }>(
    "/api/identity-providers",
    { schema: { body: providerSchema } },
    (request): Promise<IdentityProviderView> =>
      gate.pass(actorOf(request), "identity-provider.write", undefined, async () =>
        providerView(await identityProviders.put(request.body)),
      ),
  );

  server.delete<Named>("/api/identity-providers/:id", async (request, reply) => {
    const actor = actorOf(request);
    await gate.pass(actor, "identity-provider.write", undefined, () =>
      identityProviders.remove(request.params.id, actor),
    );
    return reply.status(204).send();
  });
}

function providerView({ clientSecretSealed, ...provider }: IdentityProvider): IdentityProviderView {
  return { ...provider, hasSecret: clientSecretSealed.length > 0 };
}

const text = (maxLength: number) => ({ type: "string", maxLength });
const texts = { type: "array", maxItems: 32, items: text(128) };
const providerSchema = {
  type: "object",
  additionalProperties: false,
  required: ["id", "label", "issuer", "clientId", "scopes", "groupsClaim", "rules", "strongAcr", "strongAmr"],
  properties: {
    ...{ id: text(32), label: text(64), issuer: text(512), clientId: text(256), clientSecret: text(512) },
    ...{ scopes: texts, groupsClaim: text(128), strongAcr: texts, strongAmr: texts },
    rules: {
      type: "array",
      maxItems: 200,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["group", "role", "place", "purpose"],
        properties: {
          group: text(256),
          role: { type: "string", enum: roles },
          place: placeSchema,
          purpose: { type: "string", enum: purposes },
        },
      },
    },
  },
};
