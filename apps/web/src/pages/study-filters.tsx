import { Button, CloseButton, Select, Text, TextInput } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import type { ReactNode, RefObject } from "react";
import { counted } from "#formats/api";
import classes from "./studies.module.css";
import { isFiltered, type StudyView } from "./study-view.ts";

const modalities = [
  "CT",
  "MR",
  "CR",
  "DX",
  "MG",
  "US",
  "XA",
  "RF",
  "NM",
  "PT",
  "OT",
  "SC",
  "ES",
  "OP",
  "OPT",
  "SM",
  "RTIMAGE",
  "SR",
  "DOC",
];

export interface StudyFiltersProps {
  readonly view: StudyView;
  onView(view: StudyView): void;
  readonly text: string;
  onText(text: string): void;
  onClear(): void;
  readonly searchField: RefObject<HTMLInputElement | null>;
  readonly total: number | undefined;
  readonly isTotalExact: boolean;
  readonly children?: ReactNode;
}

export function StudyFilters(props: StudyFiltersProps) {
  const { view, onView, text, onText, searchField, total, isTotalExact } = props;
  useHotkeys([["/", () => searchField.current?.focus()]]);
  const change = (part: { [Key in "modality" | "from" | "to"]?: string | undefined }) => {
    const merged = Object.entries({ ...view, ...part }).filter(([, value]) => value !== undefined && value !== "");
    onView(Object.fromEntries(merged));
  };
  return (
    <search className={classes.filters}>
      <TextInput
        ref={searchField}
        className={classes.search}
        value={text}
        onChange={(event) => onText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onText("");
        }}
        placeholder="Patient name, ID or accession number"
        aria-label="Search studies by patient name, patient ID or accession number"
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={
          text === "" ? null : <CloseButton size={24} aria-label="Clear the search" onClick={() => onText("")} />
        }
        autoComplete="off"
        spellCheck={false}
        type="text"
        inputMode="search"
      />
      <Select
        className={classes.modality}
        value={view.modality ?? null}
        onChange={(value) => change({ modality: value ?? undefined })}
        data={modalities}
        placeholder="Modality"
        aria-label="Modality"
        clearable
        searchable
        clearButtonProps={{ "aria-label": "Any modality" }}
      />
      <TextInput
        className={classes.date}
        type="date"
        value={view.from ?? ""}
        aria-label="Study date from"
        title="Study date from"
        onChange={(event) => change({ from: event.currentTarget.value })}
      />
      <span className={classes.dash} aria-hidden>
        –
      </span>
      <TextInput
        className={classes.date}
        type="date"
        value={view.to ?? ""}
        aria-label="Study date to"
        title="Study date to"
        onChange={(event) => change({ to: event.currentTarget.value })}
      />
      {isFiltered(view, text) ? (
        <Button variant="subtle" size="sm" px={8} onClick={props.onClear}>
          Clear
        </Button>
      ) : null}
      {props.children}
      <Text className={classes.total} c="dimmed" size="sm" role="status">
        {total === undefined ? "" : `${isTotalExact ? "" : "more than "}${counted(total, "study", "studies")}`}
      </Text>
    </search>
  );
}
