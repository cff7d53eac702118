import { newToken, type Random } from "#base/id";
import type { BackupBox } from "#trust/vault";
import { type Medium, names, readPiece, writePiece } from "./medium.ts";
import { type Piece, pieceContext, type SavedState } from "./point.ts";
import type { StateSource } from "./sources.ts";

/** A sealed piece under a new random name, which is bound into it. Its name is durable when the folder is synced. */
export async function writeSealed(medium: Medium, box: BackupBox, random: Random, plain: Uint8Array): Promise<Piece> {
  const file = newToken(random);
  return writePiece(medium, names.pieces, file, box.seal(pieceContext(file), plain));
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
