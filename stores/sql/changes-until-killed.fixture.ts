import { silentLog } from "#base/log";
import { openIndexDatabase } from "./index.ts";
import { blockOf, putNth, studyOf } from "./stored-rows.fixture.ts";

/*
 * A process of its own (`killedInChanges`): makes some changes, and says how many there are when it is in the midst of the next
 * one, which it never ends.
 */
const place = JSON.parse(process.argv[2] ?? "") as { readonly path: string } | { readonly url: string };
const { blindStore } = await openIndexDatabase({ ...place, log: silentLog });
let made = await blindStore.studyCount();
for (const last = made + 3; made < last; ) await putNth(blindStore, ++made);
await blindStore.change(async (rows) => {
  await rows.put({ studies: [studyOf(made + 1)], blocks: [blockOf(made + 1, 0)] });
  await rows.put({ marks: [{ pack: "identity-1", position: made + 1 }] });
  process.stdout.write(String(made));
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
