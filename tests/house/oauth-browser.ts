import { createHash, randomBytes } from "node:crypto";
import { request } from "node:https";
import type { OauthHouse } from "./oauth-house.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  readonly json?: object;
  /** Shown to the server in the TLS handshake. */
  readonly certificate?: { readonly key: string; readonly cert: string };
}

/** One request to the house, on a connection of its own. */
export function send(house: Pick<OauthHouse, "ca" | "pageUrl">, path: string, sending: Sending = {}): Promise<Answer> {
  const { form, json, certificate, headers = {} } = sending;
  const body = form !== undefined ? String(new URLSearchParams(form as never)) : json && JSON.stringify(json);
  const type = form !== undefined ? "application/x-www-form-urlencoded" : "application/json";
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, house.pageUrl()),
      {
        method: sending.method ?? (body === undefined ? "GET" : "POST"),
        headers: {
          ...(body !== undefined && { "content-type": type, "content-length": String(Buffer.byteLength(body)) }),
          ...headers,
        },
        ...{ ca: house.ca, agent: false, servername: "localhost", ...certificate },
      },
      async (answer) => {
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(chunk as Buffer);
        const text = Buffer.concat(chunks).toString("utf8");
        const parsed = /json/.test(answer.headers["content-type"] ?? "")
          ? (JSON.parse(text) as Record<string, unknown>)
          : {};
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: parsed });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** A browser as far as the provider sees one: keeps cookies by name and path, follows where it is told to, stops at a stranger's address. */
export function openPlainBrowser(house: Pick<OauthHouse, "ca" | "pageUrl">, sessionSecret: string) {
  const jar = new Map<string, { value: string; path: string }>();
  jar.set("__Host-leadglass", { value: sessionSecret, path: "/" });
  const go = async (path: string, sending: Sending = {}): Promise<Answer> => {
    const { pathname } = new URL(path, house.pageUrl());
    const cookie = [...jar]
      .filter(([, { path: under }]) => under === "/" || pathname === under || pathname.startsWith(`${under}/`))
      .map(([name, { value }]) => `${name}=${value}`)
      .join("; ");
    const answer = await send(house, path, { ...sending, headers: { cookie, "x-leadglass": "1", ...sending.headers } });
    for (const line of [answer.headers["set-cookie"] ?? []].flat()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const under = /; path=([^;]+)/i.exec(line)?.[1] ?? "/";
      if (value === "" || /expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, { value, path: under });
    }
    return answer;
  };
  return {
    go,
    cookies: jar,
    /** From the authorization endpoint through our consent page's request to the address of the client; gives that address. */
    async allow(path: string, decision: object = { allow: true }): Promise<URL> {
      const asked = await go(path);
      const consent = asked.headers.location;
      if (asked.status !== 303 || typeof consent !== "string" || !consent.startsWith("/consent/")) {
        throw new Error(`no consent was asked for: ${asked.status} ${consent ?? asked.text}`);
      }
      const decided = await go(`${consent}/request`, { json: decision });
      if (decided.status !== 200) throw new Error(`not decided: ${decided.status} ${decided.text}`);
      const resumed = await go(String(decided.json.goTo));
      if (typeof resumed.headers.location !== "string")
        throw new Error(`not sent back: ${resumed.status} ${resumed.text}`);
      return new URL(resumed.headers.location);
    },
  };
}

export function newPkce() {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** An authorization request that is right, with what a test changes of it; undefined leaves a parameter out. */
export function authorizationPath(
  clientId: string,
  challenge: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): string {
  const asked: Record<string, string | undefined> = {
    client_id: clientId,
    response_type: "code",
    redirect_uri: "https://viewer.example/callback",
    scope: "openid user/ImagingStudy.rs",
    state: "xyz",
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...changes,
  };
  const kept = Object.entries(asked).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `/oauth/auth?${new URLSearchParams(kept)}`;
}
