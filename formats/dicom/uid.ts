/**
 * A UID as PS3.5 §9.1 writes it: digits and dots, at most 64, no empty component. Needless leading zeros, which the paragraph
 * forbids and old senders write, are let through: an image is not lost for them.
 */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^[0-9]+(\.[0-9]+)+$/.test(text);
}
