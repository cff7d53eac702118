import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import type { Actor, Gate } from "#trust/access";
import type { AuditLog, FoundEntry, LogFinder } from "#trust/audit";
import { actionOf, auditEventOf, type Server } from "./audit-event.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { fhirJson, type IssueType, outcomeOf } from "./resources.ts";
import { type AuditSearch, cursorOf, readSearch } from "./search-query.ts";

export interface FhirParts {
  readonly gate: Gate;
  readonly audit: Pick<AuditLog, "size" | "entries">;
  readonly finder: LogFinder;
  readonly server: Server;
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Who sends this request; the server has found it out before any route runs. */
  readonly actorOf: (request: FastifyRequest) => Actor;
}

const root = "/fhir/R4";
/** Calls of the finder, each of which reads a bounded part of the log, for one page. */
const findsMax = 5;

/** FHIR R4: the audit log as AuditEvent resources, for who may read it. Register it on a server that authenticates, and answers Problems. */
export function createFhirDoor(parts: FhirParts): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    await server.register(async (scope) => registerResources(scope, parts), { prefix: root });
  };
}

function registerResources(scope: FastifyInstance, parts: FhirParts): void {
  const { gate, audit, actorOf, server } = parts;
  scope.addHook("onSend", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });
  // Problems that the server answers, in the words of FHIR.
  scope.addHook<unknown>("preSerialization", async (_request, reply, payload) => {
    if (reply.statusCode < 400 || hasResourceType(payload)) return payload;
    reply.type(fhirJson);
    const { message = "failed", remedy } = payload as { readonly message?: string; readonly remedy?: string };
    const told = remedy === undefined ? message : `${message}: ${remedy}`;
    return outcomeOf(issueTypes[reply.statusCode] ?? "exception", told);
  });
  scope.addHook("preHandler", async (request, reply) => {
    if (takesJson(request)) return;
    return reply
      .status(406)
      .type(fhirJson)
      .send(outcomeOf("not-supported", "only application/fhir+json is offered here"));
  });
  const pass = <T>(request: FastifyRequest, work: () => Promise<T>) =>
    gate.pass(actorOf(request), "audit.read", undefined, work);

  scope.get("/metadata", (request, reply) =>
    pass(request, async () => send(reply, capabilitiesOf(parts, baseOf(request)))),
  );
  scope.get("/AuditEvent", (request, reply) => {
    return pass(request, async () => {
      const isLenient = /\bhandling\s*=\s*lenient\b/i.test(String(request.headers.prefer ?? ""));
      const search = readSearch(queryOf(request), isLenient, server);
      return send(reply, await bundleOf(search, parts, baseOf(request)));
    });
  });
  scope.get<{ Params: { id: string } }>("/AuditEvent/:id", (request, reply) =>
    pass(request, async () => {
      const { id } = request.params;
      const index = /^(0|[1-9]\d{0,14})$/.test(id) ? Number(id) : undefined;
      const [entry] = index === undefined ? [] : await audit.entries(index, index + 1);
      if (index === undefined || entry === undefined) throw new Problem("absent", "not found");
      reply.header("etag", 'W/"1"');
      return send(reply, auditEventOf({ ...entry, index }, server));
    }),
  );
  scope.get("/*", (request) => pass(request, () => Promise.reject(new Problem("absent", "not found"))));
}

function send(reply: FastifyReply, resource: unknown): FastifyReply {
  return reply.type(fhirJson).send(resource);
}

const issueTypes: Readonly<Record<number, IssueType>> = {
  400: "invalid",
  401: "login",
  404: "not-found",
  409: "conflict",
  429: "throttled",
  501: "not-supported",
};

function hasResourceType(payload: unknown): boolean {
  return typeof payload === "object" && payload !== null && "resourceType" in payload;
}

/** By `_format`, else by the Accept header (FHIR R4 §3.1.0.1.11). */
function takesJson(request: FastifyRequest): boolean {
  const format = new URLSearchParams(queryOf(request)).get("_format");
  const asked = format ?? request.headers.accept ?? "*/*";
  // A plus in a query string is a blank.
  return /(^|[,\s])(json|\*\/\*|application\/\*|(application|text)\/([a-z]+[+ ])?json)\s*(;|,|$)/i.test(asked);
}

function queryOf(request: FastifyRequest): string {
  const at = request.url.indexOf("?");
  return at < 0 ? "" : request.url.slice(at + 1);
}

const authority = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?$/;

/** As the caller reached it. */
function baseOf(request: FastifyRequest): string {
  const { host = "" } = request.headers;
  return `https://${authority.test(host) ? host : "localhost"}${root}`;
}

async function bundleOf(search: AuditSearch, parts: FhirParts, base: string) {
  const { found, next } = await findPage(search, parts.finder);
  const link = (relation: string, more: readonly (readonly [string, string])[]) => {
    const query = new URLSearchParams([...search.used, ...more].map(([name, value]) => [name, value])).toString();
    return { relation, url: `${base}/AuditEvent${query && "?"}${query}` };
  };
  const self = search.before === undefined ? [] : [["_cursor", cursorOf(search.before)] as const];
  return {
    resourceType: "Bundle",
    type: "searchset",
    link: [link("self", self), ...(next === undefined ? [] : [link("next", [["_cursor", cursorOf(next)]])])],
    ...(found.length > 0 && {
      entry: found.map((entry) => ({
        fullUrl: `${base}/AuditEvent/${entry.index}`,
        resource: auditEventOf(entry, parts.server),
        search: { mode: "match" },
      })),
    }),
  };
}

/** A page, or what was found of it when enough of the log was read; `next` goes on from there. */
async function findPage({ criteria, actions, count, before }: AuditSearch, finder: LogFinder) {
  const found: FoundEntry[] = [];
  let next = before;
  for (let finds = 0; finds < findsMax && found.length < count; finds++) {
    const page = await finder.find(criteria, {
      ...(next !== undefined && { before: next }),
      limit: count - found.length,
    });
    found.push(...page.entries.filter((entry) => actions?.has(actionOf(entry)) ?? true));
    next = page.next;
    if (next === undefined) break;
  }
  return { found, next };
}
