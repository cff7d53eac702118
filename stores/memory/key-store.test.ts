import { testKeyStore } from "../../trust/vault/key-store.contract.ts";
import { createMemoryKeyStore } from "./index.ts";

testKeyStore("memory", async () => ({ keyStore: createMemoryKeyStore() }));
