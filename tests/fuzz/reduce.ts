/**
 * A smaller input of which `isSame` still holds: parts are left out, halves first, single bytes last, then bytes are made zero. Ends
 * after `msMax` with the smallest so far.
 */
export async function reduced(
  input: Uint8Array,
  isSame: (smaller: Uint8Array) => Promise<boolean>,
  msMax: number,
): Promise<Uint8Array> {
  let best = input;
  const until = performance.now() + msMax;
  const goesOn = () => performance.now() < until;
  const attempt = async (smaller: Uint8Array): Promise<boolean> => {
    if (!(await isSame(smaller))) return false;
    best = smaller;
    return true;
  };
  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.length && goesOn(); ) {
      const without = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (without.length === 0 || !(await attempt(without))) at += size;
    }
  }
  for (let at = 0; at < best.length && goesOn(); at++) {
    if (best[at] === 0) continue;
    const zeroed = Uint8Array.from(best);
    zeroed[at] = 0;
    await attempt(zeroed);
  }
  return best;
}
