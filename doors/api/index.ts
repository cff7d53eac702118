export { createApiDoor } from "./api-door.ts";
export type { ApiParts, PhantomLoader } from "./parts.ts";
export { createTenantsDoor, type TenantKeeper } from "./tenants.ts";
