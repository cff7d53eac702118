import { Problem } from "#base/problem";
import { type KeyStore, type WrappedStudyKey, wrappedKeyBytesMax } from "#trust/vault";

export function createMemoryKeyStore(): KeyStore {
  const byDigest = new Map<string, WrappedStudyKey>();
  const digests = new Map<string, string>();
  return {
    get: async (digest) => byDigest.get(Buffer.from(digest).toString("hex")),
    byToken: async (studyToken) => byDigest.get(digests.get(studyToken) ?? ""),
    async putIfAbsent(digest, key) {
      if (digest.length !== 32 || key.wrappedKey.length > wrappedKeyBytesMax) {
        throw new Problem("invalid", "a study key does not fit its record");
      }
      const name = Buffer.from(digest).toString("hex");
      const standing = byDigest.get(name);
      if (standing !== undefined) return standing;
      byDigest.set(name, key);
      digests.set(key.studyToken, name);
      return key;
    },
    async delete(studyToken) {
      const name = digests.get(studyToken) ?? "";
      byDigest.get(name)?.wrappedKey.fill(0);
      digests.delete(studyToken);
      return byDigest.delete(name);
    },
    async replace(studyToken, wrappedKey, standing) {
      if (wrappedKey.length > wrappedKeyBytesMax) throw new Problem("invalid", "a study key does not fit its record");
      const name = digests.get(studyToken) ?? "";
      const before = byDigest.get(name);
      if (before === undefined || (standing !== undefined && !before.wrappedKey.equals(standing))) return false;
      byDigest.set(name, { studyToken, wrappedKey });
      return true;
    },
    async *all() {
      yield* [...byDigest.values()];
    },
    count: () => byDigest.size,
    close: async () => {},
  };
}
