export type { Configuration } from "./configuration.ts";
export { homeOf, readConfiguration, startOptions } from "./configuration.ts";
export { isOwnSocket, pathsOf } from "./home.ts";
export type { RunningServer } from "./server.ts";
export { startServer } from "./server.ts";
