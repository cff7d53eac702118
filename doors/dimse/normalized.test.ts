import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { Problem, type ProblemCode } from "#base/problem";
import { elementsOf, Tag, tagOf, writeDataSet } from "#formats/dicom";
import { type CommandSet, commandField, noDataSet } from "./command.ts";
import {
  type Connection,
  type NormalizedAnswer,
  type NormalizedRequest,
  type NormalizedService,
  openAssociation,
  type WithDimseDetail,
} from "./index.ts";
import { createMessages, type Messages } from "./messages.ts";
import { ct, type doorWith, explicit, implicit, rawPeer } from "./scp.fixture.ts";
import { associate, bigEndian, deflated, serving } from "./services.fixture.ts";
import { createUpperLayer } from "./upper-layer.ts";

const commitment = "1.2.840.10008.1.20.1";
const mpps = "1.2.840.10008.3.1.2.3.3";
const upsPush = "1.2.840.10008.5.1.4.34.6.1";
const upsPull = "1.2.840.10008.5.1.4.34.6.3";

/** A service that keeps what it is asked, and answers as told. */
function answering(answer: (request: NormalizedRequest) => NormalizedAnswer) {
  const asked: NormalizedRequest[] = [];
  const service: NormalizedService = {
    async perform(request) {
      asked.push(request);
      return answer(request);
    },
  };
  return { asked, service };
}

const serves = (service: NormalizedService, ...sopClasses: string[]) =>
  serving({ normalized: new Map(sopClasses.map((uid) => [uid, service])) });

test("each N- service brings its data set there and another back, in every syntax", async () => {
  for (const syntax of [implicit, explicit, bigEndian, deflated]) {
    const { asked, service } = answering(({ operation }) => ({
      dataSet: elementsOf({ PatientComments: operation }),
      ...(operation === "create" ? { sopInstanceUid: "2.25.7" } : {}),
    }));
    const { door } = serves(service, mpps);
    const peer = await associate(door, [{ sopClassUid: mpps, transferSyntaxUids: [syntax] }]);
    const dataSet = elementsOf({ PatientName: "Müller" });
    const answers = [
      await peer.create(mpps, undefined, dataSet),
      await peer.set(mpps, "2.25.7", dataSet),
      await peer.getAttributes(mpps, "2.25.7", [Tag.PatientName, Tag.PatientID]),
      await peer.action(mpps, "2.25.7", 3, dataSet),
      await peer.eventReport(mpps, "2.25.7", 4, dataSet),
    ];
    assert.deepEqual(
      answers.map((one) => [one.status, one.sopInstanceUid, one.dataSet?.text(tagOf("PatientComments"))]),
      ["create", "set", "get", "action", "event-report"].map((operation) => [0, "2.25.7", operation]),
      syntax,
    );
    assert.deepEqual(
      asked.map(({ sopInstanceUid, typeId, attributes, dataSet: sent }) => [
        sopInstanceUid,
        typeId,
        attributes,
        sent?.text(Tag.PatientName),
      ]),
      [
        [undefined, undefined, [], "Müller"],
        ["2.25.7", undefined, [], "Müller"],
        ["2.25.7", undefined, [Tag.PatientName, Tag.PatientID], undefined],
        ["2.25.7", 3, [], "Müller"],
        ["2.25.7", 4, [], "Müller"],
      ],
    );
    await peer.release();
  }
});

test("a response names the kind of action or event of its request; a warning of the service is told", async () => {
  const { service } = answering(() => ({ status: 0x0107 }));
  const { door } = serves(service, commitment);
  const { send, commands } = await rawCaller(door);
  await send({ CommandField: commandField.nActionRq, ActionTypeID: 1 });
  await send({ CommandField: commandField.nEventReportRq, EventTypeID: 2 });
  assert.deepEqual(
    commands.map(({ CommandField, Status, ActionTypeID, EventTypeID, CommandDataSetType }) => [
      CommandField,
      Status,
      ActionTypeID,
      EventTypeID,
      CommandDataSetType,
    ]),
    [
      [0x8130, 0x0107, 1, undefined, noDataSet],
      [0x8100, 0x0107, undefined, 2, noDataSet],
    ],
  );
});

async function rawCaller(door: ReturnType<typeof doorWith>["door"]) {
  const peer = await rawPeer(door, 0, undefined, {
    contexts: [{ id: 5, abstractSyntax: commitment, transferSyntaxes: [explicit] }],
  });
  const send = async (command: Partial<CommandSet> & { CommandField: number }, dataSet?: Uint8Array) => {
    const whole = {
      CommandDataSetType: dataSet ? 1 : noDataSet,
      MessageID: 3,
      RequestedSOPClassUID: commitment,
      RequestedSOPInstanceUID: "1.2.840.10008.1.20.1.1",
      ...command,
    };
    await peer.send(peer.command(whole, 5), ...(dataSet ? [peer.dataSet(dataSet, 5)] : []));
    return peer.commands.at(-1)?.Status;
  };
  return { ...peer, send };
}

test("each kind of problem has its status, a duplicate is one of N-CREATE, and a service may name its own", async () => {
  const statuses: Record<ProblemCode, number> = {
    invalid: 0x0106,
    denied: 0x0124,
    unproven: 0x0124,
    absent: 0x0112,
    conflict: 0x0110,
    unsupported: 0x0211,
    "too-large": 0x0213,
    "no-room": 0x0213,
    busy: 0x0213,
    damaged: 0x0110,
    unavailable: 0x0213,
    fault: 0x0110,
  };
  let problem = new Problem("fault", "no");
  const { door } = serves({ perform: () => Promise.reject(problem) }, commitment);
  const { send, commands } = await rawCaller(door);
  for (const [code, expected] of Object.entries(statuses)) {
    problem = new Problem(code as ProblemCode, "no");
    assert.equal(await send({ CommandField: commandField.nSetRq }), expected, code);
    const created = await send({ CommandField: commandField.nCreateRq });
    assert.equal(created, code === "conflict" ? 0x0111 : expected, code);
  }
  const detail: WithDimseDetail = { dimseStatus: 0x0120, errorId: 0xa710, offendingElements: [0x00400252] };
  problem = Object.assign(new Problem("invalid", "it may no longer be changed"), detail);
  await send({ CommandField: commandField.nSetRq });
  const { Status, ErrorID, OffendingElement, ErrorComment } = commands.at(-1) ?? assert.fail();
  assert.deepEqual(
    [Status, ErrorID, OffendingElement, ErrorComment],
    [0x0120, 0xa710, [0x00400252], "it may no longer be changed"],
  );
});

test("requests whose command set or data set is wrong never reach the service", async () => {
  const { door } = serves({ perform: () => assert.fail("not to be asked") }, commitment);
  const { send } = await rawCaller(door);
  const { nActionRq, nSetRq, nEventReportRq, nDeleteRq, cFindRq } = commandField;
  assert.equal(await send({ CommandField: nActionRq }), 0x0123);
  assert.equal(await send({ CommandField: nEventReportRq }), 0x0113);
  assert.equal(await send({ CommandField: nSetRq, RequestedSOPInstanceUID: undefined }), 0x0117);
  assert.equal(await send({ CommandField: nSetRq, RequestedSOPInstanceUID: "1..2" }), 0x0117);
  assert.equal(await send({ CommandField: nSetRq, RequestedSOPClassUID: mpps }), 0x0118);
  assert.equal(await send({ CommandField: nDeleteRq }), 0x0211);
  assert.equal(await send({ CommandField: cFindRq, AffectedSOPClassUID: commitment }), 0x0211);
  assert.equal(await send({ CommandField: nSetRq }, Buffer.from("0800050043", "hex")), 0x0110);
  assert.equal(await send({ CommandField: nSetRq }, Buffer.alloc(4 * 2 ** 20 + 2)), 0x0213);
});

test("one service may stand for several SOP classes, named by one on the context of another", async () => {
  const { asked, service } = answering(() => ({}));
  const { door } = serves(service, upsPush, upsPull);
  const peer = await rawPeer(door, 0, undefined, {
    contexts: [{ id: 5, abstractSyntax: upsPull, transferSyntaxes: [explicit] }],
  });
  const dataSet = writeDataSet(elementsOf({ PatientID: "1" }), { transferSyntaxUid: explicit });
  const command = {
    CommandField: commandField.nSetRq,
    CommandDataSetType: 1,
    MessageID: 1,
    RequestedSOPClassUID: upsPush,
    RequestedSOPInstanceUID: "1.2.3",
  };
  await peer.send(peer.command(command, 5), peer.dataSet(dataSet, 5));
  assert.deepEqual([peer.commands[0]?.Status, asked[0]?.sopClassUid], [0, upsPush]);
});

test("what a peer asks for on our own association reaches who serves it there, and nothing else is served", async () => {
  const { asked, service } = answering(() => ({}));
  const [ours, theirs] = duplexPair();
  const opening = openAssociation(
    ours,
    {
      callingAe: "LEADGLASS",
      calledAe: "ARCHIVE",
      contexts: [
        { sopClassUid: commitment, transferSyntaxUids: [explicit] },
        { sopClassUid: ct, transferSyntaxUids: [explicit] },
      ],
    },
    { clock: systemClock, serves: { normalized: new Map([[commitment, service]]) } },
  );
  const invoke = await acceptingSide(theirs);
  const association = await opening;
  const report = {
    CommandField: commandField.nEventReportRq,
    CommandDataSetType: noDataSet,
    AffectedSOPClassUID: commitment,
    AffectedSOPInstanceUID: "1.2.840.10008.1.20.1.1",
    EventTypeID: 1,
  };
  assert.equal((await invoke(1, report)).command.Status, 0);
  assert.equal(asked[0]?.operation, "event-report");
  const store = { CommandField: commandField.cStoreRq, AffectedSOPClassUID: ct, AffectedSOPInstanceUID: "1.2.3" };
  const stored = await invoke(3, { ...store, CommandDataSetType: 1 }, { dataSet: [Buffer.alloc(10)] });
  assert.equal(stored.command.Status, 0x0122);
  association.abort();
});

/** A peer that accepts everything and asks on the association that we opened. */
async function acceptingSide(connection: Connection): Promise<Messages["invoke"]> {
  const opened = Promise.withResolvers<Messages["invoke"]>();
  let messages: Messages | undefined;
  const layer = createUpperLayer({
    connection,
    role: "acceptor",
    clock: systemClock,
    log: silentLog,
    artimMs: 1000,
    reader: { dataPduBytesMax: 1 << 20, associatePduBytesMax: 1 << 20 },
    user: {
      associateIndicated(request) {
        const contexts = request.contexts.map(({ id, transferSyntaxes: [transferSyntax = ""] }) => ({
          id,
          result: 0,
          transferSyntax,
        }));
        messages = createMessages({
          layer,
          contexts: new Map(
            request.contexts.map(({ id, abstractSyntax, transferSyntaxes: [uid = ""] }) => [
              id,
              { id, sopClassUid: abstractSyntax, transferSyntaxUid: uid },
            ]),
          ),
          peerPduBytesMax: 0,
          handlers: new Map(),
          commandBytesMax: 65_536,
          responseBytesMax: 65_536,
          window: { invoked: 1, performed: 1 },
          responseMs: 10_000,
          timedOut: () => {},
          clock: systemClock,
          log: silentLog,
        });
        layer.accept({ ...request, type: "associate-ac", contexts });
        opened.resolve(messages.invoke);
      },
      associateRefused: () => {},
      associateConfirmed: () => {},
      data: (...piece) => messages?.data(...piece),
      releaseIndicated: () => {},
      ended: () => {},
      closed: () => {},
    },
  });
  return opened.promise;
}
