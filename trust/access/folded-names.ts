/** A person's name (PS3.5 §6.2.1.1) so that two spellings of one name meet: without case, accents, width and punctuation. */
export interface FoldedName {
  /** Family names of all its groups, and the parts of double ones. */
  readonly families: ReadonlySet<string>;
  /** Family and given names together, of each group. */
  readonly wholes: ReadonlySet<string>;
}

/** Of a double name each part counts that is no particle. */
const partLettersMin = 4;

/** Letters that have no accent to take away. */
const plain: Readonly<Record<string, string>> = {
  ...{ ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" },
};
/** Letters that are also written as two. */
const spelled: Readonly<Record<string, string>> = { ä: "ae", ö: "oe", ü: "ue", ø: "oe", å: "aa" };

export function foldedName(name: string): FoldedName {
  const families = new Set<string>();
  const wholes = new Set<string>();
  for (const group of name.split("=")) {
    const [family = "", given = ""] = group.split("^");
    const parts = family.split(/[-\s‐・]+/u).filter((part) => [...part].length >= partLettersMin);
    for (const each of [family, ...parts]) for (const spelling of spellings(each)) families.add(spelling);
    for (const first of spellings(family)) for (const second of spellings(given)) wholes.add(`${first} ${second}`);
  }
  return { families, wholes };
}

/** One, or two where an umlaut is written either way. */
function spellings(text: string): string[] {
  const lower = text.normalize("NFKC").toLowerCase();
  const replaced = (table: Readonly<Record<string, string>>) =>
    [...lower].map((letter) => table[letter] ?? letter).join("");
  const bare = (written: string) =>
    [...written.normalize("NFKD")]
      .map((letter) => plain[letter] ?? letter)
      .join("")
      .replace(/[^\p{L}]/gu, "");
  return [...new Set([bare(replaced(plain)), bare(replaced(spelled))])].filter((spelling) => spelling !== "");
}
