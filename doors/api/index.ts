export { createApiDoor } from "./api-door.ts";
export type { ApiParts, CloudEnrolment, EdgeCertificates, PhantomLoader } from "./parts.ts";
export { createTenantsDoor, type TenantKeeper } from "./tenants.ts";
