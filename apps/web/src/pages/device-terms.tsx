import { Button, Checkbox, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { DeviceRequest, DeviceRight, DeviceView, EchoView } from "#formats/api";
import { useFacilities } from "../api/access-queries.ts";
import { call } from "../api/client.ts";
import { devicesQuery } from "../api/queries.ts";
import { wordsOf } from "../shell/problem-note.tsx";
import { deviceUse, deviceUses, saysMay } from "../words/device-words.ts";

interface UseFieldProps {
  readonly use: string;
  onUse(use: string): void;
  readonly label: string;
  /** What "" stands for, where it is a choice. */
  readonly otherwise?: string;
}

/** What a machine is let do, by what it is for. */
export function UseField({ use, onUse, label, otherwise }: UseFieldProps) {
  const other = otherwise === undefined ? [] : [{ value: "", label: otherwise }];
  return (
    <NativeSelect
      label={label}
      data={[...deviceUses.map(({ use: value, label: words }) => ({ value, label: words })), ...other]}
      value={use}
      onChange={(event) => onUse(event.currentTarget.value)}
    />
  );
}

/** Left out where the choice says nothing new. What no use here stands for stays: who is told what has come goes on to be told. */
export function mayOf(use: string, before: readonly DeviceRight[] = []): Pick<DeviceRequest, "may"> {
  const may = deviceUses.find((one) => one.use === use)?.may;
  return may === undefined ? {} : { may: [...new Set([...may, ...before.filter((right) => beside.has(right))])] };
}

const beside: ReadonlySet<DeviceRight> = new Set(["notify", "orders", "patients"]);

interface PortFieldProps {
  readonly port: string;
  onPort(port: string): void;
}

/** "" for a machine that takes nothing. */
export function PortField({ port, onPort }: PortFieldProps) {
  return (
    <TextInput
      label="Takes images or messages at port"
      value={port}
      onChange={(event) => onPort(event.currentTarget.value)}
      inputMode="numeric"
      pattern="[0-9]{1,5}"
      title="A port number, 1 to 65535, or nothing"
      placeholder="none"
      autoComplete="off"
    />
  );
}

interface FacilityFieldProps {
  readonly facility: string;
  onFacility(facility: string): void;
  readonly label: string;
}

/** Nothing where there is no facility to choose. */
export function FacilityField({ facility, onFacility, label }: FacilityFieldProps) {
  const facilities = useFacilities();
  if (facilities.length === 0) return null;
  return (
    <NativeSelect
      label={label}
      data={[{ value: "", label: "No facility" }, ...facilities.map(({ id, name }) => ({ value: id, label: name }))]}
      value={facility}
      onChange={(event) => onFacility(event.currentTarget.value)}
    />
  );
}

/** Changes what a device is let do and where it takes images, and asks it whether it answers there. */
export function ChangeDevice({ device, onClose }: { readonly device: DeviceView | undefined; onClose(): void }) {
  return (
    <Modal opened={device !== undefined} onClose={onClose} title={`${device?.ae ?? ""} at ${device?.address ?? ""}`}>
      {device === undefined ? null : <ChangeForm key={device.id} device={device} onClose={onClose} />}
    </Modal>
  );
}

function ChangeForm({ device, onClose }: { readonly device: DeviceView; onClose(): void }) {
  const queries = useQueryClient();
  const before = deviceUse(device.may);
  const [use, setUse] = useState(before);
  const [port, setPort] = useState(device.port === 0 ? "" : String(device.port));
  const [tls, setTls] = useState(device.tls);
  const [facility, setFacility] = useState(device.facility);
  const save = useMutation({
    mutationFn: (request: DeviceRequest) => call<DeviceView>("POST", "/api/devices", request),
    onSuccess: () => {
      void queries.invalidateQueries(devicesQuery);
      onClose();
    },
  });
  const echo = useMutation({
    mutationFn: () => call<EchoView>("POST", `/api/devices/${encodeURIComponent(device.id)}/echo`),
  });
  const isMoved = facility !== device.facility;
  const isChanged = use !== before || Number(port) !== device.port || tls !== device.tls || isMoved;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { ae, address } = device;
    const may = use === before ? {} : mayOf(use, device.may);
    save.mutate({ ae, address, port: Number(port), tls: tls && port !== "", ...may, ...(isMoved && { facility }) });
  };
  const problem = save.error ?? echo.error;
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <UseField
          label="What it does"
          use={use}
          onUse={setUse}
          {...(before === "" && { otherwise: saysMay(device.may) })}
        />
        <FacilityField facility={facility} onFacility={setFacility} label="Stands in" />
      </Stack>
      <Group align="flex-end" gap="md" my="sm">
        <PortField port={port} onPort={setPort} />
        <Checkbox
          label="Over TLS"
          checked={tls}
          onChange={(event) => setTls(event.currentTarget.checked)}
          disabled={port === ""}
          pb={8}
        />
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        Workstations have images sent to machines that are listed here with a port, and to no others.
      </Text>
      <Said problem={problem} echoMs={echo.data?.ms} />
      <Group justify="space-between" gap="xs">
        <Button
          variant="default"
          loading={echo.isPending}
          disabled={device.port === 0 || isChanged}
          onClick={() => echo.mutate()}
        >
          Test connection
        </Button>
        <Group gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!isChanged}>
            Save
          </Button>
        </Group>
      </Group>
    </form>
  );
}

function Said({ problem, echoMs }: { readonly problem: Error | null; readonly echoMs: number | undefined }) {
  return (
    <div aria-live="polite">
      {problem === null ? null : (
        <Text c="var(--mantine-color-error)" size="sm" mb="sm" role="alert">
          {wordsOf(problem).message} {wordsOf(problem).remedy}
        </Text>
      )}
      {echoMs === undefined ? null : (
        <Text size="sm" mb="sm">
          It answered after {echoMs} ms.
        </Text>
      )}
    </div>
  );
}
