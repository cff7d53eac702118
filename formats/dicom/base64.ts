const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** RFC 4648 §4, with padding. Own code because formats run in the browser, where Buffer is not. */
export function base64Of(bytes: Uint8Array): string {
  const parts: string[] = [];
  let text = "";
  let at = 0;
  for (; at + 3 <= bytes.length; at += 3) {
    const word = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    text += alphabet[word >> 18]! + alphabet[(word >> 12) & 63]! + alphabet[(word >> 6) & 63]! + alphabet[word & 63]!;
    if (text.length >= 8192) {
      parts.push(text);
      text = "";
    }
  }
  const rest = bytes.length - at;
  if (rest > 0) {
    const word = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8);
    text += alphabet[word >> 18]! + alphabet[(word >> 12) & 63]!;
    text += rest === 2 ? `${alphabet[(word >> 6) & 63]}=` : "==";
  }
  parts.push(text);
  return parts.join("");
}

/** The bytes, or undefined when the text is not base64. White space is passed over, padding may lack. */
export function bytesOfBase64(text: string): Uint8Array | undefined {
  const clean = text.replace(/[\s]+/g, "").replace(/={1,2}$/, "");
  if (clean.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(clean)) return undefined;
  const bytes = new Uint8Array(Math.floor((clean.length * 3) / 4));
  let word = 0;
  let bits = 0;
  let to = 0;
  for (let at = 0; at < clean.length; at += 1) {
    word = ((word << 6) | sixBits(clean.charCodeAt(at))) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[to++] = (word >> bits) & 0xff;
  }
  return bytes;
}

function sixBits(code: number): number {
  if (code >= 97) return code - 71;
  if (code >= 65) return code - 65;
  if (code >= 48) return code + 4;
  return code === 43 ? 62 : 63;
}
