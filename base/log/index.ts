export type { Log, LogFields, LogLevel, LogSink } from "./log.ts";
export { createLog, silentLog } from "./log.ts";
