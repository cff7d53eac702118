import { describe } from "node:test";
import { entryIndexContract } from "../../trust/audit/entry-index.contract.ts";
import { createMemoryEntryIndex } from "./index.ts";

describe("contract of EntryIndex, in memory", () => {
  entryIndexContract(async () => createMemoryEntryIndex());
});
