import type { FastifyInstance } from "fastify";
import { registerAudit } from "./audit.ts";
import { registerAuditTiles } from "./audit-tiles.ts";
import { registerBackups } from "./backups.ts";
import { createBeginning } from "./beginning.ts";
import { createBrowserCookies } from "./browser-cookies.ts";
import { registerCare } from "./care.ts";
import { registerConfirmations } from "./confirmations.ts";
import { registerCorrections } from "./corrections.ts";
import { registerCredentials, registerRecovery } from "./credentials.ts";
import { registerDevices } from "./devices.ts";
import { registerEvents } from "./events.ts";
import { registerExports } from "./exports.ts";
import { registerFacilities } from "./facilities.ts";
import { registerGrants } from "./grants.ts";
import { registerKeys } from "./keys.ts";
import { registerOperations } from "./operations.ts";
import type { ApiParts } from "./parts.ts";
import { registerPeople } from "./people.ts";
import { registerSession, registerSessions } from "./session.ts";
import { registerSetup } from "./setup.ts";
import { registerStudies } from "./studies.ts";
import { registerVault } from "./vault.ts";

/** `/api`: what the browser application and the `leadglass` command use. The routes are listed in `#formats/api`. */
export function createApiDoor(parts: ApiParts): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    const cookies = createBrowserCookies(parts.random);
    const beginning = createBeginning(parts, cookies);
    registerSetup(server, parts, beginning);
    registerSession(server, parts, { beginning, cookies });
    registerSessions(server, parts);
    registerCredentials(server, parts);
    registerRecovery(server, parts);
    registerStudies(server, parts);
    registerCorrections(server, parts);
    registerDevices(server, parts);
    registerFacilities(server, parts);
    registerOperations(server, parts);
    registerAudit(server, parts);
    registerAuditTiles(server, parts);
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
