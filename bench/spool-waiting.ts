import { systemClock } from "#base/clock";
import { systemFiles } from "#base/io";
import { openSpool } from "#stores/spool";
import { print } from "./report.ts";

/** Opens a spool with a long queue in a process of its own, and says in one line of JSON what that took. */
const [, , folder = ""] = process.argv;
const mb = () => process.memoryUsage.rss() / 1e6;
const emptyMb = mb();
const begun = performance.now();
const spool = await openSpool({ files: systemFiles, folder, clock: systemClock, reserveBytes: 0 });
const openMs = performance.now() - begun;
const openMb = mb();
const asked = performance.now();
let taken = await spool.take("routine", 256);
const takeMs = performance.now() - asked;
let usedMb = openMb;
for (let settled = 0; settled < 5000; settled += taken.length) {
  await Promise.all(
    taken.map(async ({ id, length }) => {
      await spool.read(id, 0, length);
      await spool.settle(id, Buffer.alloc(400), systemClock.now());
    }),
  );
  usedMb = Math.max(usedMb, mb());
  taken = await spool.take("routine", 256);
}
await spool.close();
print(JSON.stringify({ openMs, takeMs, emptyMb, openMb, usedMb }));
