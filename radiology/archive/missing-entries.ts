import { type Gate, system } from "#trust/access";
import type { AuditLog } from "#trust/audit";

/**
 * Halves and their entry in the audit log are synced side by side, so a crash may keep the halves alone. Nobody was told that the
 * instance is stored; recovery takes it in all the same, and the log has to say so before anybody can find it.
 */
export interface MissingEntries {
  /** Resolves when the log has an entry of the instance: its own, or one by the system. */
  makeFor(instance: { readonly id: string; readonly receivedAt: number }): Promise<void>;
}

export type ReadableLog = Pick<AuditLog, "size" | "entries">;

/** Entries read at once. */
const pageEntries = 1_000;
/** So far the clock may have been set back between the arrival of an instance and its entry; beyond, it gets a second one. */
const clockSlackMs = 60 * 60 * 1000;

export function createMissingEntries({ audit, gate }: { audit: ReadableLog; gate: Gate }): MissingEntries {
  const logged = new Set<string>();
  /** All entries from here on were read. */
  let from = audit.size();
  let oldestAt = Number.POSITIVE_INFINITY;

  /** The log is read backwards, as far as the instance's own entry can lie. */
  const isLogged = async (id: string, receivedAt: number): Promise<boolean> => {
    while (!logged.has(id) && from > 0 && oldestAt >= receivedAt - clockSlackMs) {
      const to = from;
      from = Math.max(0, to - pageEntries);
      const entries = await audit.entries(from, to);
      oldestAt = entries[0]?.at ?? oldestAt;
      for (const { act, on, outcome } of entries) {
        if (act === "instance.store" && outcome === "done" && on !== undefined) logged.add(on.id);
      }
    }
    return logged.has(id);
  };
  return {
    async makeFor({ id, receivedAt }) {
      if (await isLogged(id, receivedAt)) return;
      await gate.pass(system, "instance.store", { kind: "instance", id }, async () => {});
    },
  };
}
