/** A UID as PS3.5 §9.1 writes it: digits and dots, at most 64, no empty component, no needless leading zero. */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+$/.test(text);
}
