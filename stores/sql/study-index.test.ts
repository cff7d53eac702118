import { join } from "node:path";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { createBlindIndex } from "#radiology/archive";
import { createTestIndexBox } from "../../radiology/archive/index-box.fixture.ts";
import { studyIndexContract } from "../../radiology/archive/study-index.contract.ts";
import { openIndexDatabase } from "./index.ts";
import { temporaryFolder } from "./temporary.fixture.ts";

const path = join(temporaryFolder(), "index.db");

// The smallest merges: most of what is asked for stands in lists and columns, not in the log.
studyIndexContract(async () => {
  const { blindStore } = await openIndexDatabase({ path, log: silentLog });
  const box = createTestIndexBox();
  return { box, index: createBlindIndex({ store: blindStore, box, clock: systemClock, mergedAtTerms: 1 }) };
});
