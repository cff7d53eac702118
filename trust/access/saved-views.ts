import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { Actor } from "./acts.ts";
import type { Gate } from "./gate.ts";
import type { SavedViewStore, StoredSavedView } from "./saved-view-store.ts";
import type { SecretBox } from "./secret-box.ts";

export interface ViewTerms {
  /** Of the application: `log`, `studies`, … */
  readonly page: string;
  readonly name: string;
  /** Filters and order, as in the address. */
  readonly search: string;
}

export interface KeptView extends ViewTerms {
  readonly id: string;
}

/** Lists as a person wants to see them again; one's own alone. */
export interface SavedViews {
  list(actor: Actor, page?: string): Promise<KeptView[]>;
  /** In place of the one of that name on that page. Problem `conflict` when there are too many. */
  keep(actor: Actor, terms: ViewTerms): Promise<KeptView>;
  /** Problem `absent` when there is none. */
  drop(actor: Actor, id: string): Promise<void>;
}

export interface SavedViewsParts {
  readonly store: SavedViewStore;
  readonly gate: Gate;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly random: Random;
}

const viewsMost = 100;

export function createSavedViews({ store, gate, box, clock, random }: SavedViewsParts): SavedViews {
  const opened = ({ id, sealed }: StoredSavedView): KeptView => ({
    ...(JSON.parse(Buffer.from(box.open(purposeOf(id), sealed)).toString("utf8")) as ViewTerms),
    id,
  });
  const viewsOf = async (actor: Actor) => (await store.savedViewsOf(accountOf(actor))).map(opened);
  return {
    list: (actor, page) =>
      gate.pass(actor, "saved-view.read", undefined, async () =>
        (await viewsOf(actor)).filter((view) => page === undefined || view.page === page),
      ),
    keep: (actor, { page, name: typed, search }) =>
      gate.pass(actor, "saved-view.write", undefined, async () => {
        const name = typed.trim();
        if (name === "") throw new Problem("invalid", "the view has no name", { remedy: "give it one" });
        const held = await viewsOf(actor);
        const former = held.find((view) => view.page === page && view.name === name);
        if (former === undefined && held.length >= viewsMost) {
          throw new Problem("conflict", `${viewsMost} views are kept already`, { remedy: "remove one" });
        }
        const id = newToken(random);
        const sealed = box.seal(purposeOf(id), Buffer.from(JSON.stringify({ page, name, search }), "utf8"));
        await store.addSavedView({ id, accountId: accountOf(actor), sealed, createdAt: clock.now() });
        if (former !== undefined) await store.removeSavedView(accountOf(actor), former.id);
        return { id, page, name, search };
      }),
    drop: (actor, id) =>
      gate.pass(actor, "saved-view.write", undefined, async () => {
        if (await store.removeSavedView(accountOf(actor), id)) return;
        throw new Problem("absent", "no such view");
      }),
  };
}

const purposeOf = (id: string) => `saved view ${id}`;
const accountOf = ({ id }: Actor) => id.slice(id.indexOf(":") + 1);
