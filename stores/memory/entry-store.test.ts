import { entryStoreContract } from "../../trust/audit/entry-store.contract.ts";
import { createMemoryEntryStore } from "./index.ts";

entryStoreContract(async () => createMemoryEntryStore());
