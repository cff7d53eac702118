import { Button, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { looksAt } from "../../api/oversight-queries.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { lookWords } from "../../words/look-words.ts";
import { exactTime } from "../../words/moments.ts";
import { type Purpose, purposeLabel } from "../../words/role-words.ts";
import rows from "../rows.module.css";
import classes from "./looks.module.css";
import { type LookRow, looksByDay } from "./looks-by-day.ts";

const dayOf = (at: number) => exactTime(at).slice(0, 10);
const timeOf = (at: number) => exactTime(at).slice(11, 16);

/** Who looked at a study, by day and person. */
export function Looks({ study }: { readonly study: string }) {
  const may = useMay();
  const found = useInfiniteQuery({
    queryKey: ["looks", study],
    queryFn: ({ pageParam }) => looksAt(study, pageParam),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (last) => last.next,
  });
  if (found.data === undefined) {
    return found.error === null ? (
      <div className={rows.empty}>Reading the log…</div>
    ) : (
      <ProblemNote error={found.error} onRetry={() => void found.refetch()} />
    );
  }
  const days = looksByDay(
    found.data.pages.flatMap((page) => page.looks),
    dayOf,
  );
  return (
    <>
      {days.length === 0 ? <div className={rows.empty}>Nobody has looked at this study yet.</div> : null}
      {days.map(({ day, rows: done }) => (
        <section key={day} aria-label={day}>
          <Title order={3} className={classes.day ?? ""}>
            {day}
          </Title>
          <div className={rows.wrap}>
            <table className={rows.table}>
              <thead className="visually-hidden">
                <tr>
                  <th>Who</th>
                  <th>What</th>
                  <th>What for</th>
                  <th>When</th>
                </tr>
              </thead>
              <tbody>
                {done.map((row, at) => (
                  <Row key={rowKey(row)} row={row} isSame={done[at - 1]?.actor === row.actor} />
                ))}
              </tbody>
            </table>
          </div>
        </section>
      ))}
      {found.hasNextPage ? (
        <Button variant="default" mt="md" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          Show earlier days
        </Button>
      ) : null}
      {may("audit.read") ? (
        <Button
          variant="subtle"
          mt="md"
          className="no-print"
          renderRoot={(props) => <Link to="/log" search={{ study }} {...props} />}
        >
          All entries of the log about it
        </Button>
      ) : null}
    </>
  );
}

const rowKey = ({ actor, what, purpose, isRefused }: LookRow) => [actor, what, purpose, isRefused].join(" ");

function Row({ row, isSame }: { readonly row: LookRow; readonly isSame: boolean }) {
  const { actor, actorName, what, purpose, isRefused, count, firstAt, lastAt } = row;
  const times = timeOf(firstAt) === timeOf(lastAt) ? timeOf(lastAt) : `${timeOf(firstAt)} – ${timeOf(lastAt)}`;
  return (
    <tr>
      <td title={actor}>{isSame ? <span className="visually-hidden">{actorName}</span> : actorName}</td>
      <td>
        {isRefused ? <span className={rows.refused}>was refused: </span> : null}
        {lookWords[what]}
        {count === 1 ? "" : ` × ${count.toLocaleString("en")}`}
      </td>
      <td className={rows.wide}>{purpose === "" ? "" : purposeLabel(purpose as Purpose)}</td>
      <td className={classes.times} title={`${exactTime(firstAt)} – ${exactTime(lastAt)}`}>
        {times}
      </td>
    </tr>
  );
}
