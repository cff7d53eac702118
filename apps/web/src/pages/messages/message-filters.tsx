import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { messageStates } from "#formats/api";
import { devicesQuery, useMay } from "../../api/queries.ts";
import { kindChoices, stateLabel } from "../../words/message-words.ts";
import classes from "./messages.module.css";
import { isFiltered, type MessagesView } from "./messages-view.ts";

interface FiltersProps {
  readonly view: MessagesView;
  onView(view: MessagesView): void;
}

const directions = [
  { value: "in", label: "In" },
  { value: "out", label: "Out" },
];
const states = messageStates.map((value) => ({ value, label: stateLabel[value] }));

export function MessageFilters({ view, onView }: FiltersProps) {
  const may = useMay();
  const devices = useQuery({ ...devicesQuery, enabled: may("device.read") });
  const speaking = (devices.data ?? []).filter((device) =>
    device.may.some((right) => ["orders", "patients", "results", "status"].includes(right)),
  );
  const change = (part: Readonly<Record<string, string | null>>) => {
    const merged = Object.entries({ ...view, ...part }).filter(([, value]) => value !== null && value !== "");
    onView(Object.fromEntries(merged) as MessagesView);
  };
  return (
    <search className={classes.filters}>
      <Select
        className={classes.choice ?? ""}
        value={view.partner ?? null}
        onChange={(partner) => change({ partner })}
        data={speaking.map(({ id, ae, address }) => ({ value: id, label: `${ae} at ${address}` }))}
        placeholder="Any system"
        aria-label="System"
        clearable
        nothingFoundMessage="No such system"
        clearButtonProps={{ "aria-label": "Any system" }}
      />
      <Select
        className={classes.short ?? ""}
        value={view.direction ?? null}
        onChange={(direction) => change({ direction })}
        data={directions}
        placeholder="In and out"
        aria-label="Way"
        clearable
        clearButtonProps={{ "aria-label": "In and out" }}
      />
      <Select
        className={classes.choice ?? ""}
        value={view.kind ?? null}
        onChange={(kind) => change({ kind })}
        data={kindChoices}
        placeholder="Any message"
        aria-label="Message"
        searchable
        clearable
        nothingFoundMessage="No such message"
        clearButtonProps={{ "aria-label": "Any message" }}
      />
      <Select
        className={classes.short ?? ""}
        value={view.state ?? null}
        onChange={(state) => change({ state })}
        data={states}
        placeholder="Any state"
        aria-label="State"
        clearable
        clearButtonProps={{ "aria-label": "Any state" }}
      />
      {(["from", "to"] as const).map((end) => (
        <TextInput
          key={end}
          className={classes.date ?? ""}
          type="date"
          value={view[end] ?? ""}
          aria-label={end === "from" ? "From day" : "To day"}
          title={end === "from" ? "From day" : "To day"}
          onChange={(event) => change({ [end]: event.currentTarget.value })}
        />
      ))}
      {isFiltered(view) ? (
        <Button variant="default" onClick={() => onView({})}>
          All
        </Button>
      ) : null}
    </search>
  );
}
