import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { Problem, type ProblemCode } from "#base/problem";
import { elementsOf, type KeywordDataSet, readDataSet, Tag, writeDataSet } from "#formats/dicom";
import { type CommandSet, commandField, noDataSet } from "./command.ts";
import type { FindService } from "./index.ts";
import { createInterruptions } from "./interruptions.ts";
import { explicit, implicit, rawPeer } from "./scp.fixture.ts";
import { all, associate, bigEndian, deflated, listed, query, serving, studyFind } from "./services.fixture.ts";

const identifierBytes = writeDataSet(query(), { transferSyntaxUid: explicit });

const findRq: CommandSet = {
  CommandField: commandField.cFindRq,
  CommandDataSetType: 1,
  MessageID: 9,
  AffectedSOPClassUID: studyFind,
};

/** A peer that asks one C-FIND after the other, byte by byte as told. */
async function finder(service: FindService) {
  const { door } = serving({ finds: new Map([[studyFind, service]]) });
  const peer = await rawPeer(door, 0, undefined, {
    contexts: [{ id: 5, abstractSyntax: studyFind, transferSyntaxes: [explicit] }],
  });
  const ask = async (identifier: Uint8Array | undefined = identifierBytes, more: Partial<CommandSet> = {}) => {
    const command = { ...findRq, ...more };
    peer.commands.length = 0;
    await peer.send(peer.command(command, 5));
    if (command.CommandDataSetType !== noDataSet) await peer.send(peer.dataSet(identifier, 5));
    return peer.commands;
  };
  const put = (identifier: Uint8Array) => {
    peer.connection.write(peer.command(findRq, 5));
    peer.connection.write(peer.dataSet(identifier, 5));
  };
  const cancel = (messageId: number) =>
    peer.send(
      peer.command(
        { CommandField: commandField.cCancelRq, CommandDataSetType: noDataSet, MessageIDBeingRespondedTo: messageId },
        5,
      ),
    );
  return { peer, ask, put, cancel };
}

const patients = (count: number): KeywordDataSet[] =>
  Array.from({ length: count }, (_, i) => ({ PatientID: `${i}`, PatientName: `Doe^${i}` }));

test("matches come one by one in every transfer syntax of identifiers, with what was asked as it was asked", async () => {
  for (const syntax of [implicit, explicit, bigEndian, deflated]) {
    const service = listed(patients(3));
    const { door } = serving({ finds: new Map([[studyFind, service]]) });
    const peer = await associate(door, [{ sopClassUid: studyFind, transferSyntaxUids: [syntax] }]);
    const matches = await all(peer.find(studyFind, query({ PatientName: "Doe*" })));
    assert.deepEqual(
      matches.map((match) => [match.text(Tag.PatientID), match.text(Tag.PatientName)]),
      [0, 1, 2].map((i) => [`${i}`, `Doe^${i}`]),
      syntax,
    );
    const [asked] = service.asked;
    assert.equal(asked?.identifier.text(Tag.PatientName), "Doe*");
    assert.deepEqual(asked?.extended, { relational: false, fuzzyNames: false });
    assert.deepEqual([asked?.sopClassUid, service.state.returned], [studyFind, true]);
    await peer.release();
  }
});

test("text is answered in the character set of the request where it holds it, else in UTF-8; and the answer says in which", async () => {
  const cases = [
    { asked: "ISO_IR 100", name: "Müller", answered: ["ISO_IR 100"] },
    { asked: "ISO_IR 100", name: "Ωνάσης", answered: ["ISO_IR 192"] },
    { asked: "ISO_IR 192", name: "Ωνάσης", answered: ["ISO_IR 192"] },
    { asked: "\\ISO 2022 IR 87", name: "Yamada=山田", answered: ["", "ISO 2022 IR 87"] },
    { asked: "ISO_IR 999", name: "Doe", answered: ["ISO_IR 192"] },
    { asked: undefined, name: "Doe", answered: undefined },
    { asked: undefined, name: "Müller", answered: ["ISO_IR 192"] },
  ];
  for (const { asked, name, answered } of cases) {
    // What the service says of a character set is the door's to say.
    const service = listed([{ SpecificCharacterSet: "ISO_IR 144", PatientName: name }]);
    const { door } = serving({ finds: new Map([[studyFind, service]]) });
    const peer = await associate(door, [studyFind]);
    const sets = asked?.split("\\");
    const [match] = await all(peer.find(studyFind, rawQuery(sets)));
    assert.deepEqual([match?.text(Tag.PatientName), match?.texts(Tag.SpecificCharacterSet)], [name, answered]);
    await peer.release();
  }
});

/** Our own requests choose their character set themselves: this one says what it is told to. */
function rawQuery(sets: readonly string[] | undefined) {
  const bytes = writeDataSet(elementsOf({ SpecificCharacterSet: sets, PatientName: "" }), {
    transferSyntaxUid: explicit,
  });
  return readDataSet(bytes, { transferSyntaxUid: explicit });
}

test("a key that was ignored makes a warning of the match, and the answer is Success at the end", async () => {
  const identifier = elementsOf({ PatientID: "1" });
  const service = listed([
    { identifier, keysIgnored: false },
    { identifier, keysIgnored: true },
  ]);
  const { peer, ask } = await finder(service);
  assert.deepEqual(
    (await ask()).map(({ Status }) => Status),
    [0xff00, 0xff01, 0],
  );
  peer.connection.destroy();
});

test("who has seen enough of a query leaves it when the peer has ended it: an association is not released in the middle", async () => {
  const service = listed(patients(5_000));
  const { door } = serving({ finds: new Map([[studyFind, service]]) });
  const peer = await associate(door, [studyFind]);
  for await (const _ of peer.find(studyFind, query())) break;
  assert.equal(service.state.returned, true);
  assert.ok(service.state.taken < 5_000);
  await peer.release();
});

test("a query of no end is read no further than the peer reads, and let go of when the peer cancels", async () => {
  const service = listed(endless());
  const { door } = serving({ finds: new Map([[studyFind, service]]) });
  const peer = await associate(door, [studyFind]);
  let seen = 0;
  for await (const _ of peer.find(studyFind, query())) {
    if (++seen === 3) for (let before = -1; before !== service.state.taken; await turn()) before = service.state.taken;
    if (seen === 5) break;
  }
  while (!service.state.returned) await turn();
  assert.ok(service.state.taken < 2000, `${service.state.taken} were made for the 5 that were wanted`);
  assert.equal((await peer.echo()).status, 0);
  await peer.release();
});

function* endless(): Generator<KeywordDataSet> {
  for (let i = 0; ; i++) yield { PatientID: `${i}`, PatientComments: "x".repeat(1000) };
}

test("a C-CANCEL is answered at once although the query itself hangs, and so is one that comes too late", async () => {
  let returned = false;
  const hanging = {
    find: () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          returned = true;
          return { done: true as const, value: undefined };
        },
      }),
    }),
  };
  const { peer, ask, cancel } = await finder(hanging);
  assert.deepEqual(await ask(), []);
  await cancel(5); // of a request that is not
  assert.deepEqual(peer.commands, []);
  await cancel(9);
  assert.deepEqual(
    peer.commands.map(({ Status }) => Status),
    [0xfe00],
  );
  await cancel(9);
  assert.deepEqual([peer.commands.length, returned, peer.pdus], [1, true, ["associate-ac"]]);
});

test("an association that is gone lets go of its query", async () => {
  const service = listed(endless());
  const { door } = serving({ finds: new Map([[studyFind, service]]) });
  const peer = await associate(door, [studyFind]);
  const found = peer.find(studyFind, query())[Symbol.asyncIterator]();
  await found.next();
  peer.abort();
  while (!service.state.returned) await turn();
  await assert.rejects(
    async () => {
      while (!(await found.next()).done);
    },
    (error) => error instanceof Problem && error.code === "unavailable",
  );
});

test("each kind of problem of a query has its status, and our own side tells them apart again", async () => {
  const statuses: Record<ProblemCode, [number, ProblemCode]> = {
    invalid: [0xa900, "invalid"],
    denied: [0x0124, "denied"],
    unproven: [0x0124, "denied"],
    absent: [0x0124, "denied"],
    conflict: [0xc000, "invalid"],
    unsupported: [0xa900, "invalid"],
    "too-large": [0xa700, "busy"],
    "no-room": [0xa700, "busy"],
    busy: [0xa700, "busy"],
    damaged: [0xc000, "invalid"],
    unavailable: [0xa700, "busy"],
    fault: [0xc000, "invalid"],
  };
  let code: ProblemCode = "fault";
  const failing = {
    // biome-ignore lint/correctness/useYield: it fails before
    async *find() {
      throw new Problem(code, "no \\ good");
    },
  };
  const { ask, peer } = await finder(failing);
  const { door } = serving({ finds: new Map([[studyFind, failing]]) });
  const own = await associate(door, [studyFind]);
  for (const [kind, [expected, told]] of Object.entries(statuses)) {
    code = kind as ProblemCode;
    peer.commands.length = 0;
    const [answer] = await ask();
    assert.deepEqual([answer?.Status, answer?.ErrorComment], [expected, "no   good"], kind);
    await assert.rejects(all(own.find(studyFind, query())), (error) => error instanceof Problem && error.code === told);
  }
  await own.release();
});

test("identifiers that are missing, too large, or no data set are refused, and so is a C-FIND where none is served", async () => {
  const { ask } = await finder(listed([]));
  const statuses = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).map(({ Status }) => Status);
  assert.deepEqual(await statuses(undefined, { CommandDataSetType: noDataSet }), [0xa900]);
  assert.deepEqual(await statuses(Buffer.alloc(2 ** 20 + 2)), [0xa700]);
  assert.deepEqual(await statuses(Buffer.from("08000500ff00", "hex")), [0xc000]);
  const crowd = query({ RequestAttributesSequence: Array.from({ length: 20_000 }, () => ({})) });
  assert.deepEqual(await statuses(writeDataSet(crowd, { transferSyntaxUid: explicit })), [0xc000]);
  assert.deepEqual(await statuses(undefined, { AffectedSOPClassUID: "1.2.3" }), [0x0122]);
  assert.deepEqual(await statuses(undefined, { CommandField: commandField.cMoveRq }), [0x0211]);
  assert.deepEqual(await statuses(), [0]);
});

test("10,000 identifiers with bytes that were changed each get one final answer, and the door goes on", async () => {
  const { peer, ask, put } = await finder(listed(patients(1)));
  const whole = writeDataSet(
    elementsOf({
      SpecificCharacterSet: ["", "ISO 2022 IR 87"],
      PatientName: "Doe^John",
      ReferencedStudySequence: [{ ReferencedSOPInstanceUID: "1.2.3" }],
      StudyDate: "20200101-20201231",
      PatientID: "1\\2",
    }),
    { transferSyntaxUid: explicit, sequences: "delimiters" },
  );
  const expected = new Set([0, 0xc000, 0xa700, 0xa900]);
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  const mutant = fc.tuple(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(3 * whole.length));
  await fc.assert(
    fc.asyncProperty(fc.array(mutant, { minLength: 20, maxLength: 20 }), async (mutants) => {
      peer.commands.length = 0;
      for (const [changes, cut] of mutants) {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        put(bytes.subarray(0, cut));
      }
      const finals = () => peer.commands.filter(({ Status }) => Status !== 0xff00);
      for (let i = 0; i < 5000 && finals().length < mutants.length; i++) await turn();
      const statuses = finals().map(({ Status }) => Status ?? -1);
      assert.equal(statuses.length, mutants.length);
      assert.ok(
        statuses.every((status) => expected.has(status)),
        `${statuses}`,
      );
    }),
    { numRuns: 500 },
  );
  assert.deepEqual(
    (await ask()).map(({ Status }) => Status),
    [0xff00, 0],
  );
});

test("what waits for a promise is woken by the first interruption, and later ones wait no more", async () => {
  const interruptions = createInterruptions();
  const slow = interruptions.or(new Promise<number>(() => {}));
  assert.equal(await interruptions.or(Promise.resolve(1)), 1);
  await assert.rejects(interruptions.or(Promise.reject(new Error("it failed"))), /it failed/);
  interruptions.interrupt("cancelled");
  assert.deepEqual(
    [await slow, await interruptions.or(new Promise(() => {})), interruptions.why()],
    [undefined, undefined, "cancelled"],
  );
});
