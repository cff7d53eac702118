import { Button, Code, CopyButton, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
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
      <Group justify="flex-end" gap="xs" mt="md">
        <CopyButton value={link}>
          {({ copied, copy }) => (
            <Button
              onClick={() => {
                copy();
                onCopied();
              }}
              data-autofocus
            >
              {copied ? "Copied" : "Copy the link"}
            </Button>
          )}
        </CopyButton>
        <Button variant="default" onClick={onDone}>
          Done
        </Button>
      </Group>
    </div>
  );
}
