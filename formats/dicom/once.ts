/** A table that is built at its first use, so that importing it costs nearly nothing. */
export function once<T>(build: () => T): () => T {
  let built: T | undefined;
  return () => {
    built ??= build();
    return built;
  };
}
