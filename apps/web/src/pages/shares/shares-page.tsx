import { Button, Checkbox, Group, Modal, Pill, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { counted, type ShareView } from "#formats/api";
import { call } from "../../api/client.ts";
import { sharesQuery } from "../../api/oversight-queries.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import { Time } from "../../words/time.tsx";
import { Page } from "../page.tsx";
import { FindBox, isFound } from "../people/find-box.tsx";
import { useSome } from "../people/show-more.tsx";
import { ActsHead } from "../row-acts.tsx";
import rows from "../rows.module.css";
import classes from "./shares.module.css";
import type { SharesView } from "./shares-view.ts";

/** Links to studies for people outside: who has one, how often it was used, and its end. */
export function SharesPage() {
  const { ended, study } = useSearch({ from: "/shares" });
  const navigate = useNavigate({ from: "/shares" });
  const show = (view: SharesView) => void navigate({ search: view, replace: true });
  const shares = useQuery(sharesQuery(study));
  const [text, setText] = useState("");
  const all = shares.data ?? [];
  const found = all.filter(
    (share) => (ended === true || share.isLive) && (isFound(share.recipient, text) || isFound(share.madeBy, text)),
  );
  const { some, more } = useSome(found);
  const live = all.filter(({ isLive }) => isLive).length;
  return (
    <Page title="Shares" about={shares.data && `${counted(live, "link")} to studies open to somebody outside`}>
      <search className={classes.filters}>
        <FindBox text={text} onText={setText} label="Search by recipient or maker" />
        <Checkbox
          className={classes.ended ?? ""}
          label="Ended ones too"
          checked={ended === true}
          onChange={(event) =>
            show({ ...(study !== undefined && { study }), ...(event.currentTarget.checked && { ended: true }) })
          }
        />
        {study === undefined ? null : (
          <Pill
            withRemoveButton
            size="md"
            onRemove={() => show(ended === true ? { ended } : {})}
            removeButtonProps={{ "aria-label": "Of any study", tabIndex: 0 }}
          >
            Of one study
          </Pill>
        )}
      </search>
      {shares.error !== null && shares.data === undefined ? (
        <ProblemNote error={shares.error} onRetry={() => void shares.refetch()} />
      ) : found.length === 0 ? (
        <div className={rows.empty}>
          {shares.isPending
            ? "Reading the links…"
            : all.length === 0
              ? "Nobody outside has a link. Share a study from its menu in the study list, or while it is open."
              : "No link matches."}
        </div>
      ) : (
        <ShareRows shares={some} />
      )}
      {more}
    </Page>
  );
}

function ShareRows({ shares }: { readonly shares: readonly ShareView[] }) {
  return (
    <div className={rows.wrap}>
      <table className={rows.table}>
        <thead>
          <tr>
            <th>For</th>
            <th>Study</th>
            <th>May</th>
            <th className={rows.wide}>By</th>
            <th className={rows.wide}>Made</th>
            <th>Until</th>
            <th className={rows.right}>Uses</th>
            <th className={rows.wide}>Last</th>
            <ActsHead />
          </tr>
        </thead>
        <tbody>
          {shares.map((share) => (
            <ShareRow key={share.id} share={share} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ShareRow({ share }: { readonly share: ShareView }) {
  const may = useMay();
  return (
    <tr className={share.isLive ? undefined : classes.over}>
      <td className={classes.recipient} title={share.note === "" ? undefined : share.note}>
        {share.recipient}
      </td>
      <td className={rows.plain}>
        {may("study.view") ? (
          <Link to="/studies/$token" params={{ token: share.study }} className={classes.link} title={share.study}>
            {share.study.slice(0, 8)}…
          </Link>
        ) : (
          <span className={rows.mono} title={share.study}>
            {share.study.slice(0, 8)}…
          </span>
        )}
      </td>
      <td className={rows.plain}>{share.mode === "view" ? "look" : "download"}</td>
      <td className={`${rows.plain} ${rows.wide}`}>{share.isOwn ? "you" : share.madeBy}</td>
      <td className={`${rows.plain} ${rows.wide}`}>
        <Time at={share.madeAt} />
      </td>
      <td className={rows.plain}>
        <Ending share={share} />
      </td>
      <td className={rows.right}>{share.uses.toLocaleString("en")}</td>
      <td className={`${rows.plain} ${rows.wide}`}>
        {share.lastUsedAt === 0 ? "never" : <Time at={share.lastUsedAt} />}
      </td>
      <td className={rows.right}>{share.isLive && may("share.end") ? <EndShare share={share} /> : null}</td>
    </tr>
  );
}

function Ending({ share: { isLive, endedAt, endedBy, endsAt } }: { readonly share: ShareView }) {
  if (isLive) return <span title={exactTime(endsAt)}>{exactTime(endsAt).slice(0, 10)}</span>;
  if (endedAt === 0) return <span title={exactTime(endsAt)}>over</span>;
  return <span title={exactTime(endedAt)}>ended by {endedBy}</span>;
}

function EndShare({ share }: { readonly share: ShareView }) {
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const end = useMutation({
    mutationFn: () => call<void>("DELETE", `/api/shares/${share.id}`),
    onSuccess: () => setAsking(false),
    onSettled: () => queries.invalidateQueries({ queryKey: ["shares"] }),
  });
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={() => setAsking(true)}>
        End…
      </Button>
      <Modal opened={isAsking} onClose={() => setAsking(false)} title="End this link?">
        <Stack gap="sm">
          <Text>
            Whoever looks at the study by it, for {share.recipient}, is out at once. It cannot be opened again: make
            another if it is needed.
          </Text>
          {end.isError ? <ProblemNote error={end.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={() => setAsking(false)}>
              Not now
            </Button>
            <Button color="red" loading={end.isPending} onClick={() => end.mutate()} data-autofocus>
              End the link
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
