import { readFile } from "node:fs/promises";
import { createServer as createLocalServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import cookie from "@fastify/cookie";
import serveStatic from "@fastify/static";
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, Problem, type ProblemCode } from "#base/problem";
import type { ProblemView } from "#formats/api";
import { type Actor, anonymous, type ClientTokens, operator, type Session, type Sessions } from "#trust/access";
import { rangeOf } from "./address-range.ts";
import { limitBodies } from "./body-limits.ts";
import type { FairQueue } from "./fair-queue.ts";
import { unacceptable } from "./framing.ts";
import { createRequestTurns } from "./request-turns.ts";
import { createTally, type Tally } from "./tally.ts";
import { createUpgrades, type TakeUpgrade } from "./upgrades.ts";

/** `__Host-`: over TLS only, for this host only, for every path (RFC 6265bis §4.1.3.2). */
const sessionCookie = "__Host-leadglass";
const bodyBytesMax = 1024 * 1024;

const statusOf: Readonly<Record<ProblemCode, number>> = {
  invalid: 400,
  denied: 404,
  unproven: 403,
  absent: 404,
  conflict: 409,
  unsupported: 501,
  "too-large": 413,
  "no-room": 507,
  busy: 429,
  damaged: 500,
  unavailable: 503,
  fault: 500,
};

/** Answers that honest callers hardly ever get: the operator is told of them. */
const noteworthy: ReadonlySet<number> = new Set([400, 409, 413, 415, 429, 431]);

interface Identity {
  readonly actor: Actor;
  readonly session?: Session;
  /** What a refusal says in `WWW-Authenticate`; `Bearer` if left out. */
  readonly challenge?: string;
}

export interface HttpParts {
  readonly sessions: Pick<Sessions, "of">;
  readonly clientTokens: Pick<ClientTokens, "of">;
  /** The edge at the other end of a connection; undefined for one that is no edge's. */
  readonly edgeAt?: (socket: Socket) => Promise<Actor | undefined>;
  /** Who comes with a token of the OAuth provider; undefined for a request without one. */
  readonly tokenActorOf: (request: FastifyRequest) => Promise<Pick<Identity, "actor" | "challenge"> | undefined>;
  readonly log: Log;
  readonly random: Random;
  readonly clock: Clock;
  /** Where every request waits for its turn, one queue for all that runs in this process. */
  readonly queue: FairQueue;
  /** The built browser application; undefined serves a page that says how to build it. */
  readonly webRoot: string | undefined;
  /** The address that answers for another that clients may call it by. */
  readonly addressOf?: (url: string) => string;
  readonly ready: () => boolean;
}

/** One route as it was registered: what a test walks, so that none is forgotten. */
export interface Route {
  readonly method: string;
  readonly url: string;
  readonly anonymous: boolean;
  /** JSON schema of the body that it takes. */
  readonly body?: unknown;
}

export interface Http {
  readonly routes: readonly Route[];
  readonly server: FastifyInstance;
  readonly actorOf: (request: FastifyRequest) => Actor;
  readonly sessionOf: (request: FastifyRequest) => Session | undefined;
  readonly setSession: (reply: FastifyReply, secret: string, endsAt: number) => void;
  readonly clearSession: (reply: FastifyReply) => void;
  readonly takeUpgrade: TakeUpgrade;
  /** A listener on a Unix socket that only the owner of the home can open: its callers act as the operator. */
  readonly localServer: Server;
}

/**
 * What answers HTTP for one home: who is calling, what every answer carries, what an error looks like. The doors bring the routes. It
 * listens to nobody but the owner: requests from outside come through `https.ts`, which has the connections and their limits.
 */
export async function createHttp(parts: HttpParts): Promise<Http> {
  const server = fastify({
    bodyLimit: bodyBytesMax,
    trustProxy: false,
    rewriteUrl: ({ url = "/" }) => parts.addressOf?.(url) ?? url,
    routerOptions: { maxParamLength: 4_096, ignoreTrailingSlash: true },
    logger: false,
    ajv: { customOptions: { removeAdditional: false } },
  });
  const local = new WeakSet<IncomingMessage>();
  const identities = new WeakMap<FastifyRequest, Identity>();
  const actorOf = (request: FastifyRequest): Actor => identities.get(request)?.actor ?? anonymous;
  const turns = createRequestTurns(parts.queue);
  const tell = createTally(parts);

  const routes: Route[] = [];
  server.addHook("onRoute", ({ method, url, config, schema }) => {
    const anonymous = config?.anonymous === true;
    for (const each of [method].flat()) routes.push({ method: each, url, anonymous, body: schema?.body });
  });
  await server.register(cookie);
  server.addHook("onRequest", async (request, reply) => {
    reply.headers(answerHeaders);
    const refused = unacceptable(request.raw);
    if (refused !== undefined) {
      return reply.status(refused.status).header("connection", "close").send(viewOf(refused.problem));
    }
    // Finding out who calls is work as well: done for the address, until the caller is known.
    const isLocal = local.has(request.raw);
    await turns.take(request, reply, isLocal ? "owner" : `address ${rangeOf(request.ip)}`);
    const identity = await identify(request, parts, local);
    identities.set(request, identity);
    const { actor, session } = identity;
    if (actor.kind === "anonymous" && claimsToBeSomebody(request)) tell("a token or session that is none");
    if (actor.kind === "anonymous" && !request.routeOptions.config.anonymous) throw signInFirst();
    const isForPages = request.routeOptions.config.foreign !== true;
    if (isForPages && (session !== undefined || actor.kind === "anonymous")) refuseForeignPages(request, session, tell);
    if (actor.kind !== "anonymous" && !isLocal) await turns.take(request, reply, `${actor.kind} ${actor.id}`);
  });
  holdBackRefusals(server, parts.clock);
  server.addHook("onResponse", async ({ routeOptions: { url }, method }, { statusCode }) => {
    if (noteworthy.has(statusCode)) tell(`a request (${statusCode})`, { route: url ?? "none", method });
  });
  limitBodies(server, { clock: parts.clock, tell, viewOf });
  server.setErrorHandler((error: FastifyError, request, reply) =>
    answerProblem(error, request, reply, parts.log, identities.get(request)),
  );
  server.setNotFoundHandler({ preHandler: [] }, (request, reply) => {
    reply.status(actorOf(request).kind === "anonymous" ? 401 : 404).send(viewOf(notThere()));
  });
  server.get("/healthz", { config: { anonymous: true } }, async () => ({ alive: true }));
  server.get("/readyz", { config: { anonymous: true } }, async (_request, reply) =>
    reply.status(parts.ready() ? 200 : 503).send({ ready: parts.ready() }),
  );
  await registerWeb(server, parts);

  const localServer = createLocalServer((request, response) => {
    local.add(request);
    server.routing(request, response);
  });
  return {
    server,
    routes,
    actorOf,
    sessionOf: (request) => identities.get(request)?.session,
    setSession: (reply, secret, endsAt) => {
      reply.setCookie(sessionCookie, secret, { ...cookieOptions, expires: new Date(endsAt) });
    },
    clearSession: (reply) => {
      reply.clearCookie(sessionCookie, cookieOptions);
    },
    takeUpgrade: createUpgrades(server),
    localServer,
  };
}

const cookieOptions = { path: "/", secure: true, httpOnly: true, sameSite: "strict" } as const;

async function identify(
  request: FastifyRequest,
  {
    sessions,
    clientTokens,
    tokenActorOf,
    edgeAt,
  }: Pick<HttpParts, "sessions" | "clientTokens" | "tokenActorOf" | "edgeAt">,
  local: WeakSet<IncomingMessage>,
): Promise<Identity> {
  if (local.has(request.raw)) return { actor: operator };
  const edge = await edgeAt?.(request.raw.socket);
  if (edge !== undefined) return { actor: edge };
  const caller = await tokenActorOf(request);
  if (caller !== undefined) return caller;
  const bearer = /^Bearer ([\x21-\x7e]{1,512})$/.exec(request.headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return { actor: (await clientTokens.of(bearer)) ?? anonymous };
  const sessionSecret = request.cookies[sessionCookie];
  if (sessionSecret === undefined) return { actor: anonymous };
  // What a page asks by itself, with nobody in front of it, keeps no session alive.
  const isUnattended = request.headers["x-leadglass"] === "unattended" || request.routeOptions.config.unattended;
  return sessions.of(sessionSecret, isUnattended ? "watch" : "use") ?? { actor: anonymous };
}

function claimsToBeSomebody({ headers, cookies }: FastifyRequest): boolean {
  return headers.authorization !== undefined || cookies[sessionCookie] !== undefined;
}

/**
 * A cookie goes with every request that any page of this site makes, pages on other ports and subdomains among them. One that changes
 * something must come from a page of ours; one that reads must at least not come from another (Fetch Metadata). Without a session too:
 * another page must not sign a browser in as somebody else.
 */
function refuseForeignPages({ method, headers }: FastifyRequest, session: Session | undefined, tell: Tally): void {
  const { origin, host } = headers;
  const from = headers["sec-fetch-site"];
  const isEmbedded = headers["sec-fetch-mode"] !== "navigate" && (from === "same-site" || from === "cross-site");
  // A page can mark no request for a WebSocket, and nothing but the Origin tells whose it is: browsers ask no server before (RFC 6455 §10.2).
  const isUpgrade = headers.upgrade !== undefined;
  const isMarked = isUpgrade || headers["x-leadglass"] !== undefined || session === undefined;
  const isOurs = (origin === undefined || origin === `https://${host}`) && isMarked;
  const isReading =
    (method === "GET" && !isUpgrade) || method === "HEAD" || (method === "OPTIONS" && session === undefined);
  if (session === undefined && isReading) return;
  if (!isEmbedded && (isOurs || isReading)) return;
  tell("a session's request from a page that is not ours");
  throw new Problem("denied", "not found", { remedy: "use the pages of this server" });
}

/** What every answer carries; the pages have a content policy of their own. */
export const answerHeaders = {
  "cache-control": "no-store",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "permissions-policy":
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), display-capture=()",
  "x-permitted-cross-domain-policies": "none",
  "origin-agent-cluster": "?1",
} as const;

/** Before that nobody is told that something is not there: what is refused takes longer to find than what is absent, by some tenths of a millisecond. */
const absentAfterMs = 10;

/** One time for all answers that something is not there, from the moment that it was asked for. */
function holdBackRefusals(server: FastifyInstance, clock: Clock): void {
  const askedAt = new WeakMap<FastifyRequest, number>();
  server.addHook("onRequest", async (request) => void askedAt.set(request, clock.monotonicMs()));
  server.addHook("onSend", async (request, { statusCode }, payload) => {
    // In whole milliseconds from the moment of the question: timers cut off the rest, and with it what the answer had taken.
    const leftMs = Math.ceil((askedAt.get(request) ?? 0) + absentAfterMs) - Math.floor(clock.monotonicMs());
    if (statusCode === 404 && leftMs > 0) await clock.sleep(leftMs);
    return payload;
  });
}

function answerProblem(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Log,
  { actor, challenge = "Bearer" }: Identity = { actor: anonymous },
): void {
  const problem = ofFramework(error) ?? asProblem(error, "answering a request");
  const status = statusFor(problem, error, actor);
  if (status >= 500) {
    log.error(
      "http: request failed",
      { route: request.routeOptions.url ?? "none", method: request.method, status },
      problem,
    );
  }
  if (reply.raw.headersSent) {
    reply.raw.destroy();
    return;
  }
  if (status === 401) reply.header("www-authenticate", challenge);
  if (status === 429 || status === 503) reply.header("retry-after", "2");
  reply.status(status).type("application/json; charset=utf-8").send(viewOf(problem));
}

function statusFor(problem: Problem, error: FastifyError, actor: Actor): number {
  if (problem.code === "denied" && actor.kind === "anonymous") return 401;
  // What is not offered is 501; a type that a route does not take has a status of its own.
  return error.statusCode === 415 ? 415 : statusOf[problem.code];
}

/** Fastify's own refusals (a body that is no JSON, over the limit, of an unknown type) in our words. */
function ofFramework(error: FastifyError): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error.validation !== undefined) {
    const at = error.validation[0]?.instancePath || error.validationContext || "request";
    return new Problem("invalid", `the ${error.validationContext ?? "request"} is not as expected at ${at}`);
  }
  if (error.statusCode === 415) {
    return new Problem("unsupported", "this content type is not taken here", { remedy: "see docs/conformance.md" });
  }
  if (error.statusCode === 413) return new Problem("too-large", "the request's body is too large");
  if (error.statusCode !== undefined && error.statusCode < 500) return new Problem("invalid", "malformed request");
  return undefined;
}

function viewOf(problem: Problem): ProblemView {
  const { code, message, remedy } = problem;
  return { code: code === "denied" ? "absent" : code, message, ...(remedy !== undefined && { remedy }) };
}

function signInFirst(): Problem {
  return new Problem("denied", "sign in first", { remedy: "a session or a token is needed" });
}

function notThere(): Problem {
  return new Problem("absent", "not found");
}

/** The browser application: one page, whatever path it shows, and its files. None of it holds data. */
async function registerWeb(server: FastifyInstance, parts: HttpParts): Promise<void> {
  const { webRoot, random } = parts;
  const config = { anonymous: true };
  const page = webRoot === undefined ? notBuilt : await readFile(join(webRoot, "index.html"), "utf8");
  const sendPage = (_request: FastifyRequest, reply: FastifyReply) => {
    const nonce = newToken(random);
    reply.header("content-security-policy", policyWith(nonce));
    return reply.type("text/html; charset=utf-8").send(page.replaceAll("__CSP_NONCE__", nonce));
  };
  server.get("/", { config }, sendPage);
  for (const path of [
    "/studies/:token",
    "/account",
    "/people",
    "/people/:id",
    "/grants",
    "/roles",
    "/programs",
    "/devices",
    "/edges",
    "/edges/:id",
    "/this-box",
    "/migrations",
    "/messages",
    "/routing",
    "/confirmations",
    "/log",
    "/reviews",
    "/shares",
    "/looks/:token",
    "/my-images",
    "/status",
    "/consent/:uid",
    "/oauth/device",
  ]) {
    server.get(path, { config }, sendPage);
  }
  if (webRoot === undefined) return;
  await server.register(
    async (scope) => {
      scope.addHook("onRoute", (route) => {
        route.config = { ...route.config, ...config };
      });
      await scope.register(serveStatic, {
        root: join(webRoot, "assets"),
        wildcard: true,
        cacheControl: false,
        setHeaders: (sent) => {
          sent.header("cache-control", "public, max-age=31536000, immutable");
          sent.header("content-security-policy", policyWith(undefined));
        },
      });
    },
    { prefix: "/assets" },
  );
}

const notBuilt =
  "<!doctype html><title>Leadglass</title><p>The browser application is not built: run <code>npm run build</code>.";

/** Of the pages with a nonce, of their files without. Text becomes markup or a script only by `trusted-types.ts` of the pages. */
function policyWith(nonce: string | undefined): string {
  const style = nonce === undefined ? "'self'" : `'self' 'nonce-${nonce}'`;
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    `style-src ${style}`,
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    ...(nonce === undefined ? [] : ["require-trusted-types-for 'script'", "trusted-types default"]),
  ].join("; ");
}
