import { Button, Code, Group, Modal, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { DeviceView } from "#formats/api";
import { call } from "../api/client.ts";
import { devicesQuery, statusQuery, useMay, waitingQuery } from "../api/queries.ts";
import { ProblemNote, wordsOf } from "../shell/problem-note.tsx";
import { saysMay, saysPort } from "../words/device-words.ts";
import { Time } from "../words/time.tsx";
import { AddDevice, WaitingCallers } from "./device-acts.tsx";
import { ChangeDevice } from "./device-terms.tsx";
import { DeviceFacility, Facilities } from "./facilities.tsx";
import { Page } from "./page.tsx";
import classes from "./rows.module.css";

export function DevicesPage() {
  const status = useQuery(statusQuery);
  const may = useMay();
  const port = status.data?.ports.dicom;
  const isComplete = useListsAbove();
  return (
    <Page
      title="Devices"
      about={
        port == null ? undefined : (
          <>
            They reach us as AE title <Code>{status.data?.dicomAeTitle}</Code>, port <Code>{port}</Code>
          </>
        )
      }
    >
      <section className={classes.section} aria-labelledby="waiting">
        <Title order={2} id="waiting" mb={6}>
          Waiting to be admitted
        </Title>
        <WaitingCallers empty="Nobody is waiting. A machine that calls without being admitted is rejected and listed in this place." />
      </section>
      <section className={classes.section} aria-labelledby="admitted">
        <Title order={2} id="admitted" mb={6}>
          Admitted
        </Title>
        <Admitted />
      </section>
      {isComplete && may("device.write") ? (
        <section className={classes.section} aria-labelledby="add">
          <Title order={2} id="add" mb={6}>
            Add by hand
          </Title>
          <AddDevice />
        </section>
      ) : null}
      {isComplete && may("facility.read") ? (
        <section className={classes.section} aria-labelledby="facilities">
          <Title order={2} id="facilities" mb={6}>
            Facilities
          </Title>
          <Facilities />
        </section>
      ) : null}
    </Page>
  );
}

/** Whether the lists are there: what comes below them would else be pushed away from under the pointer. */
function useListsAbove(): boolean {
  const may = useMay();
  const waiting = useQuery({ ...waitingQuery, enabled: may("device.read") });
  const devices = useQuery({ ...devicesQuery, enabled: may("device.read") });
  const status = useQuery(statusQuery);
  return !waiting.isLoading && !devices.isLoading && !status.isLoading;
}

function Admitted() {
  const devices = useQuery(devicesQuery);
  const may = useMay();
  const [changing, setChanging] = useState<DeviceView | undefined>(undefined);
  const [leaving, setLeaving] = useState<DeviceView | undefined>(undefined);
  if (devices.error !== null && devices.data === undefined)
    return <ProblemNote error={devices.error} onRetry={() => void devices.refetch()} />;
  if (devices.data === undefined) return <div className={classes.empty}>Reading the list…</div>;
  if (devices.data.length === 0)
    return (
      <div className={classes.empty}>
        No device is admitted yet. Admit one that is waiting, or add it by hand below.
      </div>
    );
  return (
    <div className={classes.wrap}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th>AE title</th>
            <th>Address</th>
            <th className={classes.wide}>What it does</th>
            <th className={classes.wide}>Takes them at port</th>
            <th className={classes.wide}>Facility</th>
            <th className={classes.wide}>Added</th>
            <th>Last seen</th>
            <th>
              <span className="visually-hidden">Acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.data.map((device) => (
            <tr key={device.id}>
              <td className={classes.mono}>{device.ae}</td>
              <td className={classes.mono}>{device.address}</td>
              <td className={classes.wide}>{saysMay(device.may)}</td>
              <td className={classes.wide}>{saysPort(device)}</td>
              <td className={classes.wide}>
                <DeviceFacility device={device} />
              </td>
              <td className={classes.wide}>
                <Time at={device.createdAt} />
              </td>
              <td>{device.lastSeenAt > 0 ? <Time at={device.lastSeenAt} /> : "never"}</td>
              <td className={classes.right}>
                {may("device.write") ? (
                  <Group gap={6} justify="flex-end" wrap="nowrap">
                    <Button
                      size="compact-sm"
                      variant="default"
                      onClick={() => setChanging(device)}
                      aria-label={`Change ${device.ae} at ${device.address}`}
                    >
                      Change
                    </Button>
                    <Button
                      size="compact-sm"
                      variant="default"
                      onClick={() => setLeaving(device)}
                      aria-label={`Remove ${device.ae} at ${device.address}`}
                    >
                      Remove
                    </Button>
                  </Group>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ChangeDevice device={changing} onClose={() => setChanging(undefined)} />
      <RemoveDevice device={leaving} onClose={() => setLeaving(undefined)} />
    </div>
  );
}

function RemoveDevice({ device, onClose }: { readonly device: DeviceView | undefined; onClose(): void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: (id: string) => call<void>("DELETE", `/api/devices/${encodeURIComponent(id)}`),
    onSuccess: () => {
      void queries.invalidateQueries(devicesQuery);
      onClose();
    },
  });
  const close = () => {
    remove.reset();
    onClose();
  };
  return (
    <Modal opened={device !== undefined} onClose={close} title={`Remove ${device?.ae ?? ""}?`}>
      <Text mb="sm">
        {device?.ae} at {device?.address} will be rejected when it calls. The images it sent stay.
      </Text>
      {remove.isError ? (
        <Text c="var(--mantine-color-error)" size="sm" mb="sm" role="alert">
          {wordsOf(remove.error).message}
        </Text>
      ) : null}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={close} data-autofocus>
          Keep it
        </Button>
        <Button color="red" loading={remove.isPending} onClick={() => device && remove.mutate(device.id)}>
          Remove
        </Button>
      </Group>
    </Modal>
  );
}
