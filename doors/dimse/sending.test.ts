import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import type { SendingAnswer } from "#radiology/relay";
import { type OutboundAssociation, openAssociation, type StoreRequest, sendAll } from "./index.ts";
import { connectTo, doorWith, explicit, implicit } from "./scp.fixture.ts";
import { stored } from "./services.fixture.ts";

type Refuse = (request: StoreRequest) => Problem | undefined;

/** A machine that takes these transfer syntaxes and refuses what it is told to. */
function machine(syntaxes?: readonly string[], refuse: Refuse = () => undefined) {
  const { kept, store } = doorWith();
  const { door } = doorWith({
    services: {
      echo: async () => {},
      store(request) {
        const problem = refuse(request);
        if (problem) throw problem;
        return store(request);
      },
    },
    ...(syntaxes && { policy: { sopClass: () => true, transferSyntax: (uid: string) => syntaxes.includes(uid) } }),
  });
  const opened: OutboundAssociation[] = [];
  const destination = {
    async open(contexts: Parameters<Parameters<typeof sendAll>[1]["open"]>[0]) {
      const proposal = { callingAe: "CT1", calledAe: "LEADGLASS", contexts };
      const association = await openAssociation(connectTo(door), proposal, { clock: systemClock });
      opened.push(association);
      return association;
    },
  };
  return { destination, kept, opened };
}

function sending(goesOn: (uid: string) => boolean = () => true) {
  const answers = new Map<string, SendingAnswer>();
  const stop = new AbortController();
  const answered = (uid: string, answer: SendingAnswer) => {
    answers.set(uid, answer);
    return goesOn(uid);
  };
  return { answers, stop, signal: stop.signal, log: silentLog, answered };
}

const three = [1, 2, 3].map((last) => stored(last));
const uidOf = (at: number) => three[at]?.sopInstanceUid ?? "";

test("all that is taken is told of as taken, over one association that is released", async () => {
  const { destination, kept, opened } = machine();
  const round = sending();
  await sendAll(three, destination, round);
  assert.deepEqual([...round.answers.values()], ["taken", "taken", "taken"]);
  assert.equal(kept.length, 3);
  assert.deepEqual(
    opened.map((association) => association.isOver()),
    [true],
  );
});

test("no room is for now, an object that is not understood for good, and so is one that no context takes", async () => {
  const refuse: Refuse = ({ sopInstanceUid }) => {
    if (sopInstanceUid === uidOf(0)) return new Problem("no-room", "full");
    return sopInstanceUid === uidOf(1) ? new Problem("invalid", "what is this") : undefined;
  };
  const { destination } = machine(undefined, refuse);
  const round = sending();
  await sendAll(three, destination, round);
  assert.deepEqual(
    [0, 1, 2].map((at) => round.answers.get(uidOf(at))),
    ["not-now", "refused", "taken"],
  );
  const narrow = sending();
  await sendAll(three, machine(["1.2.3"]).destination, narrow);
  assert.deepEqual([...narrow.answers.values()], ["refused", "refused", "refused"]);
});

test("a machine that refuses the stored syntax gets another one that the instance can be made into", async () => {
  const { destination, kept } = machine([implicit]);
  const round = sending();
  await sendAll([stored(1, { offered: [explicit, implicit] })], destination, round);
  assert.deepEqual(
    kept.map(({ request }) => request.transferSyntaxUid),
    [implicit],
  );
});

test("an instance that cannot be read is told of by its reason, and the others go on", async () => {
  const failing = (code: "unavailable" | "damaged") => async (): Promise<never> => {
    throw new Problem(code, "no");
  };
  const instances = three.map((instance, at) =>
    at === 0
      ? { ...instance, open: failing("unavailable") }
      : at === 1
        ? { ...instance, open: failing("damaged") }
        : instance,
  );
  const round = sending();
  await sendAll(instances, machine().destination, round);
  assert.deepEqual(
    [0, 1, 2].map((at) => round.answers.get(uidOf(at))),
    ["not-now", "refused", "taken"],
  );
});

test("one that turns out to be damaged on its way costs its association, and the others go over another one", async () => {
  async function* torn() {
    yield Buffer.alloc(300_000);
    throw new Problem("damaged", "a segment does not prove");
  }
  const [first, second, third] = three.map((instance, at) => ({
    ...instance,
    open: async (syntaxes: readonly string[]) => {
      const opened = await instance.open(syntaxes);
      return at === 1 ? { ...opened, dataSet: torn() } : opened;
    },
  }));
  const { destination, kept, opened } = machine();
  const round = sending();
  await sendAll([first!, second!, third!], destination, round);
  assert.deepEqual(
    [0, 1, 2].map((at) => round.answers.get(uidOf(at))),
    ["taken", "refused", "taken"],
  );
  assert.deepEqual([kept.length, opened.length], [2, 2]);
});

test("a lost association rejects; what was answered stands, and the rest is told of nothing", async () => {
  const { destination, opened } = machine(undefined, ({ sopInstanceUid }) => {
    if (sopInstanceUid === uidOf(1)) opened[0]?.abort();
    return undefined;
  });
  const round = sending();
  await assert.rejects(sendAll(three, destination, round), (error) => isProblem(error, "unavailable"));
  assert.deepEqual([...round.answers], [[uidOf(0), "taken"]]);
});

test("who hears enough stops it, and an abort ends the association at once", async () => {
  const enough = sending((uid) => uid !== uidOf(0));
  await sendAll(three, machine().destination, enough);
  assert.deepEqual([...enough.answers], [[uidOf(0), "taken"]]);
  const round = sending();
  const { destination, opened } = machine(undefined, () => {
    round.stop.abort();
    return undefined;
  });
  await assert.rejects(sendAll(three, destination, round));
  assert.equal(opened[0]?.isOver(), true);
});
