import { Button, SegmentedControl, Select } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReviewView, reviewKinds } from "#formats/api";
import { reviewPage } from "../../api/oversight-queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { outcomeLabels, reviewLabel } from "../../words/review-words.ts";
import { Time } from "../../words/time.tsx";
import { Page } from "../page.tsx";
import rows from "../rows.module.css";
import { MarkedPatients } from "./marked-patients.tsx";
import { OpenReview } from "./open-review.tsx";
import classes from "./reviews.module.css";
import type { ReviewsView } from "./reviews-view.ts";

/** Looks in an emergency and what was unusual, each judged by somebody else than who did it. */
export function ReviewsPage() {
  const { state = "open", kind } = useSearch({ from: "/reviews" });
  const navigate = useNavigate({ from: "/reviews" });
  const show = (view: ReviewsView) => void navigate({ search: view, replace: true });
  const found = useInfiniteQuery({
    queryKey: ["reviews", state],
    queryFn: ({ pageParam }) => reviewPage(state, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
  });
  const reviews = (found.data?.pages ?? [])
    .flatMap((page) => page.reviews)
    .filter((review) => kind === undefined || review.kind === kind);
  const kept = kind === undefined ? {} : { kind };
  return (
    <Page title="Reviews" about="Nobody judges what they did themselves">
      <search className={classes.filters}>
        <SegmentedControl
          value={state}
          onChange={(next) => show({ ...kept, ...(next === "decided" && { state: "decided" }) })}
          data={[
            { value: "open", label: "To be decided" },
            { value: "decided", label: "Decided" },
          ]}
          aria-label="Which reviews"
        />
        <Select
          w={190}
          value={kind ?? null}
          onChange={(next) =>
            show({ ...(state === "decided" && { state }), ...(next !== null && { kind: next as ReviewView["kind"] }) })
          }
          data={reviewKinds.map((value) => ({ value, label: reviewLabel(value) }))}
          placeholder="Any reason"
          aria-label="Reason"
          clearable
          clearButtonProps={{ "aria-label": "Any reason" }}
        />
      </search>
      {found.error !== null && found.data === undefined ? (
        <ProblemNote error={found.error} onRetry={() => void found.refetch()} />
      ) : reviews.length === 0 ? (
        <div className={rows.empty}>
          {found.isPending ? "Reading the queue…" : emptyWords(state, kind !== undefined)}
        </div>
      ) : state === "open" ? (
        <section aria-label="To be decided" aria-live="polite">
          {reviews.map((review) => (
            <OpenReview key={review.id} review={review} />
          ))}
        </section>
      ) : (
        <Decided reviews={reviews} />
      )}
      {found.hasNextPage ? (
        <Button variant="default" mt="md" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          Show earlier ones
        </Button>
      ) : null}
      <MarkedPatients />
    </Page>
  );
}

function emptyWords(state: "open" | "decided", filtered: boolean): string {
  if (filtered) return "None of this kind. Take the filter away to see the others.";
  return state === "open"
    ? "Nothing waits to be judged. Looks in an emergency, and what is unusual, come here by themselves."
    : "Nothing has been decided yet.";
}

function Decided({ reviews }: { readonly reviews: readonly ReviewView[] }) {
  return (
    <div className={rows.wrap}>
      <table className={rows.table}>
        <thead>
          <tr>
            <th>When</th>
            <th>What</th>
            <th>Who</th>
            <th>Outcome</th>
            <th className={rows.wide}>By</th>
            <th className={rows.wide}>Note</th>
          </tr>
        </thead>
        <tbody>
          {reviews.map((review) => (
            <tr key={review.id}>
              <td className={rows.plain}>
                <Time at={review.lastAt} />
              </td>
              <td className={rows.plain}>{reviewLabel(review.kind)}</td>
              <td className={rows.plain}>{review.actorName}</td>
              <td className={`${rows.plain} ${review.outcome === "justified" ? "" : rows.refused}`}>
                {review.outcome === "" ? "" : outcomeLabels[review.outcome]}
              </td>
              <td className={`${rows.plain} ${rows.wide}`}>{review.reviewer}</td>
              <td className={rows.wide}>{review.note}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
