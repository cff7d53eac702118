import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
} from "@simplewebauthn/browser";
import type { WebAuthnJson } from "#formats/api";
import { call } from "./client.ts";

export const canUsePasskeys = browserSupportsWebAuthn;
export const canOfferPasskeysWhileTyping = browserSupportsWebAuthnAutofill;

/** Ends an offer that waits in a field; nothing is said about it. */
export function stopOffering(): void {
  WebAuthnAbortService.cancelCeremony();
}

/** Asks the browser for a new passkey, by the options that `path` gives. */
export async function makePasskey(path: string, request?: object): Promise<WebAuthnJson> {
  const optionsJSON = await call<never>("POST", path, request);
  return inWords(async () => ({ ...(await startRegistration({ optionsJSON })) }));
}

/** Asks the browser for a proof by a passkey. `whileTyping`: offers it in the field for the name, and waits. */
export async function provePasskey(path: string, whileTyping = false): Promise<WebAuthnJson> {
  const optionsJSON = await call<never>("POST", path);
  return inWords(async () => ({ ...(await startAuthentication({ optionsJSON, useBrowserAutofill: whileTyping })) }));
}

/** Whether the ceremony was given up, by the person or by another one that began. */
export function wasGivenUp(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || error.name === "NotAllowedError");
}

/** What the browser says of a failed ceremony is written for programmers. */
async function inWords(ceremony: () => Promise<WebAuthnJson>): Promise<WebAuthnJson> {
  try {
    return await ceremony();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const words = ceremonyWords[error.name];
    throw words === undefined ? error : Object.assign(new Error(words), { name: error.name });
  }
}

const ceremonyWords: Readonly<Record<string, string>> = {
  NotAllowedError: "No passkey was used: it was cancelled, or took too long",
  InvalidStateError: "This device has a passkey of yours already",
  NotSupportedError: "This device cannot keep such a passkey",
  SecurityError: "Passkeys work under the server's own name alone",
};

/** What a new passkey is called until its owner says otherwise: the browser and the system, as far as they tell. */
export function deviceName(userAgent = navigator.userAgent): string {
  const browser = /Edg\//.test(userAgent)
    ? "Edge"
    : /Firefox\//.test(userAgent)
      ? "Firefox"
      : /Chrome\//.test(userAgent)
        ? "Chrome"
        : /Safari\//.test(userAgent)
          ? "Safari"
          : "Browser";
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1];
  return system === undefined ? browser : `${browser} on ${system}`;
}

const systems: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "Mac"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];
