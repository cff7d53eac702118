import { Button, Group, List, Paper, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { AskView } from "#formats/api";
import { ProblemNote } from "../shell/problem-note.tsx";
import { days, permissionWords } from "../words/permission-words.ts";
import classes from "./ask.module.css";

interface Asked {
  readonly ask: AskView;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly onAllow: () => void;
  readonly onRefuse: () => void;
  readonly children?: ReactNode;
}

/** Who asks, for what, for how long, and the two answers. */
export function Ask({ ask, error, isPending, onAllow, onRefuse, children }: Asked) {
  const { client, permissions, goesTo, lastsSeconds } = ask;
  const lasts = permissions.includes("stay")
    ? `For ${days(lastsSeconds)}, or until you take it back.`
    : "Until you sign out, or take it back.";
  return (
    <Paper component="section" aria-label={`${client} asks`} className={classes.card} withBorder>
      <Stack gap="md">
        <Text>
          <strong>{client}</strong> wants to act for you. It may:
        </Text>
        <List spacing={4}>
          {permissions.map((permission) => (
            <List.Item key={permission}>{permissionWords[permission]}</List.Item>
          ))}
        </List>
        <Text size="sm">
          Never more than you may yourself. {lasts}
          {goesTo === "" ? null : ` You go on to ${goesTo}.`}
        </Text>
        {children}
        {error === null ? null : <ProblemNote error={error} />}
        <Group gap="sm">
          <Button onClick={onAllow} loading={isPending}>
            Allow
          </Button>
          <Button variant="default" onClick={onRefuse} disabled={isPending}>
            Do not allow
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
