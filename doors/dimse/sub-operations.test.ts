import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { silentLog } from "#base/log";
import { ct, explicit } from "./scp.fixture.ts";
import { stored } from "./services.fixture.ts";
import { sendInstances } from "./sub-operations.ts";

test("what was opened of an instance is let go of once it is sent", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const opened: WeakRef<object>[] = [];
  const instances = Array.from({ length: 60 }, (_, at) => {
    const instance = stored(at);
    const open = async (syntaxes: readonly string[]) => {
      const all = await instance.open(syntaxes);
      opened.push(new WeakRef(all.dataSet));
      return all;
    };
    return { ...instance, open };
  });
  let sent = 0;
  let living = 0;
  const target = {
    contexts: [{ sopClassUid: ct, transferSyntaxUid: explicit }],
    async store({ dataSet }: { dataSet: Iterable<Uint8Array> | AsyncIterable<Uint8Array> }) {
      for await (const _ of dataSet);
      if (++sent === 50) {
        for (let i = 0; i < 3; i++) await turn();
        collect();
        living = opened.filter((one) => one.deref() !== undefined).length;
      }
      return 0;
    },
    isLost: () => false,
  };
  const progress = { remaining: 60, completed: 0, failed: 0, warning: 0, failedUids: [] };
  await sendInstances(instances, target, { progress, log: silentLog, isInterrupted: () => false });
  assert.equal(progress.completed, 60);
  assert.ok(opened.length >= 50 && living < 10, `${living} of ${opened.length} are still held`);
});
