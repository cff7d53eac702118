export { createApiDoor } from "./api-door.ts";
export type {
  ApiParts,
  CloudEnrolment,
  EdgeCertificates,
  EdgeReading,
  EdgeReportKeeper,
  OwnHealth,
  PhantomLoader,
} from "./parts.ts";
export { createTenantsDoor, type TenantKeeper } from "./tenants.ts";
