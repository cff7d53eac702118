import { createVirtualClock } from "#base/clock";
import { createMemoryBlindStore } from "#stores/memory";
import { createBlindIndex } from "./blind-index.ts";
import { createTestIndexBox } from "./index-box.fixture.ts";
import { studyIndexContract } from "./study-index.contract.ts";

studyIndexContract(async () => {
  const box = createTestIndexBox();
  return { box, index: createBlindIndex({ store: createMemoryBlindStore(), box, clock: createVirtualClock() }) };
});
