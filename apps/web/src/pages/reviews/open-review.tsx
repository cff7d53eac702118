import { Button, Group, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type ReviewDecision, type ReviewView, reviewOutcomes } from "#formats/api";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { outcomeLabels, reviewLabel, reviewSays } from "../../words/review-words.ts";
import { Time } from "../../words/time.tsx";
import classes from "./reviews.module.css";

/** What was noticed, and its judgement by somebody else. */
export function OpenReview({ review }: { readonly review: ReviewView }) {
  const { kind, actor, actorName, firstAt, lastAt, count, patient, study, reasons, isOwn } = review;
  return (
    <article
      className={classes.card}
      aria-label={`${reviewLabel(kind)}: ${actorName}`}
      data-alarm={kind === "break-glass"}
    >
      <div className={classes.head}>
        <Title order={2}>{reviewLabel(kind)}</Title>
        <Text size="sm" c="dimmed">
          {count > 1 && firstAt !== lastAt ? (
            <>
              first <Time at={firstAt} />, last{" "}
            </>
          ) : null}
          <Time at={lastAt} />
        </Text>
      </div>
      <Text>
        <strong>{isOwn ? "You" : actorName}</strong> {reviewSays(review)}
      </Text>
      {[...new Set(reasons)].map((reason) => (
        <blockquote key={reason} className={classes.reason}>
          {reason}
        </blockquote>
      ))}
      <Links actor={actor} about={study || patient} study={study} />
      <Decision review={review} />
    </article>
  );
}

interface LinksProps {
  readonly actor: string;
  /** Token of a study or patient; empty for none. */
  readonly about: string;
  readonly study: string;
}

function Links({ actor, about, study }: LinksProps) {
  const may = useMay();
  return (
    <div className={classes.links}>
      {about === "" ? null : (
        <Text size="sm" c="dimmed" title={about} pt={5}>
          {study === "" ? "Patient" : "Study"} {about.slice(0, 8)}…
        </Text>
      )}
      {may("audit.read") ? (
        <Link to="/log" search={{ actor, ...(about !== "" && { study: about }) }}>
          What the log says of it
        </Link>
      ) : null}
      {study !== "" && may("study.view") ? (
        <Link to="/studies/$token" params={{ token: study }}>
          Open the study
        </Link>
      ) : null}
    </div>
  );
}

function Decision({ review }: { readonly review: ReviewView }) {
  const may = useMay();
  const queries = useQueryClient();
  const [note, setNote] = useState("");
  const decide = useMutation({
    mutationFn: (outcome: ReviewDecision["outcome"]) =>
      call<ReviewView>("POST", `/api/reviews/${review.id}`, { outcome, note } satisfies ReviewDecision),
    onSettled: () => queries.invalidateQueries({ queryKey: ["reviews"] }),
  });
  if (review.isOwn) {
    return (
      <Text size="sm" c="dimmed" mt="sm">
        This is about you: somebody else decides it.
      </Text>
    );
  }
  if (!may("review.decide")) return null;
  return (
    <>
      <div className={classes.decide}>
        <TextInput
          label="Note"
          value={note}
          maxLength={1000}
          placeholder="What was found out"
          autoComplete="off"
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Group gap="xs">
          {reviewOutcomes.map((outcome) => (
            <Button
              key={outcome}
              variant={outcome === "justified" ? "filled" : "default"}
              loading={decide.isPending && decide.variables === outcome}
              disabled={decide.isPending}
              onClick={() => decide.mutate(outcome)}
            >
              {outcomeLabels[outcome]}
            </Button>
          ))}
        </Group>
      </div>
      {decide.isError ? <ProblemNote error={decide.error} /> : null}
    </>
  );
}
