import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandError, type CommandSet, decodeCommand, encodeCommand } from "./command.ts";

const us = fc.nat(0xffff);
const uid = fc.stringMatching(/^[1-9](\.[1-9][0-9]{0,3}){1,8}$/);
const text = fc.stringMatching(/^[A-Za-z]([ -[\]-~]{0,30}[A-Za-z])?$/);
const title = fc.stringMatching(/^[A-Z][A-Z0-9]{0,15}$/);
const tags = fc.array(fc.nat(0xffffffff), { maxLength: 6 });

const command: fc.Arbitrary<CommandSet> = fc.record(
  {
    CommandField: us,
    CommandDataSetType: us,
    AffectedSOPClassUID: uid,
    RequestedSOPClassUID: uid,
    MessageID: us,
    MessageIDBeingRespondedTo: us,
    MoveDestination: title,
    Priority: us,
    Status: us,
    OffendingElement: tags,
    ErrorComment: text,
    ErrorID: us,
    AffectedSOPInstanceUID: uid,
    RequestedSOPInstanceUID: uid,
    EventTypeID: us,
    AttributeIdentifierList: tags,
    ActionTypeID: us,
    NumberOfRemainingSuboperations: us,
    NumberOfCompletedSuboperations: us,
    NumberOfFailedSuboperations: us,
    NumberOfWarningSuboperations: us,
    MoveOriginatorApplicationEntityTitle: title,
    MoveOriginatorMessageID: us,
  },
  { requiredKeys: ["CommandField", "CommandDataSetType"] },
);

/** One element of group 0000, whatever it says of its length. */
function element(number: number, value: Uint8Array, length = value.length, group = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, value]);
}
const short = (value: number) => Buffer.from([value & 0xff, value >>> 8]);
const field = element(0x0100, short(1));
const dataSetType = element(0x0800, short(1));

test("what is written of a command set is read back the same", () => {
  fc.assert(
    fc.property(command, (set) => {
      assert.deepEqual(decodeCommand(encodeCommand(set)), { command: structuredClone(set), mistyped: [] });
    }),
    { numRuns: 500, seed: 1 },
  );
});

test("a command set is even in length, ascending, and begins with its group length", () => {
  const bytes = encodeCommand({
    CommandField: 0x8001,
    CommandDataSetType: 0x0101,
    Status: 0,
    AffectedSOPClassUID: "1.2.3",
  });
  assert.equal(bytes.toString("hex", 0, 8), "0000000004000000");
  assert.equal(bytes.readUInt32LE(8), bytes.length - 12);
  assert.equal(bytes.length % 2, 0);
});

test("the command set of DCMTK's storescu is read", () => {
  // C-STORE-RQ as DCMTK 3.6.7 writes it, with its group length and the padding of its UIDs.
  const bytes = Buffer.concat([
    element(0x0000, Buffer.from([0x7a, 0, 0, 0])),
    element(0x0002, Buffer.from("1.2.840.10008.5.1.4.1.1.2\0", "latin1")),
    element(0x0100, short(1)),
    element(0x0110, short(1)),
    element(0x0700, short(0)),
    element(0x0800, short(1)),
    element(0x1000, Buffer.from("1.3.6.1.4.1.5962.1.1.1.1.1\0\0", "latin1")),
  ]);
  assert.deepEqual(decodeCommand(bytes).command, {
    CommandField: 1,
    CommandDataSetType: 1,
    MessageID: 1,
    Priority: 0,
    AffectedSOPClassUID: "1.2.840.10008.5.1.4.1.1.2",
    AffectedSOPInstanceUID: "1.3.6.1.4.1.5962.1.1.1.1.1",
  });
});

test("a command set that cannot be understood is an error", () => {
  const wrong: [string, Buffer][] = [
    ["nothing", Buffer.alloc(0)],
    ["no command field", dataSetType],
    ["no data set type", field],
    ["an element twice", Buffer.concat([field, field, dataSetType])],
    [
      "an unknown element twice",
      Buffer.concat([field, dataSetType, element(0x5555, short(0)), element(0x5555, short(0))]),
    ],
    ["cut in a header", Buffer.concat([field, dataSetType, Buffer.alloc(7)])],
    ["cut in a value", Buffer.concat([field, dataSetType, element(0x0110, short(1), 4)])],
    ["a length of 4 GiB", Buffer.concat([field, dataSetType, element(0x1000, short(1), 0xffffffff)])],
    ["another group", Buffer.concat([field, dataSetType, element(0x0010, short(1), 2, 8)])],
    ["a command field of four bytes", Buffer.concat([element(0x0100, Buffer.alloc(4)), dataSetType])],
  ];
  for (const [what, bytes] of wrong) assert.throws(() => decodeCommand(bytes), CommandError, what);
});

test("an element of the wrong size is named, and the rest is read", () => {
  const bytes = Buffer.concat([
    field,
    dataSetType,
    element(0x0110, Buffer.alloc(4)),
    element(0x1000, Buffer.alloc(66, "1")),
  ]);
  assert.deepEqual(decodeCommand(bytes), {
    command: { CommandField: 1, CommandDataSetType: 1 },
    mistyped: [0x0110, 0x1000],
  });
});

test("any bytes are read or refused, never more", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeCommand(bytes);
      } catch (error) {
        assert.ok(error instanceof CommandError);
      }
    }),
    { numRuns: 2000, seed: 2 },
  );
});
