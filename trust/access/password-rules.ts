import { Problem } from "#base/problem";
import type { BreachedPasswords } from "./breached-passwords.ts";

/** What a password must be (NIST SP 800-63B-4 §3.1.1.2): long and not one that is guessed first. No rules of composition. */
export interface PasswordRules {
  /** Throws Problem `invalid`, saying why. Asked when a password is set and when it is changed. */
  check(password: string, name: string): Promise<void>;
}

export const passwordCharactersMax = 256;
const passwordCharactersMin = 12;
const productWords = ["leadglass", "radiology", "administrator"];
const remedy = "take four or five unrelated words";

/** `breached`: a list of the customer, beside the one that comes with the program. */
export function createPasswordRules({ breached }: { readonly breached?: BreachedPasswords } = {}): PasswordRules {
  let common: Promise<ReadonlySet<string>> | undefined;
  return {
    async check(password, name) {
      const { length } = [...password];
      if (length < passwordCharactersMin || password.length > passwordCharactersMax) {
        const message = `a password is ${passwordCharactersMin} to ${passwordCharactersMax} characters`;
        throw new Problem("invalid", message, { remedy });
      }
      const folded = password.normalize("NFKC").toLowerCase();
      if ([...productWords, ...wordsOf(name)].some((word) => folded.includes(word))) {
        throw new Problem("invalid", "a password must not hold your name or this program's", { remedy });
      }
      common ??= commonPasswords();
      const listed = await common;
      if (isSeries(folded) || formsOf(folded).some((form) => listed.has(form)) || (await breached?.has(password))) {
        throw new Problem("invalid", "this password is on lists of passwords that are guessed first", { remedy });
      }
    },
  };
}

/** The 50,000 that people take most. Loaded when first asked for, which on most days is never. */
async function commonPasswords(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import("@zxcvbn-ts/language-common");
  return new Set(dictionary["passwords-common"]);
}

/** The name and, of an address, what stands before the @; not what is so short that it stands in any word. */
function wordsOf(name: string): string[] {
  const folded = name.trim().toLowerCase();
  return [folded, folded.split("@")[0] ?? ""].filter((word) => word.length >= 4);
}

/** As it is, without what was put around it to make it long, and once where it is only repeated. */
function formsOf(folded: string): string[] {
  const core = folded.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
  return [folded, core, unitOf(folded), unitOf(core)].filter((form) => form.length >= 3);
}

function unitOf(text: string): string {
  return /^(.+?)\1+$/su.exec(text)?.[1] ?? text;
}

/** Nearly all characters repeat the one before or follow on from it: 111111111111, abcdefghijkl, 987654321098. */
function isSeries(text: string): boolean {
  const codes = [...text].map((character) => character.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, at) => Math.abs(code - (codes[at] ?? 0)));
  return steps.filter((step) => step <= 1 || step === 9).length >= steps.length * 0.75;
}
