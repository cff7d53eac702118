import { spoolContract } from "../../radiology/uplink/spool.contract.ts";
import { createMemorySpool } from "./index.ts";

spoolContract(async (clock) => createMemorySpool({ clock }));
