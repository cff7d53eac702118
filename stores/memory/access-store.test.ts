import { accessStoreContract } from "../../trust/access/access-store.contract.ts";
import { createMemoryAccessStore } from "./index.ts";

accessStoreContract(async () => createMemoryAccessStore());
