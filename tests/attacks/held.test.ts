// Row 7 once more, on a whole server: what is held is no reason to be slow for who is known.
import assert from "node:assert/strict";
import { test } from "node:test";
import { storeWhileHeld } from "./held.fixture.ts";

test("attack 07: beside 500 held associations and 500 slow HTTP clients a known modality stores at half its speed at least", async () => {
  // Alone and beside them in turns within one run: the best pair counts, as on a busy machine others slow either down.
  const { quiet, held, associations, clients } = await storeWhileHeld({
    ...{ rounds: 3, seconds: 2, size: 256, associations: 500, clients: 500 },
  });
  assert.ok(associations >= 490, `${associations} associations were held`);
  assert.ok(clients >= 450, `${clients} clients were held`);
  const ratios = held.map((perSecond, round) => perSecond / (quiet[round] ?? 0));
  assert.ok(Math.max(...ratios) >= 0.5, `${ratios.map((ratio) => ratio.toFixed(2)).join(", ")} of its speed`);
});
