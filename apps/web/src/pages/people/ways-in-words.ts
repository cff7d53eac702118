import type { PeopleView } from "#formats/api";

/** What somebody signs in with: never a password without a second factor. */
export function waysInWords({
  hasPassword,
  passkeys,
}: Pick<PeopleView["accounts"][number], "hasPassword" | "passkeys">): string {
  const words = [
    ...(passkeys === 0 ? [] : [passkeys === 1 ? "passkey" : `${passkeys} passkeys`]),
    ...(hasPassword ? ["password and authenticator"] : []),
  ].join(", ");
  return words === "" ? "Nothing yet" : words.charAt(0).toUpperCase() + words.slice(1);
}
