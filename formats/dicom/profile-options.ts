import { once } from "./once.ts";
import { optionLines } from "./profile-options.generated.ts";

/** Options of the Basic Application Level Confidentiality Profile (PS3.15 §E.3), each with the letter of its column. */
const letters = {
  "retain-safe-private": "P",
  "retain-uids": "U",
  "retain-device": "D",
  "retain-institution": "I",
  "retain-patient-characteristics": "C",
  "retain-full-dates": "F",
  "retain-modified-dates": "M",
  "clean-descriptors": "T",
} as const;

export type ProfileOption = keyof typeof letters;

/** What an option does with an attribute instead of the profile's own action: keeps it, or cleans it of what identifies. */
export type OptionAction = "keep" | "clean";

const byTag = /*#__PURE__*/ once(
  () => new Map(optionLines.split("\n").map((line) => [Number.parseInt(line.slice(0, 8), 16), line.slice(9)])),
);

/** Of several options the one that keeps the most; undefined where none says anything of the attribute. */
export function optionActionOf(tag: number, options: readonly ProfileOption[]): OptionAction | undefined {
  const line = byTag().get(tag);
  if (line === undefined) return undefined;
  const said = line.split(" ");
  if (options.some((option) => said.includes(`${letters[option]}K`))) return "keep";
  return options.some((option) => said.includes(`${letters[option]}C`)) ? "clean" : undefined;
}
