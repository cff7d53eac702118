import { createHash } from "node:crypto";
import type { Files, OpenFile } from "#base/io";
import { Problem } from "#base/problem";

/** Passwords that were found in breaches elsewhere. */
export interface BreachedPasswords {
  has(password: string): Promise<boolean>;
}

/** A digest, a colon, a count, the end of the line. */
const lineBytesMax = 64;
const windowBytes = 4_096;

/**
 * A list as Have I Been Pwned gives it out: SHA-1 in hexadecimal, a colon, how often, one a line, in order of the digests. It is tens of
 * gigabytes, so it is searched where it lies. Problem `invalid` when the file is not such a list.
 */
export async function openBreachedPasswords(files: Files, path: string): Promise<BreachedPasswords> {
  const found = await within(files, path, (file) => textAt(file, 0, lineBytesMax)).catch((cause: unknown) => {
    throw new Problem("invalid", "the list of breached passwords cannot be read", {
      remedy: "name a readable file",
      cause,
    });
  });
  if (!/^[0-9A-Fa-f]{40}:\d+\r?(\n|$)/.test(found)) {
    throw new Problem("invalid", "the list of breached passwords is not as it should be", {
      remedy: "use the SHA-1 list of Have I Been Pwned, ordered by hash",
    });
  }
  return {
    has: (password) => {
      const digest = createHash("sha1").update(password, "utf8").digest("hex").toUpperCase();
      return within(files, path, (file) => isListed(file, digest));
    },
  };
}

async function within<T>(files: Files, path: string, work: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await files.open(path, "read");
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** Halves what it lies in, at most some thirty times, until one window holds the rest. */
async function isListed(file: OpenFile, digest: string): Promise<boolean> {
  let from = 0;
  let to = await file.size();
  while (to - from > windowBytes) {
    const middle = Math.floor((from + to) / 2);
    const text = await textAt(file, middle, 2 * lineBytesMax);
    const lineStart = text.indexOf("\n") + 1;
    const there = text.slice(lineStart, lineStart + 40).toUpperCase();
    if (lineStart === 0 || there.length < 40) break;
    if (there === digest) return true;
    // A line that begins before the middle and ends behind it stays on the lower side.
    if (there < digest) from = middle + lineStart;
    else to = middle + lineStart;
  }
  const rest = await textAt(file, from, to - from);
  return rest.split("\n").some((line) => line.slice(0, 40).toUpperCase() === digest);
}

async function textAt(file: OpenFile, position: number, bytes: number): Promise<string> {
  const into = Buffer.alloc(bytes);
  const count = await file.read(into, position);
  return into.toString("latin1", 0, count);
}
