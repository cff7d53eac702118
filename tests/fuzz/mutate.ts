/** Repeatable numbers: a whole one from 0 up to `below`, without it. */
export type Dice = (below: number) => number;

/** A generator of its own for every seed (mulberry32): quick, and each state is followed by another. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Mutants are no longer than this: growth that costs more than what it is made of shows in small inputs. */
export const inputBytesMax = 64 * 1024;

/** Numbers at whose edges lengths and counts go wrong. */
const edges = [
  0, 1, 2, 3, 4, 7, 8, 12, 16, 63, 64, 65, 127, 128, 255, 256, 1_000, 32_767, 32_768, 65_534, 65_535,
].concat([65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 8, 2 ** 32 - 2, 2 ** 32 - 1]);

interface Mutating {
  bytes: Uint8Array;
  readonly dice: Dice;
  readonly words: readonly Uint8Array[];
  /** Another input, to take parts of. */
  readonly other: Uint8Array;
}

const place = ({ bytes, dice }: Mutating, room = 1) => dice(Math.max(1, bytes.length - room + 1));

function replaced({ bytes }: Mutating, at: number, removed: number, put: Uint8Array): Uint8Array {
  const out = new Uint8Array(at + put.length + Math.max(0, bytes.length - at - removed));
  out.set(bytes.subarray(0, at));
  out.set(put, at);
  if (at + removed < bytes.length) out.set(bytes.subarray(at + removed), at + put.length);
  return out;
}

/** A part of `bytes`: mostly short, now and then long. */
function partOf(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = dice(bytes.length);
  const most = dice(4) === 0 ? bytes.length : 64;
  return bytes.subarray(at, at + 1 + dice(Math.min(most, bytes.length - at)));
}

function edgeBytes({ dice, bytes }: Mutating): Uint8Array {
  const chosen = dice(4) === 0 ? bytes.length + dice(9) - 4 : edges[dice(edges.length)]!;
  const out = Buffer.alloc(dice(2) === 0 ? 2 : 4);
  const value = chosen >>> 0;
  if (dice(2) === 0) out.writeUIntLE(out.length === 2 ? value & 0xffff : value, 0, out.length);
  else out.writeUIntBE(out.length === 2 ? value & 0xffff : value, 0, out.length);
  return out;
}

const ways: readonly ((mutating: Mutating) => void)[] = [
  (m) => {
    const at = place(m);
    m.bytes[at] = (m.bytes[at] ?? 0) ^ (1 << m.dice(8));
  },
  (m) => {
    m.bytes[place(m)] = m.dice(256);
  },
  (m) => {
    m.bytes[place(m)] = [0, 1, 0x20, 0x30, 0x39, 0x5c, 0x7f, 0x80, 0xc0, 0xff][m.dice(10)]!;
  },
  (m) => {
    const put = edgeBytes(m);
    m.bytes = replaced(m, place(m, put.length), put.length, put);
  },
  (m) => {
    m.bytes = replaced(m, place(m), 1 + m.dice(m.dice(4) === 0 ? m.bytes.length : 16), new Uint8Array(0));
  },
  (m) => {
    m.bytes = replaced(m, place(m), 0, partOf(m.bytes, m.dice).slice());
  },
  (m) => {
    const part = partOf(m.bytes, m.dice);
    const times = 1 + m.dice(20);
    m.bytes = replaced(m, place(m), 0, Buffer.concat(Array.from({ length: times }, () => part)));
  },
  (m) => {
    const part = partOf(m.other, m.dice);
    m.bytes = replaced(m, place(m), m.dice(2) === 0 ? part.length : 0, part);
  },
  (m) => {
    m.bytes = m.bytes.slice(0, place(m));
  },
  (m) => {
    const word = m.words[m.dice(m.words.length)];
    if (word !== undefined) m.bytes = replaced(m, place(m), m.dice(2) === 0 ? word.length : 0, word);
  },
];

/** A mutant of `bytes`: one to eight changes. */
export function mutantOf(
  bytes: Uint8Array,
  given: { readonly dice: Dice; readonly words: readonly Uint8Array[]; readonly other: Uint8Array },
): Uint8Array {
  const mutating: Mutating = { ...given, bytes: Uint8Array.from(bytes) };
  const { dice } = given;
  for (let left = 1 + dice(dice(2) === 0 ? 2 : 8); left > 0; left--) {
    ways[dice(ways.length)]!(mutating);
    if (mutating.bytes.length === 0) mutating.bytes = Uint8Array.of(dice(256));
    if (mutating.bytes.length > inputBytesMax) mutating.bytes = mutating.bytes.slice(0, inputBytesMax);
  }
  return mutating.bytes;
}
