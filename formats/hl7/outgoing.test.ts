import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  acknowledge,
  acknowledgmentIn,
  describedMessage,
  type Envelope,
  identifiersAt,
  type Message,
  type OrderState,
  orderStatusMessage,
  personNamesAt,
  providerNamesAt,
  type Report,
  readMessage,
  resultMessage,
  type Segment,
  segmentNamed,
  textAt,
  typeOf,
  writeMessage,
} from "./index.ts";

const envelope: Envelope = {
  from: { application: "LEADGLASS", facility: "RAD" },
  to: { application: "RIS", facility: "NORTH" },
  controlId: "0199aa",
  at: "20260301080000+0000",
  characterSet: "UNICODE UTF-8",
  mode: "original",
};
const name = { family: "Müller", given: "Änne", middle: "", suffix: "", prefix: "Dr", type: "L", representation: "A" };
const patient = { id: "P1", authority: "HOSP", names: [name], birthDate: "19700102", sex: "F" };
const code = (text: string) => ({ code: text, meaning: `meaning of ${text}`, scheme: "L" });
const state: OrderState = {
  ...{ patient, placer: "PL1", filler: "FL1", accessionNumber: "A1", procedure: code("CTH"), procedureId: "RP1" },
  ...{ stepId: "SPS1", modality: "CT", studyUid: "1.2.3", startsAt: "20260302091500" },
  ...{ status: "in-progress", since: "20260302092000+0000" },
};
const report: Report = {
  ...{ patient, placer: "PL1", filler: "FL1", accessionNumber: "A1", procedure: code("CTH") },
  ...{ studyUid: "1.2.3", documentUid: "1.2.3.4", observedAt: "20260302", reportedAt: "20260302" },
  ...{ status: "final", interpreters: [name], items: [] },
};

function sent(message: Message): Message {
  const bytes = writeMessage(message);
  assert.ok(bytes);
  const reading = readMessage(bytes);
  assert.equal(reading.kind, "message");
  return (reading as { message: Message }).message;
}
const at = (message: Message, segment: string, field: number, component = 1) =>
  textAt(message, segmentNamed(message, segment), field, component);
const observations = (message: Message): Segment[] => message.segments.filter(({ name }) => name === "OBX");

test("the status of an order goes by the numbers that it came with, in the codes of ORC-5 and OBR-25", () => {
  const codes = (["scheduled", "in-progress", "completed", "discontinued", "canceled"] as const).map((status) => {
    const message = sent(orderStatusMessage({ ...state, status }, envelope));
    return `${at(message, "ORC", 5)} ${at(message, "OBR", 25)}`;
  });
  assert.deepEqual(codes, ["SC S", "IP I", "CM I", "DC X", "CA X"]);
  const message = sent(orderStatusMessage(state, envelope));
  assert.deepEqual(typeOf(message), { code: "ORM", event: "O01" });
  assert.deepEqual(
    [at(message, "ORC", 1), at(message, "ORC", 2), at(message, "ORC", 3), at(message, "ORC", 7, 4)],
    ["SC", "PL1", "FL1", "20260302091500"],
  );
  assert.deepEqual(
    [3, 4, 5, 6].map((field) => at(message, "MSH", field)),
    ["LEADGLASS", "RAD", "RIS", "NORTH"],
  );
  assert.deepEqual(
    [10, 15, 16].map((field) => at(message, "MSH", field)),
    ["0199aa", "", ""],
  );
  assert.equal(at(message, "ZDS", 1), "1.2.3");
});

test("in enhanced mode it asks to be told when it was taken, and for no more", () => {
  const message = sent(orderStatusMessage(state, { ...envelope, mode: "enhanced" }));
  assert.deepEqual([at(message, "MSH", 15), at(message, "MSH", 16)], ["AL", "NE"]);
});

test("each thing that a report says is an OBX of its type with its code, behind the study and the document", () => {
  const items = [
    { concept: code("F"), value: { kind: "text", text: "no | fracture\nseen" } },
    { concept: code("F"), value: { kind: "text", text: "a second one" } },
    { concept: code("L"), value: { kind: "number", number: "12.5", units: code("mm") } },
    { concept: code("L"), value: { kind: "number", number: "1e3", units: code("mm") } },
    { concept: code("C"), value: { kind: "code", code: code("normal") } },
  ] as const;
  const message = sent(resultMessage({ ...report, items }, envelope));
  const said = observations(message).map((obx) =>
    [2, 3, 4, 5, 6, 11].map((field) => textAt(message, obx, field)).join(" "),
  );
  assert.deepEqual(said, [
    "ST 113014 1 1.2.3  F",
    "ST  1 1.2.3.4  F",
    "TX F 1 no | fracture\nseen  F",
    "TX F 2 a second one  F",
    "NM L 1 12.5 mm F",
    "TX L 2 1e3 mm F",
    "CE C 1 normal  F",
  ]);
  assert.equal(at(message, "OBR", 25), "F");
  assert.equal(providerNamesAt(message, segmentNamed(message, "OBR"), 32)[0]?.family, "Müller");
  const preliminary = sent(resultMessage({ ...report, status: "preliminary" }, envelope));
  assert.equal(at(preliminary, "OBR", 25), "P");
});

test("attack 76: whatever a report says is read again as it was said, in one segment each", () => {
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 60 }).filter((one) => one.isWellFormed());
  const word = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 20 }).filter((one) => one.trim() === one);
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), word, word, (texts, id, family) => {
      const items = texts.map((said) => ({ concept: code("F"), value: { kind: "text" as const, text: said } }));
      const who = { ...patient, id, names: [{ ...name, family }] };
      const message = sent(resultMessage({ ...report, patient: who, items }, envelope));
      assert.equal(message.segments.length, 4 + 2 + texts.length);
      const pid = segmentNamed(message, "PID");
      assert.deepEqual(
        [identifiersAt(message, pid, 3)[0]?.id, identifiersAt(message, pid, 3)[0]?.authority],
        [id, "HOSP"],
      );
      assert.deepEqual(personNamesAt(message, pid, 5), [{ ...name, family }]);
      const read = observations(message).slice(2);
      const clean = (one: string) => one.replace(/\r\n?/g, "\n").trim();
      assert.deepEqual(
        read.map((obx) => textAt(message, obx, 5)),
        texts.map(clean),
      );
    }),
    { numRuns: 200, seed: 20261123 },
  );
});

test("a long text goes in several parts that put together are the same", () => {
  const said = Array.from({ length: 9_000 }, (_, nth) => `word${nth}`).join(" ") + "😀".repeat(20_000);
  const items = [{ concept: code("F"), value: { kind: "text" as const, text: said } }];
  const message = resultMessage({ ...report, items }, envelope);
  const parts = observations(message)
    .slice(2)
    .map(({ fields }) => fields[4] ?? "");
  assert.ok(parts.length > 3 && parts.every((part) => part.length <= 16_000 && part.isWellFormed()));
  assert.equal(parts.join(""), said);
  assert.ok(writeMessage(message));
});

test("what a character set cannot hold is not written at all; one that is not known is UTF-8", () => {
  assert.equal(writeMessage(orderStatusMessage(state, { ...envelope, characterSet: "8859/5" })), undefined);
  const message = sent(orderStatusMessage(state, { ...envelope, characterSet: "8859/1" }));
  assert.equal(personNamesAt(message, segmentNamed(message, "PID"), 5)[0]?.family, "Müller");
  assert.equal(at(orderStatusMessage(state, { ...envelope, characterSet: "KLINGON" }), "MSH", 18), "UNICODE UTF-8");
});

test("an answer is read with the message that it is about and its reason, by old and new versions", () => {
  const message = sent(orderStatusMessage(state, envelope));
  const parts = { controlId: "9", at: "20260301" };
  const fault = { condition: "unknownKey", what: "no such order" } as const;
  assert.deepEqual(acknowledgmentIn(sent(acknowledge(message, "AA", parts))), {
    ...{ code: "AA", controlId: "0199aa", what: "" },
  });
  const refused = acknowledgmentIn(sent(acknowledge(message, "AE", { ...parts, fault })));
  assert.deepEqual(refused, { code: "AE", controlId: "0199aa", what: "no such order" });
  assert.equal(acknowledgmentIn(message), undefined);
});

test("a message is described by the names of its fields, without what is empty", () => {
  const bytes = writeMessage(orderStatusMessage(state, envelope));
  assert.ok(bytes);
  const described = describedMessage(bytes);
  const pid = described?.find(({ name }) => name === "PID");
  assert.deepEqual(pid?.fields, [
    { number: 1, name: "Set ID", text: "1" },
    { number: 3, name: "Identifiers", text: "P1^^^HOSP" },
    { number: 5, name: "Name", text: "Müller^Änne^^^Dr^^L^A" },
    { number: 7, name: "Born", text: "19700102" },
    { number: 8, name: "Sex", text: "F" },
  ]);
  assert.equal(describedMessage(Buffer.from("nothing")), undefined);
});
