/** What may be held in memory of what one edge sends, over all its objects, sessions and streams. */
export interface Room {
  /** Takes so much where all of it is free, and nothing otherwise. */
  take(bytes: number, pieces: number): boolean;
  giveBack(bytes: number, pieces: number): void;
  heldBytes(): number;
}

/** Pieces are counted beside their bytes: each costs some hundred bytes of its own, however short it is. */
export function createRoom(bytesMax: number, piecesMax: number): Room {
  let bytesHeld = 0;
  let piecesHeld = 0;
  return {
    take(bytes, pieces) {
      if (bytesHeld + bytes > bytesMax || piecesHeld + pieces > piecesMax) return false;
      bytesHeld += bytes;
      piecesHeld += pieces;
      return true;
    },
    giveBack(bytes, pieces) {
      bytesHeld -= bytes;
      piecesHeld -= pieces;
    },
    heldBytes: () => bytesHeld,
  };
}
