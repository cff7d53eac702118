/** One element: its attributes in this order (undefined ones are left out), and what it holds. */
export interface XmlElement {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | undefined>>;
  readonly children?: readonly XmlElement[];
  readonly text?: string;
}

/** XML 1.0 without declaration and without white space between elements. */
export function xmlOf({ name, attributes = {}, children = [], text = "" }: XmlElement): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => (value === undefined ? "" : ` ${key}="${escaped(value)}"`))
    .join("");
  const content = escaped(text) + children.map(xmlOf).join("");
  return content === "" ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

/** What no XML 1.0 document may hold, even as a reference (§2.2): most control characters, lone surrogates, U+FFFE and U+FFFF. */
const notXml = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const special: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

function escaped(value: string): string {
  return value.replace(notXml, "\u{fffd}").replace(/[&<>"'\t\n\r]/g, (each) => special[each] ?? each);
}
