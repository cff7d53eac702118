import { Problem } from "#base/problem";
import { type AskView, type Permission, permissions } from "#formats/api";
import { actsOfScopes, needsPatient, type OauthClient, type StudyFacts, scopesOffered } from "#trust/access";
import { type BrowserSession, factsKind, type OauthParts } from "./parts.ts";
import { grantSeconds } from "./terms.ts";

/** Remembered for a year, or until the person takes it back. */
const consentKind = "Consent";
const consentMs = 365 * 24 * 3_600_000;

const permissionOf: Readonly<Record<string, Permission>> = {
  "study.search": "search",
  "study.view": "view",
  "study.read": "read",
  "instance.store": "store",
  "study.correct": "correct",
  "audit.read": "audit",
};

/** A program that wants to act for a person. */
export interface Ask {
  readonly client: OauthClient;
  readonly scopes: readonly string[];
  /** Patient or study that the request came with. */
  readonly isLaunched: boolean;
  /** Empty for a device. */
  readonly goesTo: string;
}

export const isOffered = (scope: string) => scopesOffered.includes(scope);
export const accountIdOf = ({ holder }: BrowserSession) => holder.slice("user:".length);

export function permissionsOf(scopes: readonly string[]): Permission[] {
  const found = new Set<Permission>();
  if (scopes.includes("openid") || scopes.includes("fhirUser")) found.add("know-you");
  for (const act of actsOfScopes(scopes, "person", true)) {
    const permission = permissionOf[act];
    if (permission !== undefined) found.add(permission);
  }
  if (scopes.includes("offline_access")) found.add("stay");
  return permissions.filter((permission) => found.has(permission));
}

export function viewOf(parts: OauthParts, session: BrowserSession, ask: Ask): AskView {
  const { client, scopes, isLaunched, goesTo } = ask;
  const needs = needsPatient(scopes) && !isLaunched;
  return {
    client: client.name,
    isFirstParty: client.isFirstParty,
    permissions: permissionsOf(scopes),
    needsPatient: needs,
    isSettled: !needs && goesTo !== "" && (client.isFirstParty || isRemembered(parts, session, ask)),
    goesTo,
    lastsSeconds: grantSeconds,
  };
}

interface Consent {
  readonly accountId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly at: number;
}

const consentName = (accountId: string, clientId: string) => `${accountId} ${clientId}`;

function isRemembered({ records }: OauthParts, session: BrowserSession, { client, scopes }: Ask): boolean {
  const consent = records.find(consentKind, consentName(accountIdOf(session), client.id))?.content as
    | Consent
    | undefined;
  return consent !== undefined && scopes.every((scope) => consent.scopes.includes(scope));
}

export function consentsOf({ records }: OauthParts, accountId: string): Consent[] {
  const all = records.all(consentKind).map(({ content }) => content as unknown as Consent);
  return all.filter((consent) => consent.accountId === accountId);
}

/** Takes back what a person allowed a program, with all that came of it; all that anybody allowed it without a person. */
export async function forget({ records }: OauthParts, clientId: string, accountId?: string): Promise<void> {
  const isTheirs = (content: Readonly<Record<string, unknown>>) =>
    content.clientId === clientId && (accountId === undefined || content.accountId === accountId);
  await records.removeWhere((_kind, content) => isTheirs(content));
}

/** Ends all that acts for a person. What they allowed is remembered: it lets nobody in by itself. */
export function endAllFor({ records }: OauthParts, accountId: string): Promise<void> {
  return records.removeWhere((kind, content) => kind !== consentKind && content.accountId === accountId);
}

/** Chosen by the person or brought by the launch: where a study lies, of which the person may see something. */
export interface Chosen {
  readonly patient: string;
  readonly study: string;
}

export const nothingChosen: Chosen = { patient: "", study: "" };

/** What was allowed, written down: how long, on what, for which session. Gives the id of the provider's grant. */
export async function allow(
  parts: OauthParts,
  session: BrowserSession,
  ask: Ask,
  chosen: Chosen,
  makeGrant: () => Promise<string>,
): Promise<string> {
  const { records, clock } = parts;
  const { client, scopes } = ask;
  const accountId = accountIdOf(session);
  const endsAt = clock.now() + grantSeconds * 1000;
  const grantId = await makeGrant();
  // A device goes on when the browser that let it in is closed.
  const outlasts = scopes.includes("offline_access") || ask.goesTo === "";
  const facts = { ...chosen, grantId, sessionId: outlasts ? "" : session.digest, accountId, clientId: client.id };
  await records.put(factsKind, grantId, facts, endsAt);
  if (!client.isFirstParty && ask.goesTo !== "") {
    const consent = { accountId, clientId: client.id, scopes, at: clock.now() };
    await records.put(consentKind, consentName(accountId, client.id), { ...consent }, clock.now() + consentMs);
  }
  return grantId;
}

/** The patient of the study that a person chose, if they may look at it; the study alone, where no patient is known. */
export async function chosenBy(
  parts: OauthParts,
  study: string,
  see: (facts: StudyFacts) => Promise<void>,
): Promise<Chosen> {
  const facts = await parts.factsOf(study);
  if (facts === undefined) throw new Problem("absent", "not found");
  await see(facts);
  return facts.patient === "" ? { patient: "", study } : { patient: facts.patient, study: "" };
}
