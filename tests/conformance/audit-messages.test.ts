import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AuditEvent, auditMessages, eventOf } from "#doors/syslog";
import { acts } from "#trust/access";
import { actsWithKind, eventKindOf, type MessageType, messageCodes } from "#trust/audit";
import type { Purpose } from "#trust/vault";
import { faultsIn, whyNoXmllint } from "./audit-schema.fixture.ts";

const source = { log: "leadglass.log/00112233aabbccdd", aeTitle: "LEADGLASS" };
const skip = whyNoXmllint;

const types = Object.keys(messageCodes) as MessageType[];
const outcome = fc.constantFrom("done" as const, "refused" as const, "failed" as const);
/** Control characters, lone surrogates, what XML gives a meaning, what lies beyond the BMP. */
const text = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0x1f }).map(String.fromCharCode),
    fc.constantFrom(
      '"',
      "'",
      "&",
      "<",
      ">",
      "]]>",
      "\ud800",
      "\udc00",
      "\ufffe",
      "\uffff",
      "\u{1f600}",
      "\u0085",
      "é",
      " ",
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
  ),
  maxLength: 12,
});
const event = (type: MessageType): fc.Arbitrary<AuditEvent> =>
  fc.record(
    {
      kind: fc.record({
        message: fc.constant(type),
        action: fc.constantFrom("C" as const, "R" as const, "U" as const, "D" as const, "E" as const),
        detail: fc.constant({ code: "110126", meaning: "Node Authentication" }),
      }),
      at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
      actor: text,
      act: text,
      outcome,
      on: fc.record({ kind: fc.oneof(fc.constantFrom("study", "patient", "order"), text), id: text }),
      studies: fc.array(text, { maxLength: 4 }),
      patients: fc.array(fc.record({ id: text, name: text }, { requiredKeys: ["id"] }), { maxLength: 2 }),
      userName: text,
      address: fc.ipV6(),
      index: fc.nat(),
      purpose: text,
      detail: text,
    },
    { requiredKeys: ["kind", "at", "actor", "act", "outcome"] },
  );

test("each of the 15 message types is valid by the schema of PS3.15 A.5.1, whatever stands in its values", {
  skip,
}, () => {
  assert.equal(types.length, 15);
  for (const type of types) {
    fc.assert(
      fc.property(fc.array(event(type), { minLength: 20, maxLength: 40 }), (events) => {
        assert.equal(faultsIn(events.flatMap((each) => auditMessages(each, source))), "");
      }),
      { numRuns: 4 },
    );
  }
});

test("the schema refuses what is no audit message, so that the test above can fail", { skip }, () => {
  const [good = ""] = auditMessages(
    eventOf({ at: 0, actor: "operator", act: "audit.read", outcome: "done" }, 0),
    source,
  );
  assert.equal(faultsIn([good]), "");
  for (const bad of [
    good.replace("UserIsRequestor", "UserIsAsking"),
    good.replace('EventActionCode="R"', 'EventActionCode="X"'),
    good.replace(/<AuditSourceIdentification.*?<\/AuditSourceIdentification>/, ""),
    good.replace("<ParticipantObjectName>Security Audit Log</ParticipantObjectName>", ""),
  ]) {
    assert.notEqual(bad, good);
    assert.notEqual(faultsIn([bad]), "");
  }
});

const purposes = {
  search: true,
  read: true,
  export: true,
  summary: true,
  correction: true,
  deletion: true,
} satisfies Record<Purpose, true>;

test("every act that there is has a row in the table of event kinds, and every row an act", () => {
  const identity = Object.keys(purposes).map((purpose) => `identity.${purpose}`);
  const known = new Set(actsWithKind);
  const all = new Set<string>([...acts, ...identity]);
  const without = [...all].filter((act) => !known.has(act));
  assert.deepEqual(without, [], "add a row for them in trust/audit/event-kinds.ts");
  const gone = actsWithKind.filter((act) => !all.has(act));
  assert.deepEqual(gone, [], "take their rows out of trust/audit/event-kinds.ts");
});

test("the acts make all message types", () => {
  const made = new Set(actsWithKind.map((act) => eventKindOf({ act, outcome: "done" }).message));
  assert.deepEqual(
    types.filter((type) => !made.has(type)),
    [],
  );
});

test("the entry of each act is told in valid messages with the action that its type allows", { skip }, () => {
  const allowed: Readonly<Record<MessageType, string>> = {
    "application-activity": "E",
    "audit-log-used": "R",
    "begin-transferring": "E",
    "data-export": "R",
    "data-import": "C",
    "instances-accessed": "CRUD",
    "instances-transferred": "CRU",
    "study-deleted": "D",
    "network-entry": "E",
    "order-record": "CRUD",
    "patient-record": "CRUD",
    "procedure-record": "CRUD",
    query: "E",
    "security-alert": "E",
    "user-authentication": "E",
  };
  const needsDetail = ["application-activity", "network-entry", "security-alert", "user-authentication"];
  const messages = actsWithKind.flatMap((act) => {
    const { message, action, detail } = eventKindOf({ act, outcome: "done" });
    assert.ok(allowed[message].includes(action), act);
    assert.equal(detail !== undefined, needsDetail.includes(message), act);
    return (["done", "refused", "failed"] as const).flatMap((outcome) =>
      auditMessages(eventOf({ at: 1, actor: "user:u1", act, on: { kind: "study", id: "s1" }, outcome }, 7), source),
    );
  });
  assert.equal(faultsIn(messages), "");
});

test("a refusal is a security alert that names the act, a refused sign-in is a sign-in that failed", () => {
  const messageOf = (act: string) =>
    auditMessages(
      eventOf({ at: 1, actor: "user:u1", act, on: { kind: "study", id: "s1" }, outcome: "refused" }, 7),
      source,
    )[0] ?? "";
  assert.match(
    messageOf("study.read"),
    /EventOutcomeIndicator="4".*csd-code="110113".*csd-code="110132".*csd-code="study.read"/,
  );
  assert.match(messageOf("session.begin"), /EventOutcomeIndicator="4".*csd-code="110114".*csd-code="110122"/);
  assert.match(messageOf("act.of.tomorrow"), /csd-code="110113".*csd-code="act.of.tomorrow"/);
});

test("an entry on several studies is told study by study, and each message says which entry it is of", () => {
  const studies = Array.from({ length: 100 }, (_, at) => `s${at}`);
  const messages = auditMessages(
    eventOf({ at: 1, actor: "user:u1", act: "identity.search", studies, outcome: "done" }, 7),
    source,
  );
  assert.equal(messages.length, 100);
  for (const [at, message] of messages.entries()) {
    assert.equal(message.match(/ParticipantObjectID="s\d+"/g)?.join(), `ParticipantObjectID="s${at}"`);
    assert.match(message, /entry 7 of leadglass\.log/);
    assert.ok(message.length < 8192, "RFC 5425 recommends that receivers take 8192 octets");
  }
});

test("a patient is told only as the log knows it, by its token, or as a caller who has revealed it says", () => {
  const entry = { at: 1, actor: "user:u1", act: "patient.correct", outcome: "done" } as const;
  const known = eventOf({ ...entry, on: { kind: "patient", id: "p1" } }, 7);
  assert.match(auditMessages(known, source)[0] ?? "", /ParticipantObjectID="p1"/);
  assert.match(auditMessages(eventOf(entry, 7), source)[0] ?? "", /ParticipantObjectID="withheld"/);
  const revealed = { ...known, patients: [{ id: "4711", name: "A&B" }] };
  assert.match(auditMessages(revealed, source)[0] ?? "", /ParticipantObjectID="4711".*A&amp;B/);
});
