import { testRootKey } from "../../trust/vault/root-key.contract.ts";
import { createMemoryRoot } from "./index.ts";

testRootKey("memory", async () => ({ source: createMemoryRoot(), other: createMemoryRoot() }));
