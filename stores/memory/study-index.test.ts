import { createVirtualClock } from "#base/clock";
import { createBlindIndex } from "#radiology/archive";
import { createTestIndexBox } from "../../radiology/archive/index-box.fixture.ts";
import { studyIndexContract } from "../../radiology/archive/study-index.contract.ts";
import { createMemoryBlindStore } from "./index.ts";

studyIndexContract(async () => {
  const box = createTestIndexBox();
  return { box, index: createBlindIndex({ store: createMemoryBlindStore(), box, clock: createVirtualClock() }) };
});
