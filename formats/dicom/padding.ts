/*
 * What fills a value up behind its text. By hand: a pattern such as / +$/ is tried anew at each of many spaces, and a value of 64 KiB
 * of them with a letter at its end takes seconds.
 */

/** Without the spaces and NULs behind, and where they mean nothing the spaces in front (PS3.5 §6.2). */
export function withoutPadding(text: string, alsoInFront = false): string {
  let to = text.length;
  while (to > 0 && (text.charCodeAt(to - 1) === 0x20 || text.charCodeAt(to - 1) === 0)) to -= 1;
  let from = 0;
  if (alsoInFront) while (from < to && text.charCodeAt(from) === 0x20) from += 1;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

/** A person name without the empty components behind (PS3.5 §6.2.1). */
export function withoutEmptyComponents(text: string): string {
  let to = text.length;
  while (text[to - 1] === "^") to -= 1;
  return text.slice(0, to);
}
