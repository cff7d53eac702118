import { detailStoreContract } from "../../trust/audit/detail-store.contract.ts";
import { createMemoryDetailStore } from "./index.ts";

detailStoreContract(async () => ({ detailStore: createMemoryDetailStore(), close: async () => {} }));
