import type { FastifyInstance } from "fastify";
import { Problem } from "#base/problem";
import type { ApiParts } from "./parts.ts";

/** Hashes, or entries, of a whole tile; each level stands for so many of the one below (C2SP tlog-tiles). */
const tileWidth = 256;

interface Tile {
  /** Undefined for entries. */
  readonly level: number | undefined;
  readonly first: number;
  readonly width: number;
}

/** The log as C2SP tlog-tiles has it, for monitors: `checkpoint`, `tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]`. */
export function registerAuditTiles(server: FastifyInstance, { gate, audit, actorOf }: ApiParts): void {
  server.get("/api/audit/checkpoint", async (request, reply) => {
    const { note } = await gate.pass(
      actorOf(request),
      "audit.export",
      undefined,
      async () => audit.latestCheckpoint() ?? audit.checkpoint(),
    );
    return reply.type("text/plain; charset=utf-8").send(note);
  });

  server.get<{ Params: { "*": string } }>("/api/audit/tile/*", async (request, reply) => {
    const bytes = await gate.pass(actorOf(request), "audit.export", undefined, async () => {
      const tile = tileOf(request.params["*"]);
      const size = audit.latestCheckpoint()?.size ?? 0;
      const isSigned = tile !== undefined && (tile.first + tile.width) * tileWidth ** (tile.level ?? 0) <= size;
      if (!isSigned) throw new Problem("absent", "no signed tree has this tile");
      return tile.level === undefined ? bundleOf(tile) : hashesOf(tile, tile.level);
    });
    return reply.type("application/octet-stream").send(bytes);
  });

  const hashesOf = async ({ first, width }: Tile, level: number) =>
    Buffer.concat(await audit.subtrees(level * Math.log2(tileWidth), first, first + width));

  const bundleOf = async ({ first, width }: Tile) => {
    const lines = await audit.lines(first, first + width);
    return Buffer.concat(lines.flatMap((line) => [Buffer.of(line.length >> 8, line.length & 0xff), line]));
  };
}

/** Undefined for what is no path of a tile, written in its one way. */
function tileOf(path: string): Tile | undefined {
  const [, level = "", index = "", width = "256"] =
    /^(0|[1-9][0-9]?|entries)\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/.exec(path) ?? [];
  const n = Number(index.replace(/[x/]/g, ""));
  const isPartial = path.includes(".p/");
  if (index === "" || pathOf(n) !== index || Number(level) > 63 || Number(width) > tileWidth - (isPartial ? 1 : 0)) {
    return undefined;
  }
  return { level: level === "entries" ? undefined : Number(level), first: n * tileWidth, width: Number(width) };
}

/** 1234067 is x001/x234/067. */
function pathOf(n: number): string {
  const digits = String(n);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/[0-9]{3}/g) ?? [];
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
}
