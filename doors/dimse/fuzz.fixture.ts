// What the fuzzer (tests/fuzz) feeds: PDUs, command sets, and whole associations. A target throws where they do what they must not.
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { CommandError, type CommandSet, commandField, decodeCommand, encodeCommand } from "./command.ts";
import { encodeFragments } from "./fragments.ts";
import { dicomApplicationContext, type Pdu, PduError } from "./pdu.ts";
import { encodePdu } from "./pdu-encode.ts";
import { createPduReader } from "./pdu-reader.ts";
import { connectTo, ct, doorWith, explicit, implicit, storeRq, verification } from "./scp.fixture.ts";

const text = (value: string) => Uint8Array.from(Buffer.from(value, "latin1"));
const release: Pdu = { type: "release-rq" };
const request: Pdu = {
  type: "associate-rq",
  protocolVersion: 1,
  calledAe: "LEADGLASS",
  callingAe: "CT1",
  applicationContext: dicomApplicationContext,
  contexts: [
    { id: 1, abstractSyntax: verification, transferSyntaxes: [implicit] },
    { id: 3, abstractSyntax: ct, transferSyntaxes: [explicit, implicit] },
  ],
  user: {
    pduBytesMax: 16_384,
    implementationClassUid: "1.2.3",
    implementationVersion: "FUZZ",
    asyncWindow: { invoked: 4, performed: 2 },
    roles: [{ sopClassUid: ct, scu: true, scp: true }],
    extended: [{ sopClassUid: ct, information: Uint8Array.of(1, 1) }],
    commonExtended: [{ version: 0, sopClassUid: ct, serviceClassUid: "1.2", relatedSopClassUids: ["1.3", "1.4"] }],
    identity: { kind: 2, replyWanted: true, primary: text("user"), secondary: text("secret") },
  },
};
const accepted: Pdu = {
  ...request,
  type: "associate-ac",
  contexts: [
    { id: 1, result: 0, transferSyntax: implicit },
    { id: 3, result: 3, transferSyntax: explicit },
  ],
  user: { pduBytesMax: 0, implementationClassUid: "1.2.3", identityReply: text("reply") },
};
const pdus: readonly Pdu[] = [
  request,
  accepted,
  { type: "associate-rj", result: 1, source: 2, reason: 1 },
  { type: "p-data-tf", values: [{ contextId: 3, command: false, last: true, bytes: new Uint8Array(30) }] },
  { type: "abort", source: 2, reason: 1 },
  release,
  { type: "release-rp" },
];

const commands: readonly CommandSet[] = [
  storeRq,
  { CommandField: commandField.cEchoRq, CommandDataSetType: 0x0101, MessageID: 1, AffectedSOPClassUID: verification },
  {
    CommandField: commandField.cMoveRq | 0x8000,
    CommandDataSetType: 0x0101,
    MessageIDBeingRespondedTo: 2,
    Status: 0xa701,
    OffendingElement: [0x00080018, 0x0020000d],
    ErrorComment: "no room",
    MoveDestination: "WS1",
    NumberOfFailedSuboperations: 7,
  },
];

/** An item of an A-ASSOCIATE PDU in a few layers, each with a length that may be a lie. */
const { item } = fc.letrec<{ item: Uint8Array }>((tie) => ({
  item: fc
    .record({
      type: fc.oneof(
        fc.constantFrom(0x10, 0x20, 0x21, 0x30, 0x40, 0x50),
        fc.integer({ min: 0x51, max: 0x5a }),
        fc.nat(255),
      ),
      parts: fc.oneof(
        { maxDepth: 3, depthSize: "small" },
        fc.uint8Array({ maxLength: 24 }).map((bytes) => [bytes]),
        fc.array(tie("item"), { maxLength: 4 }),
      ),
      lie: fc.option(fc.nat(0xffff), { freq: 6 }),
    })
    .map(({ type, parts, lie }) => {
      const value = Buffer.concat(parts);
      const length = lie ?? value.length;
      return Buffer.concat([Buffer.from([type, 0, (length >>> 8) & 0xff, length & 0xff]), value]);
    }),
}));
const builtPdu = fc
  .record({ type: fc.constantFrom(1, 2), items: fc.array(item, { maxLength: 8 }) })
  .map(({ type, items }) => {
    const body = Buffer.concat([Buffer.from([0, 1, 0, 0]), Buffer.alloc(32, 0x41), Buffer.alloc(32), ...items]);
    const head = Buffer.from([type, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(body.length, 2);
    return Buffer.concat([head, body]);
  });

const limits = { dataPduBytesMax: 132_096, associatePduBytesMax: 262_144 };

/** What the reader tells of a stream that comes in pieces of these sizes; fragments joined, as how they were cut must not show. */
function told(input: Uint8Array, sizes: readonly number[]): unknown[] {
  const events: unknown[] = [];
  let open: { of: string; hex: string } | undefined;
  const whole = (event: unknown) => {
    open = undefined;
    return events.push(event) > 0;
  };
  const reader = createPduReader(
    {
      pdu: whole,
      dataBegins: () => whole("data"),
      data(contextId, command, last, bytes) {
        const of = `${contextId} ${command}`;
        if (open?.of !== of) {
          open = { of, hex: "" };
          events.push(open);
        }
        open.hex += Buffer.from(bytes).toString("hex");
        if (last) whole("last");
        return true;
      },
    },
    limits,
  );
  try {
    for (let at = 0, index = 0; at < input.length; index++) {
      const piece = Uint8Array.from(input.subarray(at, at + (sizes[index % sizes.length] ?? 1)));
      assert.equal(reader.read(piece, 0), piece.length);
      at += piece.length;
    }
  } catch (error) {
    if (!(error instanceof PduError)) throw error;
    events.push(error.message);
  }
  return events;
}

/** PDUs in pieces of any size: what is told of them is the same, and what is refused is refused with a reason. */
export const pduTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] => [...pdus.map(encodePdu), Buffer.concat(pdus.map(encodePdu))],
  built: builtPdu,
  run(input: Uint8Array): void {
    const sizes = [...input.subarray(-5)].map((byte) => 1 + byte);
    assert.deepEqual(told(input, sizes), told(input, [input.length]));
  },
};

/** A command set: read, written and read again it says the same. */
export const commandTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] => commands.map(encodeCommand),
  run(input: Uint8Array): void {
    let command: CommandSet;
    try {
      ({ command } = decodeCommand(input));
    } catch (error) {
      if (error instanceof CommandError) return;
      throw error;
    }
    const again = decodeCommand(encodeCommand(command));
    assert.deepEqual([again.command, again.mistyped], [command, []]);
  },
};

const stream = (...parts: readonly (Pdu | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => (part instanceof Uint8Array ? part : encodePdu(part))));
const commandIn = (set: CommandSet, contextId: number) => encodeFragments(contextId, true, encodeCommand(set), 16_000);

/** All that one peer sends, its A-ASSOCIATE-RQ too. Whatever it is, the door is left without it when the peer is gone. */
export const associationTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] => [
    stream(request, commandIn(commands[1]!, 1), release),
    stream(request, commandIn(storeRq, 3), encodeFragments(3, false, new Uint8Array(64), 32), release),
    stream(request, commandIn(storeRq, 3), { type: "abort", source: 0, reason: 0 }),
  ],
  words: [...pdus.map(encodePdu), ...commands.map((set) => stream(commandIn(set, 3)))],
  async run(input: Uint8Array): Promise<void> {
    const { door } = doorWith();
    const connection = connectTo(door, "10.0.0.1");
    connection.on("error", () => {});
    connection.resume();
    connection.write(input);
    for (let turns = 0; turns < 8; turns++) await turn();
    connection.destroy();
    for (let turns = 0; turns < 50 && door.associations().length > 0; turns++) await turn();
    assert.deepEqual(door.associations(), []);
  },
};
