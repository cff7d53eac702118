import { cache, Enums, imageLoader } from "@cornerstonejs/core";
import { outward } from "./outward.ts";
import { decodedBytes, type Stack } from "./stacks.ts";

const atOnce = 4;

export interface Prefetch {
  /** Loads images from `index` outward, as many as fit the share. A call replaces the one before. */
  around(stack: Stack, index: number): void;
  stop(): void;
}

/** Fills memory in the background, behind whatever the reader asks for. `bytesMax` is this pane's share of the cache. */
export function createPrefetch(bytesMax: () => number): Prefetch {
  let queue: string[] = [];
  let running = 0;
  const failed = new Set<string>();
  const next = () => {
    while (running < atOnce) {
      const imageId = queue.shift();
      if (imageId === undefined) return;
      if (failed.has(imageId) || cache.getImageLoadObject(imageId) !== undefined) continue;
      running += 1;
      void imageLoader
        .loadAndCacheImage(imageId, { requestType: Enums.RequestType.Prefetch, priority: 5 })
        // It is asked for again, and its error shown, when the reader comes to it.
        .catch(() => failed.add(imageId))
        .finally(() => {
          running -= 1;
          next();
        });
    }
  };
  return {
    around(stack, index) {
      const first = stack.images[0];
      if (first === undefined) return;
      const most = Math.floor((0.8 * bytesMax()) / Math.max(1, decodedBytes(first.instance)));
      queue = outward(index, stack.images.length, most).flatMap((each) => stack.images[each]?.imageId ?? []);
      next();
    },
    stop() {
      queue = [];
    },
  };
}
