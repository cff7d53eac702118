import { newToken, type Random } from "#base/id";
import type { BackupBox } from "#trust/vault";
import { type Medium, names, readPiece, sha256, withFile } from "./medium.ts";
import { type Piece, pieceContext, type SavedState } from "./point.ts";
import type { StateSource } from "./sources.ts";

/** A sealed piece under a new random name, which is bound into it. Its name is durable when the folder is synced. */
export async function writeSealed(medium: Medium, box: BackupBox, random: Random, plain: Uint8Array): Promise<Piece> {
  const file = newToken(random);
  const sealed = box.seal(pieceContext(file), plain);
  await withFile(medium.files, medium.path(names.pieces, file), "create", async (made) => {
    await made.write([sealed], 0);
    await made.sync();
  });
  return { file, sizeBytes: sealed.length, sha256: sha256(sealed) };
}

export async function readSealed(medium: Medium, box: BackupBox, piece: Piece): Promise<Buffer> {
  return box.open(pieceContext(piece.file), await readPiece(medium, names.pieces, piece));
}

export async function copyStates(
  medium: Medium,
  box: BackupBox,
  random: Random,
  states: readonly StateSource[],
): Promise<SavedState[]> {
  const saved: SavedState[] = [];
  for (const { name, read } of states) {
    const plain = await read();
    if (plain !== undefined) saved.push({ name, ...(await writeSealed(medium, box, random, plain)) });
  }
  return saved;
}
