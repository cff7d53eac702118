const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Crockford's base 32, which has no letter that is taken for another: for secrets that people write down and type. */
export const crockford = {
  /** Groups of four, with hyphens between. The number of bytes is a multiple of five. */
  encode(bytes: Uint8Array): string {
    let digits = "";
    for (let at = 0; at < bytes.length; at += 5) {
      let bits = 0n;
      for (const byte of bytes.subarray(at, at + 5)) bits = (bits << 8n) | BigInt(byte);
      for (let shift = 35n; shift >= 0n; shift -= 5n) digits += letters[Number((bits >> shift) & 31n)];
    }
    return digits.replace(/(.{4})(?=.)/g, "$1-");
  },

  /** What people typed, as it was written: case, spaces, O for 0, I and L for 1. Undefined when it holds anything else. */
  bare(text: string): string | undefined {
    const bare = text.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
    return [...bare].every((letter) => letters.includes(letter)) ? bare : undefined;
  },

  /** Undefined when it is not whole. */
  decode(text: string): Buffer | undefined {
    const bare = crockford.bare(text);
    if (bare === undefined || bare.length === 0 || bare.length % 8 !== 0) return undefined;
    const bytes = Buffer.alloc((bare.length / 8) * 5);
    for (let at = 0; at < bare.length; at += 8) {
      let bits = 0n;
      for (const letter of bare.slice(at, at + 8)) bits = (bits << 5n) | BigInt(letters.indexOf(letter));
      for (let i = 4; i >= 0; i--, bits >>= 8n) bytes[(at / 8) * 5 + i] = Number(bits & 255n);
    }
    return bytes;
  },
};
