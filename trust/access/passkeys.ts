import { isIP } from "node:net";
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { Challenges } from "./challenges.ts";
import type { Passkey, PasskeyStore } from "./passkey-store.ts";

/** Takes a third of a second to load: not at the start. */
const webauthn = () => import("@simplewebauthn/server");

/** What an authenticator answers, through the browser: as it came, nothing of it is believed yet. */
export type PasskeyAnswer = Readonly<Record<string, unknown>>;

/** Where a ceremony takes place. */
export interface CeremonyPlace {
  /** Of our pages, as they are configured; never what a request says. */
  readonly origin: string;
  /** A secret of the browser, the link or the session that it was begun with: nobody else can end it. */
  readonly boundTo: string;
}

/** Whose passkey is made. */
export interface PasskeyOwner {
  readonly id: string;
  readonly name: string;
}

/**
 * Passkeys (W3C Web Authentication Level 3). User verification is required: a passkey is two factors, what somebody has and what they
 * know or are. Credentials are discoverable, attestation is not asked for.
 */
export interface Passkeys {
  /** A browser makes none for an address: pages have to be reached by a name. */
  isOffered(origin: string): boolean;
  beginRegistration(owner: PasskeyOwner, place: CeremonyPlace): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** Checks what the authenticator made. Nothing is stored. Problem `invalid` when it must not be believed. */
  register(owner: PasskeyOwner, place: CeremonyPlace, answer: PasskeyAnswer, name: string): Promise<Passkey>;
  /** For whoever it will be, or for one account. */
  beginProof(place: CeremonyPlace, accountId?: string): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** The passkey that proves who it is; its use is noted. Problem `invalid` when it proves nothing. */
  prove(place: CeremonyPlace, answer: PasskeyAnswer, accountId?: string): Promise<Passkey>;
}

export interface PasskeysParts {
  readonly store: PasskeyStore;
  readonly challenges: Challenges;
  readonly clock: Clock;
  readonly log: Log;
}

export const passkeysOfOneMax = 20;
const askedForMs = 5 * 60_000;

export function createPasskeys(parts: PasskeysParts): Passkeys {
  const { store, challenges, clock, log } = parts;
  const proofPurpose = (accountId: string | undefined) => `passkey proof ${accountId ?? ""}`;
  const newPurpose = ({ id }: PasskeyOwner) => `new passkey ${id}`;

  const credentialOf = async (answer: PasskeyAnswer, accountId: string | undefined): Promise<Passkey> => {
    const passkey =
      typeof answer.id === "string" && answer.id.length <= 2048 ? await store.passkey(answer.id) : undefined;
    if (passkey === undefined || (accountId !== undefined && passkey.accountId !== accountId)) throw notAccepted();
    return passkey;
  };

  return {
    isOffered: (origin) => !isAddress(new URL(origin).hostname),
    async beginRegistration(owner, { origin, boundTo }) {
      const rpID = relyingParty(origin);
      const there = await store.passkeysOf(owner.id);
      if (there.length >= passkeysOfOneMax) {
        throw new Problem("conflict", `there are ${passkeysOfOneMax} passkeys`, { remedy: "remove one first" });
      }
      const { generateRegistrationOptions } = await webauthn();
      return generateRegistrationOptions({
        ...{ rpName: "Leadglass", rpID, userName: owner.name, userDisplayName: owner.name, timeout: askedForMs },
        userID: handleOf(owner.id),
        challenge: bytesOf(challenges.issue(newPurpose(owner), boundTo)),
        attestationType: "none",
        excludeCredentials: there.map(({ id, transports }) => ({ id, transports: [...transports] })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
    },
    async register(owner, { origin, boundTo }, answer, name) {
      const { verifyRegistrationResponse } = await webauthn();
      const verified = await verifyRegistrationResponse({
        response: answer as unknown as RegistrationResponseJSON,
        expectedChallenge: (challenge) => challenges.take(challenge, newPurpose(owner), boundTo),
        expectedOrigin: origin,
        expectedRPID: relyingParty(origin),
        requireUserVerification: true,
      }).catch(refused);
      if (!verified.verified) throw notAccepted();
      const { credential, credentialBackedUp } = verified.registrationInfo;
      return {
        id: credential.id,
        accountId: owner.id,
        name: passkeyName(name),
        publicKey: Uint8Array.from(credential.publicKey),
        counter: credential.counter,
        transports: (credential.transports ?? []).filter((each) => /^[a-z-]{1,20}$/.test(each)).slice(0, 8),
        isSynced: credentialBackedUp,
        createdAt: clock.now(),
        lastUsedAt: 0,
      };
    },
    async beginProof({ origin, boundTo }, accountId) {
      const known = accountId === undefined ? [] : await store.passkeysOf(accountId);
      const { generateAuthenticationOptions } = await webauthn();
      return generateAuthenticationOptions({
        ...{ rpID: relyingParty(origin), userVerification: "required", timeout: askedForMs },
        challenge: bytesOf(challenges.issue(proofPurpose(accountId), boundTo)),
        ...(known.length > 0 && {
          allowCredentials: known.map(({ id, transports }) => ({ id, transports: [...transports] })),
        }),
      });
    },
    async prove({ origin, boundTo }, answer, accountId) {
      const passkey = await credentialOf(answer, accountId);
      if (!isHandleOf(passkey.accountId, answer, accountId === undefined)) throw notAccepted();
      const { verifyAuthenticationResponse } = await webauthn();
      const verified = await verifyAuthenticationResponse({
        response: answer as unknown as AuthenticationResponseJSON,
        expectedChallenge: (challenge) => challenges.take(challenge, proofPurpose(accountId), boundTo),
        expectedOrigin: origin,
        expectedRPID: relyingParty(origin),
        requireUserVerification: true,
        // The counter is compared below, after the signature: only then does it say anything about the authenticator.
        credential: { id: passkey.id, publicKey: Uint8Array.from(passkey.publicKey), counter: 0 },
      }).catch(refused);
      if (!verified.verified) throw notAccepted();
      const { newCounter: counter } = verified.authenticationInfo;
      const wentBack = (counter > 0 || passkey.counter > 0) && counter <= passkey.counter;
      const lastUsedAt = clock.now();
      if (wentBack || !(await store.usePasskey(passkey, { counter, lastUsedAt }))) {
        // WebAuthn §6.1.1: two authenticators may hold one key.
        log.warn("a passkey was refused: its counter went back, so there may be a copy of it");
        throw notAccepted();
      }
      return { ...passkey, counter, lastUsedAt };
    },
  };
}

/** Throws Problem `invalid` for what cannot be a name. */
export function passkeyName(typed: string): string {
  const name = typed.trim();
  if (name.length >= 1 && name.length <= 64 && !/\p{Cc}/u.test(name)) return name;
  throw new Problem("invalid", "a passkey's name is 1 to 64 characters", { remedy: "say on which device it is" });
}

function relyingParty(origin: string): string {
  const { hostname } = new URL(origin);
  if (!isAddress(hostname)) return hostname;
  throw new Problem("unsupported", "there are no passkeys for a numeric address", {
    remedy: "open the pages by the server's name, or use a password and an authenticator",
  });
}

const isAddress = (hostname: string) => hostname.startsWith("[") || isIP(hostname) !== 0;

const handleOf = (accountId: string) => Uint8Array.from(Buffer.from(accountId, "utf8"));

/** A discoverable credential says whose it is (WebAuthn §7.2 step 6); it must not be used for another account. */
function isHandleOf(accountId: string, { response }: PasskeyAnswer, isRequired: boolean): boolean {
  const handle = typeof response === "object" && response !== null && "userHandle" in response && response.userHandle;
  if (typeof handle !== "string") return !isRequired;
  return Buffer.from(handle, "base64url").equals(Buffer.from(accountId, "utf8"));
}

const bytesOf = (challenge: string) => Uint8Array.from(Buffer.from(challenge, "base64url"));

/** Whatever the library did not like: the answer is the caller's, so it is never our fault. */
function refused(error: unknown): never {
  throw notAccepted(error);
}

function notAccepted(cause?: unknown): Problem {
  return new Problem("invalid", "this passkey was not accepted", {
    remedy: "try again, or sign in another way",
    ...(cause !== undefined && { cause }),
  });
}
