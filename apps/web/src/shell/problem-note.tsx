import { Button, Text } from "@mantine/core";
import { isRefusal } from "../api/client.ts";
import classes from "./shell.module.css";

/** What happened, and the way out. */
export function ProblemNote({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const { message, remedy } = wordsOf(error);
  return (
    <div role="alert" className={classes.problem}>
      <Text size="sm" fw={600}>
        {message}
      </Text>
      {remedy === undefined ? null : <Text size="sm">{remedy}</Text>}
      {onRetry === undefined ? null : (
        <Button mt="xs" size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

export function wordsOf(error: unknown): { readonly message: string; readonly remedy?: string } {
  if (!isRefusal(error)) {
    const message =
      error instanceof Error && error.message !== "" ? error.message : "something went wrong on this page";
    return { message: sentence(message), remedy: "Reload the page." };
  }
  const message = sentence(error.message);
  return error.remedy === undefined ? { message } : { message, remedy: sentence(error.remedy) };
}

/** The server's words begin small and end without a stop, as they do in a log. */
function sentence(words: string): string {
  const begun = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
