import type { Files } from "#base/io";
import { asProblem } from "#base/problem";
import type { Replica } from "#trust/vault";
import { type Follower, writeRange } from "./follower.ts";
import type { Pack } from "./pack.ts";
import type { PackFolder } from "./pack-folder.ts";

/** The second place as the port shows it. */
export function createReplica(parts: {
  readonly files: Files;
  readonly folder: PackFolder;
  readonly packOf: (name: string) => Pack;
  readonly read: (pack: string, position: number, into: Uint8Array) => Promise<number>;
  readonly follower: Follower;
}): Replica {
  const { files, folder, packOf, follower } = parts;
  const reading = (read: typeof parts.read, pack: string) => async (position: number, bytes: number) => {
    const into = Buffer.alloc(bytes);
    return into.subarray(0, await read(pack, position, into));
  };
  return {
    status: follower.status,
    read: (pack, position, into) =>
      follower.read(pack, position, into).catch((error) => {
        throw asProblem(error, "reading the replica");
      }),
    async repair(range, to) {
      try {
        if (to === "replica") return await follower.write(range, reading(parts.read, range.pack));
        const file = await files.open(folder.pathOf(packOf(range.pack)), "update");
        await writeRange(file, range, reading(follower.read, range.pack));
      } catch (error) {
        throw asProblem(error, "repairing a pack");
      }
    },
  };
}
