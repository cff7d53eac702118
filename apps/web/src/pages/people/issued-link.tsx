import { Button, Code, Group, Text } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { type ReactNode, useEffect } from "react";
import { exactTime } from "../../words/moments.ts";
import classes from "./people.module.css";

export interface IssuedLinkProps {
  readonly link: string;
  readonly endsAt: number;
  readonly says: ReactNode;
  onCopied(): void;
  onDone(): void;
}

/** A one-use link, in sight this once. */
export function IssuedLink({ link, endsAt, says, onCopied, onDone }: IssuedLinkProps) {
  const { copy, copied, error } = useClipboard({ timeout: 4_000 });
  useEffect(() => {
    if (copied) onCopied();
  }, [copied, onCopied]);
  return (
    <div>
      <Text mb="sm">{says}</Text>
      <Code block className={classes.link} data-testid="issued-link">
        {link}
      </Code>
      <Text size="sm" c="dimmed" mt="xs">
        It works once, until {exactTime(endsAt)}, for whoever opens it first, and is not shown again: hand it over in a
        way that you trust.
      </Text>
      {error === null ? null : (
        <Text size="sm" c="var(--mantine-color-error)" mt="xs" role="alert">
          This browser does not let the page copy: select the link and copy it by hand.
        </Text>
      )}
      <Group justify="flex-end" gap="xs" mt="md">
        <Button onClick={() => copy(link)} data-autofocus>
          {copied ? "Copied" : "Copy the link"}
        </Button>
        <Button variant="default" onClick={onDone}>
          Done
        </Button>
      </Group>
    </div>
  );
}
