import { Problem } from "#base/problem";

/** What an archive holds under a path. Folders need no entry: they are made for what lies in them. */
export type Entry =
  | { readonly path: string; readonly executable: boolean; readonly read: () => Uint8Array }
  | { readonly path: string; readonly target: string };

const blockBytes = 512;
const nameBytesMax = 100;
const prefixBytesMax = 155;

/**
 * An archive in the ustar interchange format (POSIX.1, pax), piece by piece. It says nothing of where, when and by whom it was made: names in
 * order, everything root's, one time for all, two modes. What does not fit the format is refused, not put into an extension that some reader ignores.
 */
export function* tarOf(entries: readonly Entry[], seconds: number): Generator<Uint8Array> {
  const folders = new Set<string>();
  for (const entry of [...entries].sort((one, other) => (one.path < other.path ? -1 : 1))) {
    for (const folder of foldersAbove(entry.path)) {
      if (folders.has(folder)) continue;
      folders.add(folder);
      yield header({ path: `${folder}/`, type: "5", mode: 0o755, size: 0, target: "", seconds });
    }
    if ("target" in entry) {
      yield header({ path: entry.path, type: "2", mode: 0o777, size: 0, target: entry.target, seconds });
      continue;
    }
    const bytes = entry.read();
    const mode = entry.executable ? 0o755 : 0o644;
    yield header({ path: entry.path, type: "0", mode, size: bytes.length, target: "", seconds });
    yield bytes;
    yield new Uint8Array(-bytes.length & (blockBytes - 1));
  }
  yield new Uint8Array(2 * blockBytes);
}

function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

interface Header {
  readonly path: string;
  /** The typeflag: 0 a file, 2 a symbolic link, 5 a folder. */
  readonly type: "0" | "2" | "5";
  readonly mode: number;
  readonly size: number;
  readonly target: string;
  readonly seconds: number;
}

function header({ path, type, mode, size, target, seconds }: Header): Uint8Array {
  const linkName = utf8(target);
  if (!isPlain(path) || (type === "2" && !isPlain(target)) || linkName.length > nameBytesMax) throw unfit(path);
  const [prefix, name] = splitPath(path);
  const block = Buffer.alloc(blockBytes);
  block.write(name, 0, "latin1");
  block.write(octal(mode, 8), 100, "latin1");
  block.write(octal(0, 8), 108, "latin1");
  block.write(octal(0, 8), 116, "latin1");
  block.write(octal(size, 12), 124, "latin1");
  block.write(octal(seconds, 12), 136, "latin1");
  // The sum is over the block with its own field as spaces.
  block.write(" ".repeat(8), 148, "latin1");
  block.write(type, 156, "latin1");
  block.write(linkName, 157, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  block.write(octal(0, 8), 329, "latin1");
  block.write(octal(0, 8), 337, "latin1");
  block.write(prefix, 345, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 7)} `, 148, "latin1");
  return block;
}

function octal(value: number, width: number): string {
  const digits = value.toString(8).padStart(width - 1, "0");
  if (digits.length >= width) throw new Problem("invalid", `${value} does not fit a field of a tar header`);
  return `${digits}\0`;
}

/** A path of more than 100 bytes is cut at a slash: what is before it goes into a field of its own. */
function splitPath(path: string): [prefix: string, name: string] {
  const bytes = utf8(path);
  if (bytes.length <= nameBytesMax) return ["", bytes];
  const cut = bytes.indexOf("/", bytes.length - nameBytesMax - 1);
  if (cut < 1 || cut > prefixBytesMax || cut === bytes.length - 1) throw unfit(path);
  return [bytes.slice(0, cut), bytes.slice(cut + 1)];
}

/** A name as it stands in a header, a character for each byte. */
function utf8(name: string): string {
  return Buffer.from(name, "utf8").toString("latin1");
}

/** sha256sum escapes a backslash and the end of a line, and a terminal does what other control characters say. */
function isPlain(name: string): boolean {
  return /^[^\p{Cc}\\]+$/u.test(name);
}

function unfit(path: string): Problem {
  return new Problem("invalid", `${JSON.stringify(path)} cannot be in a release, or what it links to`, {
    remedy: "a name has no control characters and no backslash, and fits a tar header",
  });
}
