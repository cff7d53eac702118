import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { exactTime } from "../../words/moments.ts";
import { ShownOnce } from "./shown-once.tsx";

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
      <ShownOnce text={link} kind="link" testId="issued-link" onCopied={onCopied} onDone={onDone}>
        <Text size="sm" c="dimmed" mt="xs">
          It works once, until {exactTime(endsAt)}, for whoever opens it first, and is not shown again: hand it over in
          a way that you trust.
        </Text>
      </ShownOnce>
    </div>
  );
}
