import { testSealedObjects } from "../../trust/vault/sealed-objects.contract.ts";
import { createMemorySealedObjects } from "./index.ts";

testSealedObjects("memory", async () => ({ objects: createMemorySealedObjects() }));
