import type { FastifyInstance } from "fastify";
import { registerAudit } from "./audit.ts";
import { registerBackups } from "./backups.ts";
import { registerCare } from "./care.ts";
import { registerConfirmations } from "./confirmations.ts";
import { registerCorrections } from "./corrections.ts";
import { registerDevices } from "./devices.ts";
import { registerEvents } from "./events.ts";
import { registerExports } from "./exports.ts";
import { registerFacilities } from "./facilities.ts";
import { registerGrants } from "./grants.ts";
import { registerKeys } from "./keys.ts";
import { registerOperations } from "./operations.ts";
import type { ApiParts } from "./parts.ts";
import { registerPeople } from "./people.ts";
import { registerSession } from "./session.ts";
import { registerStudies } from "./studies.ts";
import { registerVault } from "./vault.ts";

/** `/api`: what the browser application and the `leadglass` command use. The routes are listed in `#formats/api`. */
export function createApiDoor(parts: ApiParts): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    registerSession(server, parts);
    registerStudies(server, parts);
    registerCorrections(server, parts);
    registerDevices(server, parts);
    registerFacilities(server, parts);
    registerOperations(server, parts);
    registerAudit(server, parts);
    const { endStreamsOf } = registerEvents(server, parts);
    registerPeople(server, parts, endStreamsOf);
    registerGrants(server, parts);
    registerConfirmations(server, parts);
    registerVault(server, parts);
    registerKeys(server, parts);
    registerBackups(server, parts);
    registerExports(server, parts);
    registerCare(server, parts);
  };
}
