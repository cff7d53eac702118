import { Button, Pill, Select, TextInput } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useRef, useState } from "react";
import { clientsQuery } from "../../api/access-queries.ts";
import { devicesQuery, peopleQuery, useMay } from "../../api/queries.ts";
import { actChoices } from "../../words/log-words.ts";
import classes from "./log.module.css";
import { isFiltered, type LogView, typedPlace } from "./log-view.ts";

const acts = actChoices();
const outcomes = [
  { value: "done", label: "Done" },
  { value: "refused", label: "Refused" },
  { value: "failed", label: "Failed" },
];

export interface LogFiltersProps {
  readonly view: LogView;
  onView(view: LogView): void;
  /** What the actor of the view is called, where it is in none of the lists. */
  readonly actorName: string;
  readonly children: ReactNode;
}

export function LogFilters({ view, onView, actorName, children }: LogFiltersProps) {
  const change = (part: { [Key in keyof LogView]?: LogView[Key] | undefined }) => {
    const merged = Object.entries({ ...view, entry: undefined, ...part });
    onView(Object.fromEntries(merged.filter(([, value]) => value !== undefined && value !== "")));
  };
  return (
    <search className={classes.filters}>
      <PlaceBox onPlace={change} />
      <ActorSelect actor={view.actor} name={actorName} onActor={(actor) => change({ actor })} />
      <Select
        className={classes.choice}
        value={view.act ?? null}
        onChange={(act) => change({ act: act ?? undefined })}
        data={acts}
        placeholder="Any act"
        aria-label="Act"
        searchable
        clearable
        nothingFoundMessage="No such act"
        clearButtonProps={{ "aria-label": "Any act" }}
      />
      <Select
        className={classes.short}
        value={view.outcome ?? null}
        onChange={(outcome) => change({ outcome: (outcome ?? undefined) as LogView["outcome"] })}
        data={outcomes}
        placeholder="Any outcome"
        aria-label="Outcome"
        clearable
        clearButtonProps={{ "aria-label": "Any outcome" }}
      />
      {(["from", "to"] as const).map((end) => (
        <TextInput
          key={end}
          className={classes.date}
          type="date"
          value={view[end] ?? ""}
          aria-label={end === "from" ? "From day" : "To day"}
          title={end === "from" ? "From day" : "To day"}
          onChange={(event) => change({ [end]: event.currentTarget.value })}
        />
      ))}
      {view.study === undefined ? null : (
        <Pill
          withRemoveButton
          size="md"
          title={view.study}
          onRemove={() => change({ study: undefined })}
          removeButtonProps={{ "aria-label": "Any study", tabIndex: 0 }}
        >
          {`About ${view.study.slice(0, 8)}…`}
        </Pill>
      )}
      {isFiltered(view) ? (
        <Button variant="subtle" px={8} onClick={() => onView({})}>
          Clear
        </Button>
      ) : null}
      <span className={classes.acts}>{children}</span>
    </search>
  );
}

function PlaceBox({ onPlace }: { onPlace(place: Pick<LogView, "entry" | "study">): void }) {
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useHotkeys([["/", () => field.current?.focus()]]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const place = typedPlace(text);
    setWrong(place === undefined && text.trim() !== "");
    if (place === undefined) return;
    setText("");
    onPlace(place);
  };
  return (
    <form onSubmit={submit} className={classes.find}>
      <TextInput
        ref={field}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setWrong(false);
        }}
        error={isWrong ? "The number of an entry, or the token of a study or patient" : null}
        placeholder="Entry number or token"
        aria-label="Entry number, or token of a study or patient"
        leftSection={<IconSearch size={16} aria-hidden />}
        autoComplete="off"
        spellCheck={false}
      />
    </form>
  );
}

const always = [
  { value: "operator", label: "the console" },
  { value: "system", label: "this server" },
  { value: "anonymous", label: "nobody signed in" },
];

interface ActorSelectProps {
  readonly actor: string | undefined;
  readonly name: string;
  onActor(actor: string | undefined): void;
}

/** By name, for who may see the accounts; the address holds the token. */
function ActorSelect({ actor, name, onActor }: ActorSelectProps) {
  const may = useMay();
  const people = useQuery({ ...peopleQuery, enabled: may("account.read") });
  const programs = useQuery({ ...clientsQuery, enabled: may("client.read") });
  const devices = useQuery({ ...devicesQuery, enabled: may("device.read") });
  const groups = [
    {
      group: "People",
      items: (people.data?.accounts ?? []).map((one) => ({ value: `user:${one.id}`, label: one.name })),
    },
    { group: "Programs", items: (programs.data ?? []).map((one) => ({ value: `client:${one.id}`, label: one.name })) },
    { group: "Devices", items: (devices.data ?? []).map((one) => ({ value: `device:${one.id}`, label: one.ae })) },
    { group: "Others", items: always },
  ];
  const isListed = groups.some(({ items }) => items.some(({ value }) => value === actor));
  const other =
    actor === undefined || isListed ? [] : [{ group: "Chosen", items: [{ value: actor, label: name || actor }] }];
  return (
    <Select
      className={classes.choice}
      value={actor ?? null}
      onChange={(next) => onActor(next ?? undefined)}
      data={[...other, ...groups.filter(({ items }) => items.length > 0)]}
      placeholder="Anybody"
      aria-label="Who"
      searchable
      clearable
      nothingFoundMessage="Nobody of this name"
      clearButtonProps={{ "aria-label": "Anybody" }}
    />
  );
}
