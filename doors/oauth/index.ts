export type { ProgramOfAssertion } from "./assertions.ts";
export { createAssertionCheck } from "./assertions.ts";
export type { Oauth } from "./oauth-door.ts";
export { createOauth } from "./oauth-door.ts";
export type { BrowserSession, OauthCallers, OauthParts } from "./parts.ts";
export type { TokenActorOf, TokenCaller } from "./tokens.ts";
