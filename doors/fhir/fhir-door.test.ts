import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type FastifyReply, fastify } from "fastify";
import { createVirtualClock } from "#base/clock";
import { isProblem } from "#base/problem";
import { createMemoryEntryStore } from "#stores/memory";
import { type Actor, actorOf, createGate, operator } from "#trust/access";
import { createAuditLog, createLogFinder } from "#trust/audit";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { createFhirDoor } from "./fhir-door.ts";
import type { AuditEventResource } from "./resources.ts";

const auditor = actorOf("user", "auditor");
const radiologist = actorOf("user", "radiologist");
const log = "leadglass.log/00112233aabbccdd";

/** The door over a real gate and log; `as` says who calls. Problems are answered as the server does. */
async function openDoor(t: TestContext) {
  const clock = createVirtualClock();
  const audit = await createAuditLog({
    store: createMemoryEntryStore(),
    signingSeed: Buffer.alloc(32),
    origin: log,
    clock,
  });
  const policy = policyWhere({ [auditor.id]: ["auditor"], [radiologist.id]: ["radiologist"] });
  const gate = createGate({ policy, audit, clock });
  let actor: Actor = auditor;
  const server = fastify();
  server.setErrorHandler((error, _request, reply: FastifyReply) => {
    const codes: Record<string, number> = { invalid: 400, denied: 404, absent: 404 };
    const status = isProblem(error) ? (codes[error.code] ?? 500) : 500;
    const remedy = isProblem(error) ? error.remedy : undefined;
    return reply
      .status(status)
      .type("application/json; charset=utf-8")
      .send({ message: (error as Error).message, remedy });
  });
  const finder = createLogFinder(audit);
  const parts = { gate, audit, finder, server: { log, host: "localhost" }, version: "1", startedAt: 0 };
  await server.register(createFhirDoor({ ...parts, actorOf: () => actor }));
  t.after(() => server.close());
  return {
    audit,
    as: (one: Actor) => {
      actor = one;
    },
    async get(path: string, headers: Record<string, string> = {}) {
      const url = path.replace(/^https:\/\/[^/]+/, "");
      const answer = await server.inject({
        method: "GET",
        url: url.startsWith("/") ? url : `/fhir/R4/${url}`,
        headers,
      });
      assert.match(String(answer.headers["content-type"]), /^application\/fhir\+json/, url);
      assert.equal(answer.headers["cache-control"], "no-store");
      return { status: answer.statusCode, body: answer.json() as Bundle, headers: answer.headers };
    },
  };
}

interface Bundle {
  readonly resourceType: string;
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly { readonly fullUrl: string; readonly resource: AuditEventResource }[];
  readonly issue: readonly { readonly code: string; readonly diagnostics: string }[];
}

const idsOf = ({ entry = [] }: Bundle) => entry.map(({ resource }) => Number(resource.id));
const nextOf = ({ link }: Bundle) => link.find(({ relation }) => relation === "next")?.url;

test("the log is read page by page to its first entry, and each reading is an entry itself", async (t) => {
  const { audit, get } = await openDoor(t);
  for (let i = 0; i < 25; i++) await audit.append({ actor: "user:u1", act: "study.view", outcome: "done" });
  const ids: number[] = [];
  for (let url: string | undefined = "AuditEvent?_count=10&subtype=study.view"; url !== undefined; ) {
    const { status, body } = await get(url);
    assert.equal(status, 200);
    ids.push(...idsOf(body));
    url = nextOf(body);
  }
  assert.deepEqual(
    ids,
    Array.from({ length: 25 }, (_, at) => 24 - at),
  );
  const { body } = await get(`AuditEvent?agent=${auditor.id}&subtype=audit.read`);
  assert.deepEqual(idsOf(body).slice(-3), [27, 26, 25]);
});

test("a search finds by actor, study, act, action, outcome and time together", async (t) => {
  const { audit, get } = await openDoor(t);
  const on = { kind: "study", id: "s1" } as const;
  await audit.append({ actor: "user:u1", act: "study.view", on, outcome: "done" });
  await audit.append({ actor: "user:u1", act: "study.read", on, outcome: "refused" });
  await audit.append({ actor: "user:u2", act: "identity.search", studies: ["s2", "s1"], outcome: "done" });
  await audit.append({ actor: "user:u2", act: "study.shred", on: { kind: "study", id: "s2" }, outcome: "failed" });
  const found = async (query: string) => idsOf((await get(`AuditEvent?${query}`)).body);
  assert.deepEqual(await found("entity=s1"), [2, 1, 0]);
  assert.deepEqual(await found("entity=s1&agent=user:u1&outcome=4"), [1]);
  assert.deepEqual(await found("action=D"), [3]);
  assert.deepEqual(await found("entity=s1&action=R"), [2, 0]);
  assert.deepEqual(await found("entity=s1&date=lt1960"), []);
  assert.deepEqual(await found("entity=s1&date=ge1960&_lastUpdated=lt2200"), [2, 1, 0]);
});

test("one entry is read by its number, and what is none is not found", async (t) => {
  const { audit, get } = await openDoor(t);
  await audit.append({ actor: "user:u1", act: "study.view", outcome: "done" });
  const { status, body, headers } = await get("AuditEvent/0");
  assert.deepEqual([status, body.resourceType, headers.etag], [200, "AuditEvent", 'W/"1"']);
  for (const id of ["99", "-1", "00", "x", "1e3", "99999999999999999999"]) {
    const answer = await get(`AuditEvent/${id}`);
    assert.deepEqual([answer.status, answer.body.issue[0]?.code], [404, "not-found"], id);
  }
});

test("who may not read the log is answered as where there is nothing, by every resource", async (t) => {
  const { audit, get, as } = await openDoor(t);
  await audit.append({ actor: "user:u1", act: "study.view", outcome: "done" });
  const answers: unknown[] = [];
  as(radiologist);
  for (const path of ["AuditEvent", "AuditEvent/0", "AuditEvent/99", "metadata", "Patient"]) {
    const { status, body } = await get(path);
    answers.push([status, body.issue[0]?.code]);
  }
  assert.deepEqual(answers, Array(5).fill([404, "not-found"]));
  as(operator);
  assert.equal((await get("metadata")).body.resourceType, "CapabilityStatement");
  assert.equal((await get("Patient")).status, 404);
});

test("what is not understood is told as an OperationOutcome", async (t) => {
  const { get } = await openDoor(t);
  const { status, body } = await get("AuditEvent?patient=1");
  assert.deepEqual([status, body.resourceType, body.issue[0]?.code], [400, "OperationOutcome", "invalid"]);
  assert.match(body.issue[0]?.diagnostics ?? "", /handling=lenient/);
  assert.equal((await get("AuditEvent?patient=1", { prefer: "handling=lenient" })).status, 200);
  assert.equal((await get("AuditEvent", { accept: "application/fhir+xml" })).status, 406);
  assert.equal((await get("AuditEvent?_format=xml")).status, 406);
  for (const accept of ["application/fhir+json", "application/json, text/html;q=0.5", "*/*"]) {
    assert.equal((await get("AuditEvent", { accept })).status, 200, accept);
  }
  assert.equal((await get("AuditEvent?_format=application/fhir%2Bjson")).status, 200);
  assert.equal((await get("AuditEvent?_format=application/fhir+json")).status, 200);
});

test("links lead back to the host that was asked, and to no host that is none", async (t) => {
  const { get } = await openDoor(t);
  const selfOf = async (host: string) => (await get("AuditEvent?_count=1", { host })).body.link[0]?.url;
  assert.equal(
    await selfOf("archive.example.org:8443"),
    "https://archive.example.org:8443/fhir/R4/AuditEvent?_count=1",
  );
  assert.equal(await selfOf('evil"><script>'), "https://localhost/fhir/R4/AuditEvent?_count=1");
});
