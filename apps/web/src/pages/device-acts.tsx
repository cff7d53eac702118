import { Button, Group, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { counted, type DeviceRequest, type DeviceView, type WaitingView } from "#formats/api";
import { call } from "../api/client.ts";
import { useEvents } from "../api/events.tsx";
import { devicesQuery, useMay, waitingQuery } from "../api/queries.ts";
import { wordsOf } from "../shell/problem-note.tsx";
import { Time } from "../words/time.tsx";
import { FacilityField, mayOf, PortField, UseField } from "./device-terms.tsx";
import classes from "./rows.module.css";

/** Adds a device; the list and the waiting callers are read again after it. */
export function useAdmit(onAdmitted?: (device: DeviceView) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (device: DeviceRequest) => call<DeviceView>("POST", "/api/devices", device),
    onSuccess: (device) => {
      void queries.invalidateQueries(devicesQuery);
      void queries.invalidateQueries(waitingQuery);
      onAdmitted?.(device);
    },
  });
}

/** Machines that called and were rejected, as they call. */
export function WaitingCallers({
  onAdmitted,
  empty,
}: {
  onAdmitted?(device: DeviceView): void;
  readonly empty: string;
}) {
  const queries = useQueryClient();
  const waiting = useQuery(waitingQuery);
  useEvents((event) => {
    if (event.type === "waiting") void queries.invalidateQueries(waitingQuery);
  });
  const admit = useAdmit(onAdmitted);
  const dismiss = useMutation({
    mutationFn: ({ ae, address }: DeviceRequest) => call<void>("DELETE", "/api/devices/waiting", { ae, address }),
    onSuccess: () => queries.invalidateQueries(waitingQuery),
  });
  const may = useMay();
  const [use, setUse] = useState("sends");
  const [facility, setFacility] = useState("");
  const problem = admit.error ?? dismiss.error ?? waiting.error;
  const callers = waiting.data ?? [];
  return (
    <div aria-live="polite">
      {problem === null ? null : (
        <Text c="var(--mantine-color-error)" size="sm" role="alert" mb={6}>
          {wordsOf(problem).message} {wordsOf(problem).remedy}
        </Text>
      )}
      {callers.length === 0 ? (
        <div className={classes.empty}>{empty}</div>
      ) : (
        <div className={classes.wrap}>
          {may("device.write") ? (
            <div className={classes.form}>
              <UseField use={use} onUse={setUse} label="Admit as what" />
              <FacilityField facility={facility} onFacility={setFacility} label="Admit into" />
            </div>
          ) : null}
          <table className={classes.table}>
            <thead>
              <tr>
                <th>AE title</th>
                <th>Address</th>
                <th className={classes.wide}>Called</th>
                <th>
                  <span className="visually-hidden">Acts</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {callers.map((caller) => (
                <tr key={`${caller.ae} ${caller.address}`}>
                  <td className={classes.mono}>{caller.ae}</td>
                  <td className={classes.mono}>{caller.address}</td>
                  <td className={classes.wide}>
                    <Called caller={caller} />
                  </td>
                  <td className={classes.right}>
                    {may("device.write") ? (
                      <Group gap={6} justify="flex-end" wrap="nowrap">
                        <Button
                          size="compact-sm"
                          onClick={() =>
                            admit.mutate({
                              ae: caller.ae,
                              address: caller.address,
                              ...mayOf(use),
                              ...chosen(facility),
                            })
                          }
                          aria-label={`Admit ${caller.ae} at ${caller.address}`}
                        >
                          Admit
                        </Button>
                        <Button
                          size="compact-sm"
                          variant="default"
                          onClick={() => dismiss.mutate(caller)}
                          aria-label={`Dismiss ${caller.ae} at ${caller.address}`}
                        >
                          Dismiss
                        </Button>
                      </Group>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function Called({ caller }: { readonly caller: WaitingView }) {
  return (
    <>
      <Time at={caller.lastAt} />
      {caller.attempts > 1 ? <span> · {counted(caller.attempts, "time")}</span> : null}
    </>
  );
}

/** Without a choice a device that is known stays where it is. */
const chosen = (facility: string) => (facility === "" ? {} : { facility });

/** A machine that has not called yet, typed. AE titles: up to 16 characters, no backslash or control characters (PS3.5 §6.2). */
export function AddDevice({ onAdmitted }: { onAdmitted?(device: DeviceView): void }) {
  const [ae, setAe] = useState("");
  const [address, setAddress] = useState("");
  const [use, setUse] = useState("sends");
  const [port, setPort] = useState("");
  const [facility, setFacility] = useState("");
  const admit = useAdmit((device) => {
    setAe("");
    setAddress("");
    setPort("");
    onAdmitted?.(device);
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const takes = port === "" ? {} : { port: Number(port) };
    admit.mutate({ ae: ae.trim(), address: address.trim(), ...mayOf(use), ...takes, ...chosen(facility) });
  };
  const problem = admit.isError ? wordsOf(admit.error) : undefined;
  return (
    <form onSubmit={submit}>
      <div className={classes.form}>
        <TextInput
          label="AE title"
          value={ae}
          onChange={(event) => setAe(event.currentTarget.value)}
          required
          withAsterisk={false}
          maxLength={16}
          spellCheck={false}
          autoComplete="off"
          placeholder="CT1"
        />
        <TextInput
          label="Address"
          value={address}
          onChange={(event) => setAddress(event.currentTarget.value)}
          required
          withAsterisk={false}
          spellCheck={false}
          autoComplete="off"
          placeholder="192.0.2.17"
        />
        <UseField use={use} onUse={setUse} label="What it does" />
        <PortField port={port} onPort={setPort} />
        <FacilityField facility={facility} onFacility={setFacility} label="Facility" />
        <Button type="submit" variant="default" loading={admit.isPending}>
          Add device
        </Button>
      </div>
      {problem === undefined ? null : (
        <Text c="var(--mantine-color-error)" size="sm" mt={6} role="alert">
          {problem.message} {problem.remedy}
        </Text>
      )}
    </form>
  );
}
