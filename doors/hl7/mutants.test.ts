import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/id";
import { hl7Target } from "./fuzz.fixture.ts";

const mutants = 1_500;

test("attack 75: messages with bytes changed, taken out, doubled and put in are answered, each with a message of its own segments", async () => {
  // tests/fuzz feeds more, by what code they run; `npm run fuzz -- hl7` for hours.
  const random = seededRandom(75);
  const below = (end: number) => new DataView(random(new Uint8Array(4)).buffer).getUint32(0) % end;
  const { words } = hl7Target;
  const seeds = hl7Target.seeds();
  for (let run = 0; run < mutants; run++) {
    let bytes = Buffer.from(seeds[run % seeds.length] ?? []);
    for (let change = below(4); change >= 0; change--) {
      const [at, length] = [below(bytes.length), below(12)];
      const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
      const cut = bytes.subarray(at, at + length);
      const put = [random(new Uint8Array(length)), words[below(words.length)] ?? cut, Buffer.concat([cut, cut])];
      bytes = Buffer.concat([before, put[below(put.length)] ?? cut, below(2) === 0 ? after : after.subarray(length)]);
    }
    await hl7Target.run(bytes);
  }
  assert.ok(seeds.length > 3);
});
