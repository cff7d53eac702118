import { Problem } from "#base/problem";
import type { Edge, EdgeSigningKey, EdgeStore } from "#trust/access";

export function edges(): EdgeStore {
  const held = new Map<string, Edge>();
  const signingKeys = new Map<string, EdgeSigningKey>();
  return {
    async addEdge(edge) {
      if ([...held.values()].some(({ id, name }) => id === edge.id || name === edge.name)) {
        throw new Problem("conflict", "an edge of this name is there already", { remedy: "choose another name" });
      }
      held.set(edge.id, { ...edge });
    },
    edges: async () => [...held.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
    edge: async (id) => held.get(id),
    async changeEdge({ id, version }, to) {
      const edge = held.get(id);
      if (edge?.version !== version) return false;
      held.set(id, { ...edge, ...to, version: version + 1 });
      return true;
    },
    async touchEdge(id, lastSeenAt) {
      const edge = held.get(id);
      if (edge !== undefined) held.set(id, { ...edge, lastSeenAt });
    },
    removeEdge: async (id) => held.delete(id),
    async addSigningKey(key) {
      const name = `${key.edge} ${key.publicKey}`;
      if (!signingKeys.has(name)) signingKeys.set(name, { ...key });
    },
    signingKeys: async (edge) =>
      [...signingKeys.values()]
        .filter((key) => key.edge === edge)
        .sort((a, b) => b.since - a.since || (a.publicKey < b.publicKey ? -1 : 1)),
  };
}
