import type { SavedViewStore, StoredSavedView } from "#trust/access";

export function savedViews(): SavedViewStore {
  const held = new Map<string, StoredSavedView>();
  return {
    addSavedView: async (view) => void held.set(view.id, { ...view }),
    savedViewsOf: async (accountId) =>
      [...held.values()].filter((view) => view.accountId === accountId).sort((a, b) => a.createdAt - b.createdAt),
    removeSavedView: async (accountId, id) => held.get(id)?.accountId === accountId && held.delete(id),
  };
}
