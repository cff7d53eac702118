import { blindStoreContract } from "../../radiology/archive/blind-store.contract.ts";
import { createMemoryBlindStore } from "./index.ts";

blindStoreContract(async () => createMemoryBlindStore());
