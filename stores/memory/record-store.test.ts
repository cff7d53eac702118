import { recordStoreContract } from "../../trust/vault/record-store.contract.ts";
import { createMemoryRecordStore } from "./index.ts";

recordStoreContract(async () => ({ recordStore: createMemoryRecordStore(), close: async () => {} }));
