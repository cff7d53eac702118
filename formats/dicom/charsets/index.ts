export { isKnownCharacterSet } from "./terms.ts";
export { characterSetsFor, decodeText, encodeText, splitValues } from "./text.ts";
