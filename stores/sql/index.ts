export type { HomeLock } from "./home-lock.ts";
export { lockHome } from "./home-lock.ts";
export type { SqlStores } from "./open.ts";
export { openPostgres, openSqlite } from "./open.ts";
