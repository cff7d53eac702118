import { Button, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { GrantView } from "#formats/api";
import { accessChanged, useFacilityNames } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import { type FacilityNames, placeKindLabel, placeLabel, purposeLabel, roleLabel } from "../../words/role-words.ts";
import { Time } from "../../words/time.tsx";
import { ActsHead, RowAct } from "../row-acts.tsx";
import rows from "../rows.module.css";
import classes from "./people.module.css";
import { useSome } from "./show-more.tsx";

export interface GrantRowsProps {
  readonly grants: readonly GrantView[];
  /** On pages that are about more than one. */
  readonly withHolder: boolean;
  readonly label: string;
}

/** What was granted: to whom, as what, where, what for, by whom, since when, until when. */
export function GrantRows({ grants, withHolder, label }: GrantRowsProps) {
  const may = useMay();
  const facilities = useFacilityNames();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<string | undefined>(undefined);
  const end = useMutation({
    mutationFn: ({ id }: GrantView) => call<void>("DELETE", `/api/grants/${encodeURIComponent(id)}`),
    onSuccess: () => setAsked(undefined),
    onSettled: () => accessChanged(queries),
  });
  const { some, more } = useSome(grants);
  const ask = (id: string | undefined) => {
    end.reset();
    setAsked(id);
  };
  return (
    <>
      <div className={rows.wrap}>
        <table className={rows.table} aria-label={label}>
          <thead>
            <tr>
              {withHolder ? <th>Who</th> : null}
              <th>Role</th>
              <th>Where</th>
              <th className={rows.wide}>What for</th>
              <th className={rows.wide}>Given by</th>
              <th className={rows.wide}>Since</th>
              <th className={rows.wide}>Until</th>
              <ActsHead />
            </tr>
          </thead>
          <tbody>
            {some.map((grant) => (
              <tr key={grant.id} className={grant.isLive ? undefined : classes.over}>
                {withHolder ? (
                  <td>
                    <Holder grant={grant} />
                  </td>
                ) : null}
                <td className={rows.plain}>{roleLabel(grant.role)}</td>
                <td>
                  <Where grant={grant} facilities={facilities} />
                </td>
                <td className={rows.wide}>{purposeLabel(grant.purpose)}</td>
                <td className={rows.wide}>{grant.givenBy}</td>
                <td className={`${rows.wide} ${rows.plain}`}>
                  <Time at={grant.givenAt} />
                </td>
                <td className={`${rows.wide} ${rows.plain}`}>
                  <Until grant={grant} />
                </td>
                <td className={rows.right}>
                  {!grant.isLive || !may("grant.write") ? null : asked === grant.id ? (
                    <Sure isPending={end.isPending} onEnd={() => end.mutate(grant)} onKeep={() => ask(undefined)}>
                      End it now?
                    </Sure>
                  ) : (
                    <RowAct
                      onClick={() => ask(grant.id)}
                      label={`End: ${grant.holderName}, ${roleLabel(grant.role)}, ${placeLabel(grant.place, facilities)}`}
                    >
                      End
                    </RowAct>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {end.isError ? <ProblemNote error={end.error} /> : null}
      {more}
    </>
  );
}

interface SureProps {
  readonly children: ReactNode;
  readonly isPending: boolean;
  onEnd(): void;
  onKeep(): void;
}

/** The question stands where the button was. */
function Sure({ children, isPending, onEnd, onKeep }: SureProps) {
  return (
    <Group gap={6} justify="flex-end" wrap="nowrap" role="group" aria-label="End this grant?">
      <Text size="sm" className={rows.wide}>
        {children}
      </Text>
      <Button size="compact-sm" variant="default" onClick={onKeep} autoFocus>
        Keep
      </Button>
      <Button size="compact-sm" color="red" loading={isPending} onClick={onEnd}>
        End it
      </Button>
    </Group>
  );
}

function Holder({ grant: { holder, holderName } }: { readonly grant: GrantView }) {
  const [kind, id = ""] = holder.split(":");
  if (kind !== "user" || holderName === "a removed account") return holderName;
  return (
    <Link to="/people/$id" params={{ id }} className={classes.name}>
      {holderName}
    </Link>
  );
}

/** A study that whoever looks at the grant may look at as well is one click away. */
function Where({ grant: { place }, facilities }: { readonly grant: GrantView; readonly facilities: FacilityNames }) {
  const may = useMay();
  if (place.kind === "tenant" || place.kind === "facility") return placeLabel(place, facilities);
  const label = placeKindLabel(place.kind);
  if (place.kind === "study" && may("study.view"))
    return (
      <Link to="/studies/$token" params={{ token: place.id }} className={classes.name}>
        {label}
      </Link>
    );
  return (
    <>
      {label} <span className={rows.mono}>{place.id.slice(0, 8)}</span>
    </>
  );
}

function Until({ grant: { endsAt, endedAt, isLive } }: { readonly grant: GrantView }) {
  if (endedAt > 0) return `ended ${exactTime(endedAt)}`;
  if (endsAt === 0) return isLive ? "" : "over";
  return <span title={exactTime(endsAt)}>{exactTime(endsAt).slice(0, 10)}</span>;
}
