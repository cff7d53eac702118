import { Problem } from "#base/problem";

/** An element as it opens, its attributes by name. */
export type XmlPiece =
  | { readonly kind: "open"; readonly name: string; readonly attributes: ReadonlyMap<string, string> }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "close"; readonly name: string };

const charactersMax = 64 * 1024 * 1024;
const piecesMax = 2_000_000;
const depthMax = 256;
const attributesMax = 32;

const namePattern = /[A-Za-z_][A-Za-z0-9_.:-]{0,127}/y;
const blankPattern = /[ \t\r\n]*/y;
/** What XML 1.0 §2.2 has for characters; halves of surrogate pairs are none. */
const forbidden = /[^\P{Cc}\t\n\r\x7f-\x9f]|[\ufffe\uffff]/u;
const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Without what XML has no way to write: most control characters, halves of surrogate pairs. */
export const writableXml = (text: string): string => text.toWellFormed().replace(new RegExp(forbidden, "gu"), "");

/**
 * Takes an XML document apart, strictly and without ever looking elsewhere: there are no document types, so no entities but the five
 * that XML has (no expansion, nothing external), no processing instructions, no encodings but UTF-8, which `text` was decoded from.
 *
 * @throws Problem `invalid` at what is not well formed or not taken, `too-large` beyond a bound.
 */
export function* readXml(text: string): Generator<XmlPiece> {
  if (text.length > charactersMax) throw tooLarge();
  if (text !== writableXml(text)) throw refused("a character that XML does not have");
  let at = passDeclaration(text);
  let pieces = 0;
  let isOver = false;
  const open: string[] = [];
  while (at < text.length) {
    if (++pieces > piecesMax) throw tooLarge();
    if (text[at] !== "<") {
      const end = text.indexOf("<", at);
      const piece = text.slice(at, end < 0 ? text.length : end);
      at += piece.length;
      if (open.length > 0) yield { kind: "text", text: unescaped(piece) };
      else if (piece.trim() !== "") throw refused("text outside the document element");
    } else if (text.startsWith("<!--", at)) {
      at = after(text, "-->", at + 4);
    } else if (text.startsWith("<![CDATA[", at)) {
      const end = after(text, "]]>", at + 9);
      if (open.length === 0) throw refused("text outside the document element");
      yield { kind: "text", text: newlines(text.slice(at + 9, end - 3)) };
      at = end;
    } else if (text[at + 1] === "!" || text[at + 1] === "?") {
      throw refused("a document type, an entity or a processing instruction");
    } else if (text[at + 1] === "/") {
      const name = nameAt(text, at + 2);
      at = closing(text, at + 2 + name.length);
      if (open.pop() !== name) throw refused("an end tag without its start tag");
      isOver = open.length === 0;
      yield { kind: "close", name };
    } else {
      if (isOver) throw refused("a second document element");
      const tag = tagAt(text, at + 1);
      yield { kind: "open", name: tag.name, attributes: tag.attributes };
      at = tag.end;
      if (tag.isEmpty) {
        isOver = open.length === 0;
        yield { kind: "close", name: tag.name };
      } else if (open.push(tag.name) > depthMax) throw tooLarge();
    }
  }
  if (!isOver) throw refused("it ends early");
}

function passDeclaration(text: string): number {
  const start = text.startsWith("\ufeff") ? 1 : 0;
  if (!/^<\?xml[ \t\r\n]/.test(text.slice(start, start + 6))) return start;
  const end = after(text, "?>", start);
  const encoding = /\bencoding[ \t\r\n]*=[ \t\r\n]*["']([^"']*)["']/.exec(text.slice(start, end))?.[1];
  if (encoding !== undefined && !/^(utf-8|us-ascii)$/i.test(encoding)) throw refused("another encoding than UTF-8");
  return end;
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  if (at < 0) throw refused("it ends early");
  return at + mark.length;
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

function nameAt(text: string, at: number): string {
  const name = match(namePattern, text, at);
  if (name === "") throw refused("a tag without a name");
  return name;
}

/** Behind the `>` that ends an end tag. */
function closing(text: string, from: number): number {
  const at = from + match(blankPattern, text, from).length;
  if (text[at] !== ">") throw refused("a tag that does not end");
  return at + 1;
}

function tagAt(text: string, from: number) {
  const name = nameAt(text, from);
  const attributes = new Map<string, string>();
  for (let at = from + name.length; ; ) {
    const blank = match(blankPattern, text, at);
    at += blank.length;
    if (text[at] === ">") return { name, attributes, isEmpty: false, end: at + 1 };
    if (text[at] === "/" && text[at + 1] === ">") return { name, attributes, isEmpty: true, end: at + 2 };
    if (blank === "" || attributes.size === attributesMax) throw refused("a tag that cannot be read");
    const key = nameAt(text, at);
    at += key.length;
    at += match(blankPattern, text, at).length;
    if (text[at] !== "=") throw refused("an attribute without a value");
    at += 1 + match(blankPattern, text, at + 1).length;
    const quote = text[at];
    const end = quote === '"' || quote === "'" ? text.indexOf(quote, at + 1) : -1;
    if (end < 0) throw refused("an attribute without a value");
    const value = text.slice(at + 1, end);
    if (value.includes("<") || attributes.has(key)) throw refused("an attribute that cannot be read");
    attributes.set(key, unescaped(value));
    at = end + 1;
  }
}

/** Ends of lines are one character (XML 1.0 §2.11). */
const newlines = (text: string): string => text.replace(/\r\n?/g, "\n");

function unescaped(text: string): string {
  if (!text.includes("&")) return newlines(text);
  return newlines(text).replace(/&([^;&]{0,16})(;?)/g, (_all, name: string, end: string) => {
    const known = Object.hasOwn(entities, name) ? entities[name] : characterOf(name);
    if (known === undefined || end === "") throw refused("an entity that XML itself does not have");
    return known;
  });
}

function characterOf(name: string): string | undefined {
  const digits = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
  const character = String.fromCodePoint(code);
  return forbidden.test(character) ? undefined : character;
}

function refused(what: string): Problem {
  return new Problem("invalid", `the XML holds ${what}`, {
    remedy: "send well-formed XML in UTF-8 without a document type",
  });
}

function tooLarge(): Problem {
  return new Problem("too-large", "the XML is too large or nests too deeply");
}
