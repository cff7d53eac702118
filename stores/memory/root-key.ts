import { systemRandom } from "#base/id";
import { Problem } from "#base/problem";
import { anotherKind, type RootKeySource } from "#trust/vault";

/** A root key that wraps nothing in truth: it keeps what it was given, and gives it back for its context. */
export function createMemoryRoot(): RootKeySource {
  const kept = new Map<string, { readonly key: Buffer; readonly context: string }>();
  return async (settings = { kind: "memory" }) => {
    if (settings.kind !== "memory") throw anotherKind(settings, "memory");
    let isClosed = false;
    const checkOpen = () => {
      if (isClosed) throw new Problem("unavailable", "the root key is closed");
    };
    return {
      settings,
      async wrap(key, context) {
        checkOpen();
        const name = Buffer.from(systemRandom(Buffer.alloc(48)));
        kept.set(name.toString("hex"), { key: Buffer.from(key), context });
        return name;
      },
      async unwrap(wrapped, context) {
        checkOpen();
        const found = kept.get(Buffer.from(wrapped).toString("hex"));
        return found?.context === context ? Buffer.from(found.key) : undefined;
      },
      async close() {
        isClosed = true;
      },
    };
  };
}
