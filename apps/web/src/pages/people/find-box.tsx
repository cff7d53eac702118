import { CloseButton, TextInput } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useRef } from "react";
import classes from "./people.module.css";

export interface FindBoxProps {
  readonly text: string;
  onText(text: string): void;
  readonly label: string;
}

/** What is typed here names people: it stays in this page's memory. */
export function FindBox({ text, onText, label }: FindBoxProps) {
  const field = useRef<HTMLInputElement>(null);
  useHotkeys([["/", () => field.current?.focus()]]);
  return (
    <TextInput
      ref={field}
      className={classes.grow}
      value={text}
      onChange={(event) => onText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") onText("");
      }}
      placeholder={label}
      aria-label={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        text === "" ? null : <CloseButton size={24} aria-label="Clear the search" onClick={() => onText("")} />
      }
      autoComplete="off"
      spellCheck={false}
      inputMode="search"
    />
  );
}

export const isFound = (name: string, text: string): boolean => name.toLowerCase().includes(text.trim().toLowerCase());
