import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryObserver } from "@tanstack/react-query";
import { createQueries } from "./queries.ts";

test("what is changed while its list is read for the first time is in the list", async () => {
  const queries = createQueries();
  const readings: PromiseWithResolvers<string[]>[] = [];
  const queryFn = () => {
    const reading = Promise.withResolvers<string[]>();
    readings.push(reading);
    return reading.promise;
  };
  const observer = new QueryObserver(queries, { queryKey: ["facilities"], queryFn });
  const unsubscribe = observer.subscribe(() => {});
  const again = queries.invalidateQueries({ queryKey: ["facilities"] });
  readings[0]?.resolve([]);
  readings[1]?.resolve(["North"]);
  await again;
  assert.deepEqual(observer.getCurrentResult().data, ["North"]);
  unsubscribe();
  queries.clear();
});
