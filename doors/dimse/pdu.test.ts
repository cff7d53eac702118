import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { abortReason, type DataValue, type Pdu, PduError, type UserInformation } from "./pdu.ts";
import { encodePdu } from "./pdu-encode.ts";
import { createPduReader, type PduSink } from "./pdu-reader.ts";

const limits = { dataPduBytesMax: 132_096, associatePduBytesMax: 262_144 };

/** Everything the reader tells, with pieces of one fragment joined: how the bytes were cut must not show. */
function recorder() {
  const events: unknown[] = [];
  let open: { of: string; bytes: number[]; last: boolean } | undefined;
  const sink: PduSink = {
    pdu(pdu) {
      open = undefined;
      events.push(pdu);
      return true;
    },
    dataBegins() {
      open = undefined;
      events.push("data-begins");
      return true;
    },
    data(contextId, command, last, bytes) {
      const of = `${contextId} ${command}`;
      if (open?.of !== of) {
        open = { of, bytes: [], last: false };
        events.push(open);
      }
      open.bytes.push(...bytes);
      open.last = last;
      if (last) open = undefined;
      return true;
    },
  };
  return { events, sink };
}

function readAll(stream: Uint8Array, cuts: readonly number[]): { events: unknown[]; error: string | undefined } {
  const { events, sink } = recorder();
  const reader = createPduReader(sink, limits);
  const bounds = [0, ...[...cuts].sort((a, b) => a - b).filter((cut) => cut <= stream.length), stream.length];
  try {
    bounds.reduce((from, to) => {
      const chunk = stream.slice(from, to);
      assert.equal(reader.read(chunk, 0), chunk.length);
      return to;
    });
  } catch (error) {
    if (!(error instanceof PduError)) throw error;
    return { events, error: error.message };
  }
  return { events, error: undefined };
}

const uid = fc
  .array(fc.integer({ min: 0, max: 999_999 }), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join("."));
const aeTitle = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,15}$/);
const bytes = fc.uint8Array({ maxLength: 300 });

const user: fc.Arbitrary<UserInformation> = fc.record(
  {
    pduBytesMax: fc.nat(0xffffffff),
    implementationClassUid: uid,
    implementationVersion: fc.stringMatching(/^[A-Z0-9_]{1,16}$/),
    asyncWindow: fc.record({ invoked: fc.nat(0xffff), performed: fc.nat(0xffff) }),
    roles: fc.array(fc.record({ sopClassUid: uid, scu: fc.boolean(), scp: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    }),
    extended: fc.array(fc.record({ sopClassUid: uid, information: bytes }), { minLength: 1, maxLength: 3 }),
    commonExtended: fc.array(
      fc.record({
        version: fc.nat(255),
        sopClassUid: uid,
        serviceClassUid: uid,
        relatedSopClassUids: fc.array(uid, { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    identity: fc.record({ kind: fc.nat(255), replyWanted: fc.boolean(), primary: bytes, secondary: bytes }),
    identityReply: bytes,
  },
  { requiredKeys: ["pduBytesMax", "implementationClassUid"] },
);

const common = {
  protocolVersion: fc.nat(0xffff),
  calledAe: aeTitle,
  callingAe: aeTitle,
  applicationContext: uid,
  user,
};

const wholePdu: fc.Arbitrary<Pdu> = fc.oneof(
  fc.record({
    type: fc.constant("associate-rq" as const),
    ...common,
    contexts: fc.array(
      fc.record({
        id: fc.nat(255),
        abstractSyntax: uid,
        transferSyntaxes: fc.array(uid, { minLength: 1, maxLength: 4 }),
      }),
      { maxLength: 6 },
    ),
  }),
  fc.record({
    type: fc.constant("associate-ac" as const),
    ...common,
    contexts: fc.array(fc.record({ id: fc.nat(255), result: fc.nat(4), transferSyntax: uid }), { maxLength: 6 }),
  }),
  fc.record({
    type: fc.constant("associate-rj" as const),
    result: fc.nat(255),
    source: fc.nat(255),
    reason: fc.nat(255),
  }),
  fc.constant({ type: "release-rq" as const }),
  fc.constant({ type: "release-rp" as const }),
  fc.record({ type: fc.constant("abort" as const), source: fc.nat(255), reason: fc.nat(255) }),
);

const value: fc.Arbitrary<DataValue> = fc.record({
  contextId: fc.nat(255),
  command: fc.boolean(),
  last: fc.boolean(),
  bytes,
});
const dataPdu: fc.Arbitrary<Pdu> = fc.record({
  type: fc.constant("p-data-tf" as const),
  values: fc.array(value, { minLength: 1, maxLength: 4 }),
});

test("what is written of a PDU is read back the same", () => {
  fc.assert(
    fc.property(wholePdu, (pdu) => {
      assert.deepEqual(readAll(encodePdu(pdu), []), { events: [structuredClone(pdu)], error: undefined });
    }),
    { numRuns: 400, seed: 1 },
  );
});

test("the values of a P-DATA-TF are read back with context, kind, end and bytes", () => {
  fc.assert(
    fc.property(dataPdu, (pdu) => {
      const read: DataValue[] = [];
      const reader = createPduReader(
        {
          pdu: () => assert.fail("no other PDU was written"),
          dataBegins: () => true,
          data: (contextId, command, last, piece) =>
            read.push({ contextId, command, last, bytes: new Uint8Array(piece) }) > 0,
        },
        limits,
      );
      reader.read(encodePdu(pdu), 0);
      assert.deepEqual({ type: "p-data-tf", values: read }, structuredClone(pdu));
      assert.ok(reader.between());
    }),
    { numRuns: 300, seed: 2 },
  );
});

test("however the stream is cut, the events are the same", () => {
  const cuts = fc.array(fc.nat(4000), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(fc.oneof(wholePdu, dataPdu), { maxLength: 5 }), cuts, (pdus, at) => {
      const stream = Buffer.concat(pdus.map(encodePdu));
      assert.deepEqual(readAll(stream, at), readAll(stream, []));
    }),
    { numRuns: 300, seed: 3 },
  );
});

test("however a damaged stream is cut, events and error are the same, and nothing but a PduError is thrown", () => {
  const damage = fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { minLength: 1, maxLength: 6 });
  const cuts = fc.array(fc.nat(2000), { maxLength: 20 });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(wholePdu, dataPdu), { minLength: 1, maxLength: 3 }),
      damage,
      cuts,
      (pdus, hits, at) => {
        const stream = Buffer.concat(pdus.map(encodePdu));
        for (const [where, what] of hits) stream[where % stream.length] = what;
        const whole = readAll(stream, []);
        const cut = readAll(stream, at);
        assert.equal(cut.error, whole.error);
        if (whole.error === undefined) assert.deepEqual(cut.events, whole.events);
      },
    ),
    { numRuns: 500, seed: 4 },
  );
});

test("fragments are handed on before their PDU is complete, as views of the chunk", () => {
  const pdu = encodePdu({
    type: "p-data-tf",
    values: [{ contextId: 1, command: false, last: true, bytes: new Uint8Array(1000).fill(7) }],
  });
  const chunk = pdu.subarray(0, 500);
  const seen: { last: boolean; bytes: Uint8Array }[] = [];
  const sink: PduSink = {
    pdu: () => true,
    dataBegins: () => true,
    data: (_contextId, _command, last, bytes) => seen.push({ last, bytes }) > 0,
  };
  createPduReader(sink, limits).read(chunk, 0);
  assert.equal(seen.length, 1);
  assert.equal(seen[0]?.bytes.length, 488);
  assert.equal(seen[0]?.last, false);
  assert.equal(seen[0]?.bytes.buffer, chunk.buffer);
});

test("the reader stops where the sink says so, and goes on from there", () => {
  const one = encodePdu({ type: "release-rq" });
  const stream = Buffer.concat([one, one, one]);
  let seen = 0;
  const reader = createPduReader({ pdu: () => ++seen > 100, dataBegins: () => true, data: () => true }, limits);
  assert.equal(reader.read(stream, 0), 10);
  assert.equal(reader.read(stream, 10), 20);
  assert.equal(seen, 2);
});

test("lengths that no PDU may have are refused at the header", () => {
  const header = (type: number, length: number) => {
    const out = Buffer.alloc(6);
    out[0] = type;
    out.writeUInt32BE(length, 2);
    return out;
  };
  const refuse = (type: number, length: number) =>
    assert.throws(
      () => createPduReader(recorder().sink, limits).read(header(type, length), 0),
      (error: unknown) => error instanceof PduError && error.reason === abortReason.invalidParameter,
      `type ${type} length ${length}`,
    );
  for (const type of [1, 2, 3, 4, 5, 6, 7])
    for (const length of [0xffffffff, 0x80000000, 0, 1, 3]) refuse(type, length);
  refuse(1, 262_145);
  refuse(4, 132_097);
  refuse(5, 5);
  assert.throws(
    () => createPduReader(recorder().sink, limits).read(header(8, 4), 0),
    (error: unknown) => error instanceof PduError && error.reason === abortReason.unrecognizedPdu,
  );
});
