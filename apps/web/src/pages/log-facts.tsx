import type { ReactNode } from "react";
import { counted, type StatusView } from "#formats/api";
import { exactTime } from "../words/moments.ts";
import { Time } from "../words/time.tsx";
import classes from "./rows.module.css";

type Witness = StatusView["audit"]["witnesses"][number];

/** The log, who signs it beside this server, and who has a copy. */
export function logFacts({ audit, collector }: StatusView): readonly (readonly [string, ReactNode])[] {
  return [
    ["Log", `${audit.entries.toLocaleString("en")} entries`],
    ["Last checkpoint", audit.checkpointAt === null ? "none yet" : <Time key="checkpoint" at={audit.checkpointAt} />],
    [
      "Witnesses",
      audit.witnesses.length === 0
        ? "none: nobody else would notice a log that was written anew"
        : audit.witnesses.map((witness) => <WitnessLine key={witness.name} witness={witness} />),
    ],
    ["Log collector", collector === null ? "none" : <Collector key="collector" collector={collector} />],
  ];
}

const witnessWords: Readonly<Record<Witness["state"], string>> = {
  signed: "signed the newest checkpoint",
  behind: "has not signed the newest checkpoint yet",
  away: "does not answer",
  refuses: "REFUSES: it signed another log than this one",
};

function WitnessLine({ witness: { name, state, signedEntries, signedAt, why, since } }: { readonly witness: Witness }) {
  return (
    <div role={state === "refuses" ? "alert" : undefined}>
      {name} <span className={state === "refuses" ? classes.refused : undefined}>{witnessWords[state]}</span>
      {signedAt === null ? null : (
        <>
          {` (${counted(signedEntries, "entry", "entries")}, `}
          <Time at={signedAt} />)
        </>
      )}
      {why === undefined ? null : <div>{why}</div>}
      {since === undefined ? null : <div>since {exactTime(since)}</div>}
    </div>
  );
}

function Collector({ collector }: { readonly collector: NonNullable<StatusView["collector"]> }) {
  const { position, behind, error } = collector;
  return (
    <div>
      {behind === 0
        ? `has all ${position.toLocaleString("en")} entries`
        : `has ${counted(position, "entry", "entries")}, ${behind.toLocaleString("en")} wait`}
      {error === undefined ? null : (
        <div className={classes.refused}>
          {error.message}
          {error.remedy === undefined ? "" : `: ${error.remedy}`} (since {exactTime(error.since)})
        </div>
      )}
    </div>
  );
}
