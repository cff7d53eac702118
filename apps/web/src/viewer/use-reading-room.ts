import { useEffect, useState } from "react";
import { openReadingRoom, type ReadingRoom } from "./reading-room.ts";

export interface Opening {
  readonly room: ReadingRoom | undefined;
  readonly error: unknown;
}

export function useReadingRoom(): Opening {
  const [opening, setOpening] = useState<Opening>({ room: undefined, error: undefined });
  useEffect(() => {
    let closed = false;
    let opened: ReadingRoom | undefined;
    openReadingRoom().then(
      (room) => {
        if (closed) return room.close();
        opened = room;
        setOpening({ room, error: undefined });
      },
      (error: unknown) => setOpening({ room: undefined, error }),
    );
    return () => {
      closed = true;
      setOpening({ room: undefined, error: undefined });
      opened?.close();
    };
  }, []);
  return opening;
}
