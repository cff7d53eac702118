import { Button, Checkbox, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { MigrationRequest, MigrationView } from "#formats/api";
import { call } from "../../api/client.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { EditDialog } from "../people/edit-dialog.tsx";
import { destinationsQuery } from "../send-study.tsx";
import { migrationsQuery } from "./migrations-query.ts";

interface Draft {
  readonly machine: string;
  readonly from: string;
  readonly to: string;
  readonly order: "newest" | "oldest";
  readonly modalities: string;
  /** "" for all day. */
  readonly fromHour: string;
  readonly toHour: string;
  readonly studiesPerMinute: string;
  readonly associations: string;
  readonly undated: boolean;
  readonly checkOnly: boolean;
}

const empty: Draft = {
  ...{ machine: "", from: "", to: "", order: "newest", modalities: "", fromHour: "", toHour: "6" },
  ...{ studiesPerMinute: "", associations: "1", undated: true, checkOnly: false },
};

const plain = (date: string) => date.replaceAll("-", "");

function requestOf(draft: Draft, from: string): MigrationRequest {
  const modalities = draft.modalities
    .toUpperCase()
    .split(/[\s,]+/)
    .filter((one) => one !== "");
  return {
    ...{ from, dates: { from: plain(draft.from), to: plain(draft.to) }, order: draft.order, modalities },
    ...{ undated: draft.undated, checkOnly: draft.checkOnly, associations: Number(draft.associations) },
    ...(draft.fromHour !== "" && { hours: { from: Number(draft.fromHour), to: Number(draft.toHour) } }),
    ...(draft.studiesPerMinute !== "" && { studiesPerMinute: Number(draft.studiesPerMinute) }),
  };
}

/** Which archive, which days, and how fast. */
export function StartMigration({ opened, onClose }: { readonly opened: boolean; onClose(): void }) {
  const queries = useQueryClient();
  const { data: machines = [], error } = useQuery({ ...destinationsQuery, enabled: opened });
  const [draft, setDraft] = useState(empty);
  const put = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  const from = draft.machine === "" ? (machines[0]?.id ?? "") : draft.machine;
  const start = useMutation({
    mutationFn: () => call<MigrationView>("POST", "/api/migrations", requestOf(draft, from)),
    onSuccess: () => close(),
    onSettled: () => queries.invalidateQueries(migrationsQuery),
  });
  const close = () => {
    setDraft(empty);
    start.reset();
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  const loses = draft === empty ? undefined : "Close, and throw away what you typed?";
  return (
    <EditDialog title="Take an archive over" opened={opened} loses={loses} onClose={close}>
      {(leave) => (
        <form onSubmit={submit}>
          <Stack gap="md">
            {error === null ? null : <ProblemNote error={error} />}
            {machines.length === 0 ? (
              <Text size="sm">
                No machine takes associations yet. Add the old archive under Devices, with its port and let it store.
              </Text>
            ) : (
              <NativeSelect
                label="Archive"
                data={machines.map(({ id, ae }) => ({ value: id, label: ae }))}
                value={from}
                onChange={(event) => put({ machine: event.currentTarget.value })}
              />
            )}
            <WhichStudies draft={draft} put={put} />
            <HowFast draft={draft} put={put} />
            {start.isError ? <ProblemNote error={start.error} /> : null}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={leave}>
                Not now
              </Button>
              <Button
                type="submit"
                loading={start.isPending}
                disabled={from === "" || draft.from === "" || draft.to === "" || draft.from > draft.to}
              >
                {draft.checkOnly ? "Compare" : "Begin"}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </EditDialog>
  );
}

interface FieldsProps {
  readonly draft: Draft;
  put(change: Partial<Draft>): void;
}

function WhichStudies({ draft, put }: FieldsProps) {
  return (
    <>
      <Group grow align="flex-start">
        <TextInput
          type="date"
          label="Studies from"
          value={draft.from}
          onChange={(event) => put({ from: event.currentTarget.value })}
          required
          withAsterisk={false}
        />
        <TextInput
          type="date"
          label="Until"
          value={draft.to}
          onChange={(event) => put({ to: event.currentTarget.value })}
          required
          withAsterisk={false}
        />
      </Group>
      <Group grow align="flex-start">
        <NativeSelect
          label="Order"
          data={[
            { value: "newest", label: "Newest first" },
            { value: "oldest", label: "Oldest first" },
          ]}
          value={draft.order}
          onChange={(event) => put({ order: event.currentTarget.value === "oldest" ? "oldest" : "newest" })}
        />
        <TextInput
          label="Modalities"
          placeholder="All"
          description="CT, MR"
          inputWrapperOrder={["label", "input", "description"]}
          value={draft.modalities}
          onChange={(event) => put({ modalities: event.currentTarget.value })}
          maxLength={120}
        />
      </Group>
      <Checkbox
        size="md"
        label="Studies without a date too, at the end"
        checked={draft.undated}
        onChange={(event) => put({ undated: event.currentTarget.checked })}
      />
      <Checkbox
        size="md"
        label="Only compare, fetch nothing"
        checked={draft.checkOnly}
        onChange={(event) => put({ checkOnly: event.currentTarget.checked })}
      />
    </>
  );
}

const hours = Array.from({ length: 24 }, (_, hour) => ({ value: String(hour), label: `${hour}:00` }));

function HowFast({ draft, put }: FieldsProps) {
  return (
    <>
      <Group grow align="flex-start">
        <NativeSelect
          label="Only from"
          data={[{ value: "", label: "Day and night" }, ...hours]}
          value={draft.fromHour}
          onChange={(event) => put({ fromHour: event.currentTarget.value })}
        />
        <NativeSelect
          label="Until before"
          data={hours}
          value={draft.toHour}
          onChange={(event) => put({ toHour: event.currentTarget.value })}
          disabled={draft.fromHour === ""}
        />
      </Group>
      <Group grow align="flex-start">
        <TextInput
          type="number"
          min={1}
          label="Studies a minute, at most"
          placeholder="As fast as it goes"
          value={draft.studiesPerMinute}
          onChange={(event) => put({ studiesPerMinute: event.currentTarget.value })}
        />
        <NativeSelect
          label="Studies at once"
          data={["1", "2", "3", "4"]}
          value={draft.associations}
          onChange={(event) => put({ associations: event.currentTarget.value })}
        />
      </Group>
    </>
  );
}
