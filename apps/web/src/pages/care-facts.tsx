import type { ReactNode } from "react";
import { byteSize, type CareView, counted, duration, type ScrubView } from "#formats/api";
import { Time } from "../words/time.tsx";

/** What goes on with stored objects by itself. What needs somebody is said as an alert, with the command. */
export function careFacts({
  scrub,
  replica,
  clockBehindMs,
  holds,
}: CareView): readonly (readonly [string, ReactNode])[] {
  return [
    ["Scrub", <Scrub key="scrub" scrub={scrub} />],
    ...(replica === null ? [] : ([["Second place", <Replica key="replica" replica={replica} />]] as const)),
    ...(clockBehindMs === null || clockBehindMs >= 3_600_000
      ? ([["Retention", <Clock key="clock" behindMs={clockBehindMs} />]] as const)
      : []),
    ["Legal hold", holds === 0 ? "no study" : counted(holds, "study", "studies")],
  ];
}

function Scrub({ scrub }: { readonly scrub: ScrubView }) {
  const { state, bytesDone, bytesTotal, lastFullPass, damaged } = scrub;
  const percent = Math.floor((100 * bytesDone) / Math.max(1, bytesTotal));
  const words = { resting: "rests", stopped: "stopped", off: "off" };
  const isUnderWay = state === "running" || state === "paused";
  return (
    <div>
      {isUnderWay ? `${state === "paused" ? "paused at " : ""}${percent} % of ${byteSize(bytesTotal)}` : words[state]};{" "}
      {lastFullPass === null ? (
        "no full pass yet"
      ) : (
        <>
          last full pass <Time at={lastFullPass.endedAt} />
          {lastFullPass.repaired > 0 ? `, ${lastFullPass.repaired.toLocaleString("en")} mended` : null}
        </>
      )}
      {damaged > 0 ? (
        <div role="alert">
          {damaged.toLocaleString("en")} damaged and not to be mended: <code>leadglass vault check</code> tells which
        </div>
      ) : null}
    </div>
  );
}

function Replica({ replica }: { readonly replica: NonNullable<CareView["replica"]> }) {
  const { laggingBytes, since, strangePacks } = replica;
  return (
    <div>
      {since === null ? "keeps step" : null}
      {since !== null ? (
        <div role="alert">
          lags by {byteSize(laggingBytes)} since <Time at={since} />: new images rest in the first place only
        </div>
      ) : null}
      {strangePacks > 0 ? (
        <div role="alert">holds {counted(strangePacks, "pack")} that the first place does not</div>
      ) : null}
    </div>
  );
}

/** A server that was off for long, or a clock that jumped: things are kept longer until somebody has looked at the clock. */
function Clock({ behindMs }: { readonly behindMs: number | null }) {
  const what = behindMs === null ? "deletes nothing" : `goes by a time that is ${duration(behindMs)} behind the clock`;
  return (
    <div role="alert">
      {what}; if the clock is right: <code>leadglass vault confirm-clock</code>
    </div>
  );
}
