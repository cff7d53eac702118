/**
 * Where a home lies, what is in it and by what it is set: all that a command needs to find a running server. The server itself takes most of
 * a second to load, and is loaded by who starts one.
 */
export type { HomePaths } from "./home.ts";
export { isOwnSocket, isTenantName, mainHomeOf, pathsOf, tenantHomeOf, tenantsFolder } from "./home.ts";
export type { Options, Setting } from "./settings.ts";
export { environmentFor, homeOf, ofInstallation, settings, startOptions } from "./settings.ts";
