/** One media type with its parameters, names in lower case, quotes taken off. */
export interface MediaType {
  /** `type/subtype` in lower case; `*` stands for any. */
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** One entry of an Accept header. */
export interface Acceptable extends MediaType {
  /** 0 to 1. */
  readonly quality: number;
}

/** What no browser and no viewer exceeds; longer headers are cut off here. */
const rangesMax = 64;
const parametersMax = 16;

/**
 * Reads a Content-Type, or a part's. Values with a slash are taken without quotes too, as Cornerstone sends them
 * (`type=application/octet-stream`). Undefined when it is no media type.
 */
export function parseMediaType(text: string): MediaType | undefined {
  const [head = "", ...rest] = splitOutsideQuotes(text, ";");
  const name = head.trim().toLowerCase();
  if (!/^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+$/.test(name)) return undefined;
  const parameters = new Map<string, string>();
  for (const each of rest.slice(0, parametersMax)) {
    const equals = each.indexOf("=");
    const key = each.slice(0, equals).trim().toLowerCase();
    if (equals > 0 && !parameters.has(key)) parameters.set(key, unquoted(each.slice(equals + 1).trim()));
  }
  return { name, parameters };
}

/**
 * Reads an Accept header (RFC 9110 §12.5.1), best first; entries of the same quality stay in their order. A missing or
 * empty header accepts anything. What cannot be read is passed over.
 */
export function parseAccept(header: string | undefined): Acceptable[] {
  const entries: Acceptable[] = [];
  for (const text of splitOutsideQuotes(header ?? "", ",").slice(0, rangesMax)) {
    const type = parseMediaType(text === "*" ? "*/*" : text);
    if (type === undefined) continue;
    const quality = Number.parseFloat(type.parameters.get("q") ?? "1");
    if (quality > 0) entries.push({ ...type, quality: Math.min(1, quality) });
  }
  if (entries.length === 0 && !header?.trim()) return [{ name: "*/*", parameters: new Map(), quality: 1 }];
  return entries.sort((a, b) => b.quality - a.quality);
}

/** Whether `range` (which may hold wildcards) covers the media type `name`. */
export function covers(range: string, name: string): boolean {
  if (range === name || range === "*/*" || range === "*") return true;
  return range.endsWith("/*") && name.startsWith(range.slice(0, -1));
}

/** Which of `offered` the client wants most; undefined when none is acceptable. Ties go to what is offered first. */
export function preferred<Offer extends string>(
  accept: readonly Acceptable[],
  offered: readonly Offer[],
): Offer | undefined {
  for (const { name } of accept) {
    const found = offered.find((offer) => covers(name, offer));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether an Accept-Encoding header takes gzip. */
export function acceptsGzip(header: string | undefined): boolean {
  for (const entry of (header ?? "").split(",")) {
    const [coding = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    if (coding === "gzip" || coding === "x-gzip" || coding === "*") return !refused;
  }
  return false;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function unquoted(text: string): string {
  if (text.length < 2 || text[0] !== '"') return text;
  const end = text.at(-1) === '"' ? text.length - 1 : text.length;
  return text.slice(1, end).replace(/\\(.)/g, "$1");
}
