import { Button, Code, Group, Text } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { type ReactNode, useEffect } from "react";
import classes from "./people.module.css";

export interface ShownOnceProps {
  readonly text: string;
  /** What it is: a link, a command. */
  readonly kind: string;
  readonly testId: string;
  /** It was used: there is nothing more to copy. */
  readonly isUsed?: boolean;
  /** What is to be known of it. */
  readonly children: ReactNode;
  onCopied?(): void;
  onDone(): void;
}

/** Something with a secret in it, in sight this once, to be copied. */
export function ShownOnce({ text, kind, testId, isUsed = false, children, onCopied, onDone }: ShownOnceProps) {
  const { copy, copied, error } = useClipboard({ timeout: 4_000 });
  useEffect(() => {
    if (copied) onCopied?.();
  }, [copied, onCopied]);
  return (
    <>
      <Code block className={classes.link} data-testid={testId}>
        {text}
      </Code>
      {children}
      {error === null ? null : (
        <Text size="sm" c="var(--mantine-color-error)" mt="xs" role="alert">
          This browser does not let the page copy: select the {kind} and copy it by hand.
        </Text>
      )}
      <Group justify="flex-end" gap="xs" mt="md">
        {isUsed ? null : (
          <Button onClick={() => copy(text)} data-autofocus>
            {copied ? "Copied" : `Copy the ${kind}`}
          </Button>
        )}
        <Button variant="default" onClick={onDone}>
          Done
        </Button>
      </Group>
    </>
  );
}
