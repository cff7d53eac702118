import { Button, Checkbox, Group, NativeSelect, Stack, Text } from "@mantine/core";
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { DestinationView, SendingRequest, TransferView } from "#formats/api";
import { call } from "../api/client.ts";
import { useMay } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { Time } from "../words/time.tsx";
import { isUnderWay, transferKinds, transferState } from "../words/transfer-words.ts";
import { EditDialog } from "./people/edit-dialog.tsx";

export interface SendStudyProps {
  /** Token of the study. */
  readonly study: string;
  readonly opened: boolean;
  onClose(): void;
}

export const destinationsQuery = queryOptions({
  queryKey: ["destinations"],
  queryFn: () => call<readonly DestinationView[]>("GET", "/api/destinations"),
});

const lookEveryMs = 2_000;

/** Read again and again while something is under way. */
const transfersQuery = (study: string) =>
  queryOptions({
    queryKey: ["transfers", study],
    queryFn: () => call<readonly TransferView[]>("GET", `/api/transfers?study=${study}`),
    refetchInterval: ({ state }) => (state.data?.some(isUnderWay) === true ? lookEveryMs : false),
  });

/** A copy of a study for another machine, and what became of those that were sent. */
export function SendStudy({ study, opened, onClose }: SendStudyProps) {
  return (
    <EditDialog title="Send a study" opened={opened} loses={undefined} onClose={onClose}>
      {(close) => (
        <Stack gap="md">
          <Sending study={study} onCancel={close} />
          <Transfers study={study} />
        </Stack>
      )}
    </EditDialog>
  );
}

function Sending({ study, onCancel }: { readonly study: string; onCancel(): void }) {
  const queries = useQueryClient();
  const { data: machines, error } = useQuery(destinationsQuery);
  const [chosen, setChosen] = useState("");
  const [commit, setCommit] = useState(false);
  const to = chosen === "" ? (machines?.[0]?.id ?? "") : chosen;
  const send = useMutation({
    mutationFn: () => call<TransferView>("POST", "/api/transfers/send", { study, to, commit } satisfies SendingRequest),
    onSettled: () => queries.invalidateQueries({ queryKey: ["transfers", study] }),
  });
  if (error !== null) return <ProblemNote error={error} />;
  if (machines?.length === 0) {
    return (
      <Text size="sm">
        No machine takes images yet. An administrator says under Devices, or by “leadglass device add”, at which port
        one does.
      </Text>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <NativeSelect
          label="To"
          value={to}
          data={(machines ?? []).map(({ id, ae }) => ({ value: id, label: ae }))}
          data-autofocus
          onChange={(event) => setChosen(event.currentTarget.value)}
        />
        <Checkbox
          size="md"
          label="Ask the machine afterwards whether it keeps the images"
          checked={commit}
          onChange={(event) => setCommit(event.currentTarget.checked)}
        />
        {send.isError ? <ProblemNote error={send.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            Close
          </Button>
          <Button type="submit" disabled={to === ""} loading={send.isPending}>
            Send
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Transfers({ study }: { readonly study: string }) {
  const may = useMay();
  const queries = useQueryClient();
  const { data: transfers = [] } = useQuery(transfersQuery(study));
  const steer = useMutation({
    mutationFn: ({ id, again }: { readonly id: string; readonly again: boolean }) =>
      again
        ? call<TransferView>("POST", `/api/transfers/${id}/retry`)
        : call<TransferView>("DELETE", `/api/transfers/${id}`),
    onSettled: () => queries.invalidateQueries({ queryKey: ["transfers", study] }),
  });
  if (transfers.length === 0) return null;
  return (
    <section aria-label="What was sent" aria-live="polite">
      {steer.isError ? <ProblemNote error={steer.error} /> : null}
      {transfers.map((transfer) => (
        <Group key={transfer.id} justify="space-between" gap="xs" py={6}>
          <Text size="sm" flex="1 1 260px">
            {transferKinds[transfer.kind]} {transfer.device.ae}: {transferState(transfer)},{" "}
            <Time at={transfer.changedAt} />
          </Text>
          {may("transfer.steer") ? (
            <Steer transfer={transfer} onSteer={(again) => steer.mutate({ id: transfer.id, again })} />
          ) : null}
        </Group>
      ))}
    </section>
  );
}

function Steer({ transfer, onSteer }: { readonly transfer: TransferView; onSteer(again: boolean): void }) {
  const { state } = transfer;
  return (
    <Group gap="xs" wrap="nowrap">
      {state === "done" || state === "running" ? null : (
        <Button size="compact-sm" variant="default" onClick={() => onSteer(true)}>
          Try now
        </Button>
      )}
      {isUnderWay(transfer) ? (
        <Button size="compact-sm" variant="default" onClick={() => onSteer(false)}>
          Call off
        </Button>
      ) : null}
    </Group>
  );
}
