import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

/** What the customer's directory says of somebody. */
export interface DirectoryPerson {
  readonly sub: string;
  readonly name: string;
  groups: string[];
  acr?: string;
  amr?: string[];
}

/** A customer's own identity provider on this machine: the certified one, with a directory of people and no pages. */
export async function startCustomerProvider(people: Map<string, DirectoryPerson>, redirectUri: () => string) {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  /** Who is at the keyboard; nobody: the sign-in is declined. */
  const at: { person?: string } = {};
  const clientSecret = randomBytes(24).toString("base64url");
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "leadglass",
        client_secret: clientSecret,
        redirect_uris: [redirectUri()],
        id_token_signed_response_alg: "ES256",
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig", kid: "1" }] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    claims: { openid: ["sub", "acr", "amr"], profile: ["preferred_username", "groups"] },
    scopes: ["openid", "profile"],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    findAccount: async (_context, sub) => ({
      accountId: sub,
      claims: async () => ({ sub, preferred_username: people.get(sub)?.name, groups: people.get(sub)?.groups ?? [] }),
    }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  });
  const answer = provider.callback();
  let isSilent = false;
  server.on("request", async (request, response) => {
    // Takes the connection and says nothing, as a firewall does.
    if (isSilent) return;
    if (!request.url?.startsWith("/interaction/")) return answer(request, response);
    const person = at.person === undefined ? undefined : people.get(at.person);
    if (person === undefined) {
      return provider.interactionFinished(request, response, { error: "access_denied" });
    }
    const { prompt, params } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
      const login = {
        accountId: person.sub,
        ...(person.acr !== undefined && { acr: person.acr }),
        ...(person.amr !== undefined && { amr: person.amr }),
      };
      return provider.interactionFinished(request, response, { login });
    }
    const grant = new provider.Grant({ accountId: person.sub, clientId: String(params.client_id) });
    grant.addOIDCScope("openid profile");
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  });
  return {
    ...{ issuer, clientSecret, at },
    silence: () => {
      isSilent = true;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A browser at the provider's pages: follows redirects there, and gives the address that leads away. */
export async function walkThrough(from: string): Promise<string> {
  const jar = new Map<string, string>();
  let next = from;
  const { origin } = new URL(from);
  for (let steps = 0; steps < 12; steps++) {
    if (new URL(next).origin !== origin) return next;
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(next, { redirect: "manual", headers: { cookie } });
    await answer.arrayBuffer();
    for (const set of answer.headers.getSetCookie()) {
      const [pair = ""] = set.split(";");
      const at = pair.indexOf("=");
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`the provider answered ${answer.status} at ${new URL(next).pathname}`);
    next = new URL(location, next).href;
  }
  throw new Error("the provider leads nowhere");
}
