import type { ErrorComponentProps } from "@tanstack/react-router";
import { ProblemNote } from "../shell/problem-note.tsx";
import { Page } from "./page.tsx";

/** A page that threw: the others go on. */
export function BrokenPage({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="This page stopped">
      <ProblemNote error={error} onRetry={reset} />
    </Page>
  );
}
