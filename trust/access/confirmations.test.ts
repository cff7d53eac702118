import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isProblem, Problem } from "#base/problem";
import { confirmationHouse, countingPerform, until } from "./confirmations.fixture.ts";
import { actorOf, type Confirmation, operator, type PairAct, type Perform, pairActs } from "./index.ts";

const study = { kind: "study", id: "ab12" } as const;
const detail = { Images: "124" };
const minute = 60_000;

/** Ada asks, Bob confirms, Cleo could too; Oscar observes. */
async function people(work: Perform = async () => "done", minutes?: number) {
  const counting = countingPerform(work);
  const house = await confirmationHouse({ "study.shred": counting.perform }, minutes);
  const [ada, bob, cleo] = [await house.person("ada"), await house.person("bob"), await house.person("cleo")];
  const oscar = await house.person("oscar", "researcher");
  const ask = (as: typeof ada.actor = ada.actor) => house.confirmations().request(as, "study.shred", study, detail);
  return { ...house, house, passes: counting.passes, ada, bob, cleo, oscar, ask };
}

const conflict = (message: RegExp) => (error: unknown) => isProblem(error, "conflict") && message.test(error.message);
const ended = ({ state }: Confirmation) => state === "done" || state === "failed";

describe("what one asks for and another confirms", () => {
  test("it is done once, by a pass that names the request, and who asked gets what came of it", async () => {
    const { house, confirmations, ada, bob, cleo, ask, passes } = await people(async () => ({ certificate: "c" }));
    const asked = await ask();
    assert.equal(asked.state, "pending");
    assert.equal(asked.endsAt - asked.requestedAt, 30 * minute);
    assert.equal(passes.length, 0, "nothing is done before it is confirmed");
    assert.equal((await confirmations().confirm(bob.actor, asked.id, bob.code())).state, "confirmed");
    const done = await until(house, ada.actor, asked.id, ended);
    assert.deepEqual(done.result, { certificate: "c" });
    assert.equal(done.decidedBy, bob.actor.id);
    assert.deepEqual(done.detail, detail);
    assert.equal((await confirmations().read(bob.actor, asked.id)).result, undefined, "for who asked alone");
    assert.equal((await confirmations().read(cleo.actor, asked.id)).state, "done");
    assert.deepEqual(
      passes.map(({ actor, act, on }) => [actor.id, act, on]),
      [[`pair:${asked.id}`, "study.shred", study]],
    );
  });

  test("who asked, and nobody else, goes on with what is done: as the pair, with an entry for each piece", async () => {
    const { house, confirmations, ada, bob, oscar, ask, entries } = await people();
    const piece = { kind: "study", id: "cd34" } as const;
    const goOn = (as: typeof ada.actor, id: string, act: PairAct = "study.shred") =>
      confirmations().goOn(as, id, act, piece, async ({ actor }, { on }) => `${actor.id} ${on.id}`);
    const absent = (error: unknown) => isProblem(error, "absent") || isProblem(error, "denied");
    const { id } = await ask();
    await assert.rejects(goOn(ada.actor, id), absent, "it is not confirmed");
    await confirmations().confirm(bob.actor, id, bob.code());
    await until(house, ada.actor, id, ended);
    assert.equal(await goOn(ada.actor, id), `pair:${id} ${study.id}`);
    assert.deepEqual(entries.at(-1), { actor: `pair:${id}`, act: "study.shred", on: piece, outcome: "done" });
    for (const actor of [bob.actor, oscar.actor, operator]) await assert.rejects(goOn(actor, id), absent);
    await assert.rejects(goOn({ ...ada.actor, sees: "masked" as const }, id), absent);
    await assert.rejects(goOn(ada.actor, id, "patient.shred"), absent, "another act");
    await assert.rejects(goOn(ada.actor, "0".repeat(32)), absent);
  });

  test("the log says who asked, who confirmed and what was done, each entry with what it was about", async () => {
    const { house, confirmations, ada, bob, ask, entries } = await people();
    const { id } = await ask();
    await confirmations().confirm(bob.actor, id, bob.code());
    await until(house, ada.actor, id, ended);
    const on = { kind: "confirmation", id: `${id} study.shred study ab12` };
    assert.deepEqual(entries.slice(0, 3), [
      { actor: ada.actor.id, act: "confirmation.request", on, purpose: "operations", outcome: "done" },
      { actor: bob.actor.id, act: "confirmation.confirm", on, purpose: "operations", outcome: "done" },
      { actor: `pair:${id}`, act: "study.shred", on: study, outcome: "done" },
    ]);
  });

  test("the operator at the console may ask, and an administrator confirms", async () => {
    const { house, confirmations, bob, ask } = await people();
    const { id } = await ask(operator);
    await assert.rejects(confirmations().confirm(operator, id, "123456"), { code: "denied" });
    await confirmations().confirm(bob.actor, id, bob.code());
    assert.equal((await until(house, operator, id, ended)).result, "done");
  });

  test("what fails says why to who asked, and the same can be asked for again", async () => {
    const { house, confirmations, ada, bob, ask, lines } = await people(async () => {
      throw new Problem("absent", "no such study", { remedy: "look again" });
    });
    const { id } = await ask();
    await confirmations().confirm(bob.actor, id, bob.code());
    const failed = await until(house, ada.actor, id, ended);
    assert.equal(failed.state, "failed");
    assert.deepEqual(failed.problem, { code: "absent", message: "no such study", remedy: "look again" });
    assert.equal(lines.length, 1);
    assert.equal((await ask()).state, "pending");
  });

  test("what is told and what came of it rest sealed", async () => {
    const { house, confirmations, store, ada, bob, ask } = await people(async () => "shares");
    const { id } = await ask();
    await confirmations().confirm(bob.actor, id, bob.code());
    await until(house, ada.actor, id, ended);
    const kept = await store.request(id);
    assert.match(Buffer.from(kept?.detailSealed ?? []).toString(), new RegExp(`^request ${id}\0`));
    assert.match(Buffer.from(kept?.resultSealed ?? []).toString(), new RegExp(`^result ${id}\0`));
  });

  test("no single actor of any kind may do such an act", async () => {
    const { gate, ada } = await people();
    const kinds = [ada.actor, operator, actorOf("client", "c"), actorOf("device", "d"), actorOf("setup", "s")];
    for (const act of pairActs) {
      for (const actor of kinds) {
        const passing = gate.pass(actor, act, study, async () => assert.fail("it was done"));
        await assert.rejects(passing, { code: "denied" }, `${actor.id} ${act}`);
      }
    }
    assert.equal(pairActs.length, 5);
  });
});

describe("who may not confirm", () => {
  test("who asked, from any session", async () => {
    const { confirmations, sessions, ada, ask, passes } = await people();
    const { id } = await ask();
    const other = await sessions.begin(ada.actor.id, { userAgent: "", address: "" });
    const elsewhere = sessions.of(other.secret)?.actor;
    for (const actor of [ada.actor, elsewhere ?? assert.fail("no session")]) {
      await assert.rejects(confirmations().confirm(actor, id, ada.code()), conflict(/who asked/));
    }
    assert.equal(passes.length, 0);
    assert.equal((await confirmations().read(ada.actor, id)).state, "pending");
  });

  test("an observer, a program, a masked program, a device, nobody: they see nothing and do nothing", async () => {
    const { confirmations, oscar, ask, passes } = await people();
    const { id } = await ask();
    const others = [
      oscar.actor,
      actorOf("client", "c"),
      actorOf("client", "c", { sees: "masked" }),
      actorOf("device", "d"),
      actorOf("pair", id),
      { kind: "anonymous", id: "anonymous" } as const,
    ];
    for (const actor of others) {
      await assert.rejects(confirmations().confirm(actor, id, oscar.code()), { code: "denied" }, actor.id);
      await assert.rejects(confirmations().refuse(actor, id), { code: "denied" }, actor.id);
      await assert.rejects(confirmations().withdraw(actor, id), { code: "denied" }, actor.id);
      await assert.rejects(confirmations().read(actor, id), { code: "denied" }, actor.id);
      await assert.rejects(confirmations().list(actor), { code: "denied" }, actor.id);
      await assert.rejects(ask(actor), { code: "denied" }, actor.id);
    }
    assert.equal(passes.length, 0);
  });

  test("without the second factor, with a code that was used, with somebody else's, or by guessing", async () => {
    const { confirmations, signIn, clock, bob, cleo, ask, passes } = await people();
    const { id } = await ask();
    const used = bob.code();
    assert.ok(await signIn.secondFactorIs(bob.id, used), "for example at signing in");
    for (const code of [used, cleo.code(), "", "000000x"]) {
      await assert.rejects(confirmations().confirm(bob.actor, id, code), { code: "invalid", remedy: /next code/ });
    }
    for (let guess = 0; guess < 5; guess++)
      await confirmations()
        .confirm(bob.actor, id, `00000${guess}`)
        .catch(() => {});
    await assert.rejects(confirmations().confirm(bob.actor, id, bob.code()), { code: "busy" });
    assert.equal(passes.length, 0);
    clock.advance(minute);
    await confirmations().confirm(bob.actor, id, bob.code());
  });

  test("anybody on behalf of somebody who was removed meanwhile", async () => {
    const { confirmations, grants, ada, bob, ask } = await people();
    const { id } = await ask();
    await grants.endAllOf(ada.actor.id, operator);
    await assert.rejects(confirmations().confirm(bob.actor, id, bob.code()), conflict(/no longer an administrator/));
    assert.equal((await confirmations().refuse(bob.actor, id)).state, "refused");
  });

  test("the one administrator who is left", async () => {
    const { confirmations, grants, ada, bob, cleo, ask } = await people();
    const { id } = await ask(operator);
    for (const leaver of [ada, cleo]) await grants.endAllOf(leaver.actor.id, operator);
    await assert.rejects(confirmations().confirm(bob.actor, id, bob.code()), conflict(/two administrators/));
    await confirmations().refuse(bob.actor, id);
    await assert.rejects(ask(operator), (error) => isProblem(error, "conflict") && /user add/.test(error.remedy ?? ""));
  });
});

describe("when it can no longer be confirmed", () => {
  test("its time is over", async () => {
    const { confirmations, clock, bob, ask, ada, passes } = await people(undefined, 5);
    const { id } = await ask();
    clock.advance(5 * minute);
    await assert.rejects(confirmations().confirm(bob.actor, id, bob.code()), conflict(/time to confirm this is over/));
    await assert.rejects(confirmations().withdraw(ada.actor, id), conflict(/over/));
    assert.equal((await confirmations().read(ada.actor, id)).state, "expired");
    assert.equal(passes.length, 0);
    assert.equal((await ask()).state, "pending", "it can be asked for again");
  });

  test("it was withdrawn, refused or done: each is said, and stays", async () => {
    const { house, confirmations, ada, bob, cleo, ask, passes } = await people();
    const withdrawn = await ask();
    await assert.rejects(confirmations().withdraw(bob.actor, withdrawn.id), conflict(/somebody else asked/));
    await assert.rejects(confirmations().refuse(ada.actor, withdrawn.id), conflict(/you asked/));
    await confirmations().withdraw(ada.actor, withdrawn.id);
    await assert.rejects(confirmations().confirm(bob.actor, withdrawn.id, bob.code()), conflict(/withdrawn/));
    const refused = await ask();
    await confirmations().refuse(bob.actor, refused.id);
    await assert.rejects(confirmations().confirm(cleo.actor, refused.id, cleo.code()), conflict(/refused/));
    const done = await ask();
    await confirmations().confirm(bob.actor, done.id, bob.code());
    await until(house, ada.actor, done.id, ended);
    await assert.rejects(confirmations().confirm(cleo.actor, done.id, cleo.code()), conflict(/done already/));
    await assert.rejects(confirmations().refuse(cleo.actor, done.id), conflict(/done already/));
    assert.equal(passes.length, 1);
    assert.deepEqual((await confirmations().list(ada.actor)).map(({ state }) => state).sort(), [
      "done",
      "refused",
      "withdrawn",
    ]);
  });

  test("two confirm at once: one of them does, the other hears of it", async () => {
    const { house, confirmations, ada, bob, cleo, ask, passes } = await people();
    const { id } = await ask();
    const both = await Promise.allSettled([
      confirmations().confirm(bob.actor, id, bob.code()),
      confirmations().confirm(cleo.actor, id, cleo.code()),
    ]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const lost = both.find((one) => one.status === "rejected");
    assert.ok(conflict(/confirmed already|confirmed and done/)(lost?.reason));
    await until(house, ada.actor, id, ended);
    assert.equal(passes.length, 1);
  });

  test("an id that is none is absent, whoever guesses it, and the log does not repeat it", async () => {
    const { confirmations, bob, entries } = await people();
    for (const id of ["0".repeat(32), "../x", "Smith^John", ""]) {
      await assert.rejects(confirmations().read(bob.actor, id), { code: "absent" });
      await assert.rejects(confirmations().confirm(bob.actor, id, bob.code()), { code: "absent" });
    }
    assert.ok(entries.every(({ on }) => on?.id === "unknown"));
  });

  test("the same cannot be asked for twice at a time, nor too much at once, nor by a name", async () => {
    const { confirmations, ada, ask } = await people();
    const { id } = await ask();
    await assert.rejects(ask(operator), (error) => isProblem(error, "conflict") && error.remedy?.includes(id) === true);
    for (let n = 0; n < 99; n++) {
      await confirmations().request(ada.actor, "study.shred", { kind: "study", id: `s${n}` }, {});
    }
    const more = confirmations().request(ada.actor, "study.shred", { kind: "study", id: "more" }, {});
    await assert.rejects(more, { code: "busy" });
    for (const named of ["1.2.840.1", "Smith", ""]) {
      const asking = confirmations().request(ada.actor, "study.shred", { kind: "study", id: named }, {});
      await assert.rejects(asking, { code: "invalid" });
    }
    const unbuilt = confirmations().request(ada.actor, "root.change", { kind: "system", id: "root" }, {});
    await assert.rejects(unbuilt, { code: "unsupported" });
  });

  test("what ended three days ago is gone", async () => {
    const { confirmations, clock, ada, ask, store } = await people();
    const { id } = await ask();
    clock.advance(72 * 60 * minute + 1);
    assert.deepEqual(await confirmations().list(ada.actor), []);
    await ask();
    assert.equal(await store.request(id), undefined);
  });
});

describe("when something breaks in between", () => {
  const broken = new Problem("no-room", "the log is full");

  test("an act that is not in the log is not done: a confirmation that cannot be logged is none", async () => {
    const { house, confirmations, logFails, ada, bob, cleo, ask, passes } = await people();
    const { id } = await ask();
    logFails.error = broken;
    await assert.rejects(confirmations().confirm(bob.actor, id, bob.code()), { code: "no-room" });
    await assert.rejects(ask(), { code: "no-room" });
    logFails.error = undefined;
    assert.equal((await confirmations().read(ada.actor, id)).state, "pending");
    assert.equal((await confirmations().list(ada.actor)).length, 1);
    assert.equal(passes.length, 0);
    await confirmations().confirm(cleo.actor, id, cleo.code());
    await until(house, ada.actor, id, ended);
    assert.equal(passes.length, 1);
  });

  test("a crash before the act was begun asks for the confirmation again", async () => {
    const { house, confirmations, store, restart, ada, bob, cleo, ask, passes } = await people();
    const { id } = await ask();
    // The gate has let the confirmation through; then nothing more is written.
    const known = { id, state: "pending", begun: 0 } as const;
    await store.moveRequest(known, { state: "confirmed", decidedBy: bob.actor.id, decidedAt: 1 });
    await restart();
    const seen = await confirmations().read(ada.actor, id);
    assert.deepEqual([seen.state, seen.decidedBy], ["pending", undefined]);
    await confirmations().confirm(cleo.actor, id, cleo.code());
    await until(house, ada.actor, id, ended);
    assert.equal(passes.length, 1);
  });

  test("a crash while it is done: the next start does it, and nobody is asked again", async () => {
    let isStuck = true;
    const { house, confirmations, restart, ada, bob, ask, passes, entries } = await people(() =>
      isStuck ? new Promise(() => {}) : Promise.resolve("finished"),
    );
    const { id } = await ask();
    await confirmations().confirm(bob.actor, id, bob.code());
    await until(house, ada.actor, id, () => passes.length === 1);
    isStuck = false;
    await restart();
    assert.equal((await until(house, ada.actor, id, ended)).result, "finished");
    assert.equal(passes.length, 2);
    assert.equal(entries.filter(({ act }) => act === "study.shred").length, 2, "each time is in the log");
    await restart();
    assert.equal(passes.length, 2, "what is done stays done");
  });

  test("an act that takes the server down each time is given up after three", async () => {
    const { house, confirmations, restart, ada, bob, ask, passes } = await people(() => new Promise(() => {}));
    const { id } = await ask();
    await confirmations().confirm(bob.actor, id, bob.code());
    for (let crash = 0; crash < 5; crash++) await restart();
    const failed = await until(house, ada.actor, id, ended);
    assert.match(failed.problem?.message ?? "", /stopped 3 times/);
    assert.equal(passes.length, 3);
  });

  test("an ordinary stop does not count as a crash: it goes on at the next start, however often", async () => {
    let isStopping = true;
    const { house, confirmations, restart, ada, bob, ask } = await people(
      (_grant, stopping) =>
        new Promise((resolve, reject) => {
          if (!isStopping) resolve("finished");
          stopping.addEventListener("abort", () => reject(new Error("stopped")));
        }),
    );
    const { id } = await ask();
    await confirmations().confirm(bob.actor, id, bob.code());
    for (let stop = 0; stop < 6; stop++) {
      await confirmations().close();
      await restart();
    }
    isStopping = false;
    await confirmations().close();
    await restart();
    assert.equal((await until(house, ada.actor, id, ended)).result, "finished");
  });

  test("a database that fails while it is asked for leaves nothing half asked", async () => {
    for (const method of ["requests", "addRequest", "removeRequests"]) {
      const { confirmations, store, ada, ask } = await people();
      store.failNext(broken, method);
      await assert.rejects(ask(), { code: "no-room" }, method);
      assert.deepEqual(await confirmations().list(ada.actor), [], method);
      assert.equal((await ask()).state, "pending", method);
    }
  });

  test("a database that fails while it is confirmed leaves it to be confirmed, and it is done once", async () => {
    for (const method of ["account", "request", "useTotpStep", "moveRequest"]) {
      const { house, confirmations, store, clock, ada, bob, ask, passes } = await people();
      const { id } = await ask();
      store.failNext(broken, method);
      await assert.rejects(confirmations().confirm(bob.actor, id, bob.code()), { code: "no-room" }, method);
      assert.equal((await confirmations().read(ada.actor, id)).state, "pending", method);
      assert.equal(passes.length, 0, method);
      clock.advance(minute);
      await confirmations().confirm(bob.actor, id, bob.code());
      await until(house, ada.actor, id, ended);
      assert.equal(passes.length, 1, method);
    }
  });

  test("one that cannot be begun is left to be confirmed; an outcome that cannot be kept is found by the next start", async () => {
    for (const failingCall of [2, 3]) {
      const { house, confirmations, store, clock, restart, ada, bob, ask, passes, lines } = await people();
      const { id } = await ask();
      const move = store.moveRequest;
      let calls = 0;
      store.moveRequest = async (known, to) => {
        if (++calls === failingCall) throw broken;
        return move(known, to);
      };
      const confirming = confirmations().confirm(bob.actor, id, bob.code());
      if (failingCall === 2) {
        await assert.rejects(confirming, { code: "no-room" });
        assert.equal((await confirmations().read(ada.actor, id)).state, "pending");
        assert.equal(passes.length, 0);
        clock.advance(minute);
        await confirmations().confirm(bob.actor, id, bob.code());
      } else {
        await confirming;
        await until(house, ada.actor, id, () => lines.length > 0);
        assert.equal((await confirmations().read(ada.actor, id)).state, "confirmed");
        await restart();
      }
      assert.equal((await until(house, ada.actor, id, ended)).state, "done");
      assert.equal(passes.length, failingCall - 1);
      assert.equal(lines.length, failingCall - 2);
    }
  });
});

/** What may happen to one request, in any order, by anybody. */
const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constantFrom("confirm", "refuse", "withdraw") as fc.Arbitrary<string>,
      who: fc.nat(3),
      goodCode: fc.boolean(),
    }),
    fc.record({ do: fc.constant("wait"), minutes: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ do: fc.constantFrom("crash", "ask") as fc.Arbitrary<string> }),
  ),
  { minLength: 1, maxLength: 12 },
) as fc.Arbitrary<readonly { do: string; who?: number; goodCode?: boolean; minutes?: number }[]>;

test("whatever happens in whatever order: done at most once for each that was confirmed in time by another, and never else", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (happening) => {
      const { house, confirmations, clock, restart, ada, bob, cleo, oscar, ask, passes } = await people();
      const who = [ada, bob, cleo, oscar];
      let asked = await ask();
      let wanted: string = "pending";
      let doneInAll = 0;
      const settle = () => until(house, ada.actor, asked.id, ({ state }) => state !== "confirmed");
      for (const step of happening) {
        const now = wanted === "pending" && clock.now() >= asked.endsAt ? "expired" : wanted;
        const person = who[step.who ?? 0] ?? ada;
        const isAdministrator = person !== oscar;
        // Each code once: the clock goes on before the next is typed.
        if (step.do === "confirm") clock.advance(30_000);
        const stillNow = now === "pending" && clock.now() >= asked.endsAt ? "expired" : now;
        if (step.do === "wait") clock.advance((step.minutes ?? 1) * minute);
        else if (step.do === "crash") await restart();
        else if (step.do === "ask") {
          const again = await ask().catch((error) => assert.ok(conflict(/asked for already/)(error)));
          assert.equal(again !== undefined, now !== "pending", `asking while ${now}`);
          if (again !== undefined) {
            asked = again;
            wanted = "pending";
          }
        } else {
          const code = step.goodCode === true ? person.code() : "999999x";
          const doing =
            step.do === "confirm"
              ? confirmations().confirm(person.actor, asked.id, code)
              : step.do === "refuse"
                ? confirmations().refuse(person.actor, asked.id)
                : confirmations().withdraw(person.actor, asked.id);
          const worked = await doing.then(
            () => true,
            () => false,
          );
          const may =
            stillNow === "pending" &&
            isAdministrator &&
            (step.do === "withdraw" ? person === ada : person !== ada) &&
            (step.do !== "confirm" || step.goodCode === true);
          // Many wrong codes slow one down: then a right one may be refused, but nothing else may go through.
          if (worked) assert.ok(may, `${step.do} by ${person.actor.id} while ${stillNow}`);
          if (worked) {
            wanted = { confirm: "done", refuse: "refused", withdraw: "withdrawn" }[step.do] ?? wanted;
            if (step.do === "confirm") doneInAll++;
          } else if (may) assert.equal(step.do, "confirm");
        }
        await settle();
        assert.equal(passes.length, doneInAll);
      }
      const last = (await settle()).state;
      assert.equal(last, wanted === "pending" && clock.now() >= asked.endsAt ? "expired" : wanted);
    }),
    { numRuns: 150 },
  );
});
