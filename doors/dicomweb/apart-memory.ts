import { Problem } from "#base/problem";
import { Refusal } from "./refusal.ts";

/** Memory for uploads that have to be collected before they can be stored. */
export interface ApartMemory {
  open(): ApartShare;
}

/** What one upload holds of it. */
export interface ApartShare {
  /** Before so many bytes are kept. Refusal 413 when it is too much for one, Problem "unavailable" when all hold too much. */
  take(bytes: number): void;
  close(): void;
}

export function createApartMemory({
  bytesMax,
  shareBytesMax,
}: {
  bytesMax: number;
  shareBytesMax: number;
}): ApartMemory {
  let held = 0;
  return {
    open() {
      let own = 0;
      return {
        take(bytes) {
          if (own + bytes > shareBytesMax) {
            const most = `${shareBytesMax >> 20} MiB`;
            throw new Refusal(413, `more than ${most} of metadata and bulk data apart`, "send it as application/dicom");
          }
          if (held + bytes > bytesMax) {
            throw new Problem("unavailable", "too many uploads of metadata and bulk data apart", {
              remedy: "send it again, or as application/dicom",
            });
          }
          own += bytes;
          held += bytes;
        },
        close() {
          held -= own;
          own = 0;
        },
      };
    },
  };
}
