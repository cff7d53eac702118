export type { ApiParts, PhantomLoader } from "./api-door.ts";
export { createApiDoor } from "./api-door.ts";
