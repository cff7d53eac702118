import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import type { PhantomLoader } from "#doors/api";
import type { PhantomState } from "#formats/api";
import { phantomFiles, phantomStudyUid } from "#imaging/phantoms";
import type { Archive, StudyIndex } from "#radiology/archive";
import type { Actor } from "#trust/access";

const slices = 128;

/** Makes the phantom CT head and stores it like any other study, slice by slice, beside whatever else goes on. */
export function createPhantom(parts: { archive: Archive; index: StudyIndex; clock: Clock; log: Log }): PhantomLoader {
  const { archive, index, clock, log } = parts;
  const listeners = new Set<(state: PhantomState) => void>();
  let loading: PhantomState | undefined;

  const tell = (state: PhantomState) => {
    for (const listener of listeners) listener(state);
  };

  const loaded = async (): Promise<PhantomState> => {
    const study = await index.study(phantomStudyUid({ kind: "ct-head" }));
    if (study === undefined || study.instanceCount < slices) return { state: "absent", done: 0, total: slices };
    return { state: "loaded", done: slices, total: slices, studyToken: study.studyToken };
  };

  const load = async (actor: Actor): Promise<void> => {
    let done = 0;
    for (const file of phantomFiles({ kind: "ct-head", slices })) {
      const receiving = archive.receiveFile(actor);
      await receiving.write(file);
      await receiving.finish();
      loading = { state: "loading", done: ++done, total: slices };
      tell(loading);
      await clock.sleep(0);
    }
    await archive.settled();
  };

  return {
    state: async () => loading ?? loaded(),
    async start(actor) {
      if (loading !== undefined) return loading;
      loading = { state: "loading", done: 0, total: slices };
      const before = await loaded();
      if (before.state === "loaded") {
        loading = undefined;
        return before;
      }
      load(actor)
        .catch((error) => log.error("the phantom study was not loaded", {}, error))
        .finally(async () => {
          loading = undefined;
          tell(await loaded());
        });
      return loading;
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
