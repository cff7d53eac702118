import type { RecoveryKit } from "#formats/api";
import { exactTime } from "../words/moments.ts";

/** The recovery kit as a text file. */
export function recoveryKitText(kit: RecoveryKit, name: string, origin: string): string {
  const { rootPassphrase } = kit;
  return [
    "LEADGLASS RECOVERY KIT",
    "",
    `Made ${exactTime(kit.madeAt)} for ${name} at ${origin}`,
    "",
    rootPassphrase === undefined
      ? "Keep this where nobody else reads it."
      : "Keep this on paper or on a drive in a safe, not on the server. Whoever holds it can open the archive.",
    "",
    "Recovery codes (each works once, when the passkey or the phone is lost):",
    ...kit.recoveryCodes.map((code) => `  ${code}`),
    "",
    ...(rootPassphrase === undefined
      ? []
      : ["Root passphrase (opens the vault on another machine):", `  ${rootPassphrase}`, ""]),
  ].join("\n");
}
