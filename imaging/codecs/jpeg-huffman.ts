/** A Huffman code to write with: for each symbol its code and how long that is, 0 for one that does not come. */
export interface HuffmanCode {
  readonly codes: Uint16Array;
  readonly lengths: Uint8Array;
  /** Codes of each length from 1 to 16, and the symbols in order of their codes, as a DHT segment lists them. */
  readonly counts: Uint8Array;
  readonly symbols: Uint8Array;
}

const lengthMax = 16;

/** The shortest code for symbols that come so often (T.81 Annex K.2), none of its words all ones. */
export function shortestCode(frequencies: readonly number[]): HuffmanCode {
  const lengths = wordLengths(frequencies);
  const counts = new Uint8Array(lengthMax);
  const symbols = [...lengths.keys()]
    .filter((symbol) => (lengths[symbol] as number) > 0)
    .sort((a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b);
  const codes = new Uint16Array(lengths.length);
  let code = 0;
  let length = 0;
  for (const symbol of symbols) {
    const wanted = lengths[symbol] as number;
    code <<= wanted - length;
    length = wanted;
    codes[symbol] = code++;
    counts[length - 1] = (counts[length - 1] as number) + 1;
  }
  return { codes, lengths, counts, symbols: Uint8Array.from(symbols) };
}

interface Node {
  readonly weight: number;
  readonly symbols: readonly number[];
}

/**
 * Joins the two rarest until one is left; each joining makes the words of all symbols in it one bit longer. A symbol that stands for
 * nothing is the rarest of all and takes the word of all ones. With 17 kinds of difference and frames of fewer than 2^32 samples a word
 * may still grow over 16 bits: then everything is counted as if it came half as often.
 */
function wordLengths(frequencies: readonly number[]): Uint8Array {
  const lengths = new Uint8Array(frequencies.length + 1);
  let nodes: Node[] = frequencies.flatMap((weight, symbol) => (weight > 0 ? [{ weight, symbols: [symbol] }] : []));
  nodes.push({ weight: 0, symbols: [frequencies.length] });
  while (nodes.length > 1) {
    nodes = nodes.sort((a, b) => a.weight - b.weight || b.symbols.length - a.symbols.length);
    const [first, second, ...rest] = nodes as [Node, Node, ...Node[]];
    const joined = { weight: first.weight + second.weight, symbols: [...first.symbols, ...second.symbols] };
    for (const symbol of joined.symbols) lengths[symbol] = (lengths[symbol] as number) + 1;
    nodes = [joined, ...rest];
  }
  if (lengths.some((length) => length > lengthMax)) {
    return wordLengths(frequencies.map((weight) => Math.ceil(weight / 2)));
  }
  return lengths.subarray(0, frequencies.length);
}
