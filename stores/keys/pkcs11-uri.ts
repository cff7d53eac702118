import { Problem } from "#base/problem";

/** Where a root key lies in a PKCS#11 token, as a URI says it (RFC 7512). */
export interface Pkcs11Place {
  /** The token's library. */
  readonly modulePath: string;
  readonly token?: string;
  readonly serial?: string;
  readonly slotId?: number;
  /** Label of the key. */
  readonly object: string;
  /** CKA_ID of the key, where it has one. */
  readonly id?: Buffer;
  /** File that holds the PIN. */
  readonly pinFile: string;
}

const pathAttributes = ["token", "serial", "slot-id", "object", "id", "type"];
const queryAttributes = ["module-path", "pin-source"];

const example =
  "pkcs11:token=leadglass;object=root?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/leadglass/pin";

function refused(message: string): Problem {
  return new Problem("invalid", `refusing to use this PKCS#11 URI: ${message}`, { remedy: `for example ${example}` });
}

/** Problem "invalid" that says what is wrong and repeats nothing of the URI: a PIN may have been put into it. */
export function parsePkcs11Uri(uri: string): Pkcs11Place {
  if (!/^pkcs11:/i.test(uri)) throw refused("it begins with pkcs11:");
  const [path = "", query = "", ...more] = uri.slice("pkcs11:".length).split("?");
  if (more.length > 0) throw refused("it has one question mark");
  const named = attributesOf(path, ";", pathAttributes);
  const asked = attributesOf(query, "&", queryAttributes);
  const [token, serial, object, id] = ["token", "serial", "object", "id"].map((name) => named.get(name));
  const slotId = named.get("slot-id")?.toString("utf8");
  if (token === undefined && serial === undefined && slotId === undefined) {
    throw refused("it names the token by token=LABEL, serial= or slot-id=");
  }
  if (slotId !== undefined && !/^\d{1,9}$/.test(slotId)) throw refused("slot-id is a number");
  if (object === undefined) throw refused("it names the key by object=LABEL");
  if ((named.get("type")?.toString("utf8") ?? "secret-key") !== "secret-key") throw refused("type is secret-key");
  const modulePath = asked.get("module-path")?.toString("utf8") ?? "";
  if (!modulePath.startsWith("/")) throw refused("it names the token's library by module-path=/…");
  const pinSource = asked.get("pin-source")?.toString("utf8") ?? "";
  const pinFile = pinSource.replace(/^file:(\/\/)?(?=\/)/, "");
  if (!pinFile.startsWith("/")) throw refused("it names the file that holds the PIN by pin-source=file:/…");
  return {
    modulePath,
    object: object.toString("utf8"),
    pinFile,
    ...(token && { token: token.toString("utf8") }),
    ...(serial && { serial: serial.toString("utf8") }),
    ...(slotId !== undefined && { slotId: Number(slotId) }),
    ...(id && { id }),
  };
}

function attributesOf(text: string, separator: string, known: readonly string[]): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const attribute of text.split(separator)) {
    if (attribute === "") continue;
    const [name = "", ...rest] = attribute.split("=");
    if (name === "pin-value")
      throw refused("a PIN in a setting is seen by others: put it into a file, pin-source=file:/…");
    if (!known.includes(name)) throw refused(`it has an attribute that is not one of ${known.join(", ")}`);
    if (found.has(name)) throw refused(`it says ${name} twice`);
    const value = decoded(rest.join("="));
    if (value === undefined || value.length === 0) throw refused(`the value of ${name} is not well written`);
    found.set(name, value);
  }
  return found;
}

/** Bytes of a percent-encoded value; undefined for a percent sign without two digits, and for what would end a text early. */
function decoded(value: string): Buffer | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(value) || /[^\x21-\x7e]/.test(value)) return undefined;
  const bytes = Buffer.from(
    value.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    "latin1",
  );
  return bytes.includes(0) ? undefined : bytes;
}
