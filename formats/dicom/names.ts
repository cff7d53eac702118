import { attributeOf } from "./dictionary.ts";
import { spacedKeyword } from "./keyword-words.ts";
import { nameLines } from "./names.generated.ts";

const names: ReadonlyMap<string, string> = /*#__PURE__*/ new Map(
  /*#__PURE__*/ nameLines.split("\n").map((line) => line.split("\t") as [string, string]),
);

/** The attribute's name as PS3.6 prints it ("Patient's Name"), or undefined for private and unknown tags. */
export function attributeNameOf(tag: number): string | undefined {
  const keyword = attributeOf(tag)?.keyword;
  if (!keyword) return undefined;
  return names.get(keyword) ?? spacedKeyword(keyword);
}
