import type { FastifyRequest } from "fastify";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import type {
  Account,
  Actor,
  Gate,
  Grants,
  OauthClients,
  OauthKeys,
  OauthRecords,
  Recovery,
  Session,
  StudyFacts,
} from "#trust/access";

/** What stands behind the provider. */
export interface OauthParts {
  readonly clients: OauthClients;
  readonly records: OauthRecords;
  readonly keys: OauthKeys;
  readonly gate: Gate;
  /** Whether the browser session of this id (the digest of its secret) still holds. */
  readonly isSessionLive: (id: string) => boolean;
  readonly grants: Pick<Grants, "liveOf" | "watchEnded">;
  /** Tells of an account whose ways in were given anew: whoever had the old ones acts for it no more. */
  readonly recovery: Pick<Recovery, "watch">;
  readonly account: (id: string) => Promise<Account | undefined>;
  readonly accountNamed: (name: string) => Promise<Account | undefined>;
  /** Where a study lies; undefined when there is none. */
  readonly factsOf: (studyToken: string) => Promise<StudyFacts | undefined>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where the browser application is reached, with a slash at the end. The issuer is `oauth` under it. */
  readonly pageUrl: () => string;
}

/** The browser session that a request came with. */
export type BrowserSession = Pick<Session, "holder" | "digest">;

/** What the server knows of a request. */
export interface OauthCallers {
  /** Who sends it; the server has found it out before any route runs. */
  readonly actorOf: (request: FastifyRequest) => Actor;
  readonly sessionOf: (request: FastifyRequest) => BrowserSession | undefined;
  /** Ends the session of this id. */
  readonly endSession: (id: string) => Promise<boolean>;
}

/** What one authorization was given with, by the id of the provider's grant: it ends with it. */
export interface AuthorizationFacts {
  readonly grantId: string;
  /** The session it ends with; empty when it goes on without (`offline_access`). */
  readonly sessionId: string;
  /** Patient and study that were chosen; empty for none. */
  readonly patient: string;
  readonly study: string;
}

export const factsKind = "AuthorizationFacts";

export function factsOfGrant(records: OauthRecords, grantId: string): AuthorizationFacts | undefined {
  return records.find(factsKind, grantId)?.content as AuthorizationFacts | undefined;
}
