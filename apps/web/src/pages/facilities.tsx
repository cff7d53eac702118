import { Button, Group, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { DeviceRequest, DeviceView, FacilityView } from "#formats/api";
import { facilitiesQuery, useFacilities } from "../api/access-queries.ts";
import { call } from "../api/client.ts";
import { devicesQuery, useMay } from "../api/queries.ts";
import { ProblemNote, wordsOf } from "../shell/problem-note.tsx";
import { Time } from "../words/time.tsx";
import { ActsHead, RowAct } from "./row-acts.tsx";
import classes from "./rows.module.css";

/** Where the machines stand: what somebody may be granted instead of everything. */
export function Facilities() {
  const may = useMay();
  const facilities = useQuery(facilitiesQuery);
  const [renamed, setRenamed] = useState<string | undefined>(undefined);
  if (facilities.error !== null && facilities.data === undefined)
    return <ProblemNote error={facilities.error} onRetry={() => void facilities.refetch()} />;
  const listed = facilities.data ?? [];
  return (
    <>
      {listed.length === 0 ? (
        <div className={classes.empty}>
          None. With facilities, people can be granted the images of one site alone, by the devices that stand there.
        </div>
      ) : (
        <div className={classes.wrap}>
          <table className={classes.table} aria-label="Facilities">
            <thead>
              <tr>
                <th>Name</th>
                <th className={classes.wide}>Added</th>
                <ActsHead />
              </tr>
            </thead>
            <tbody>
              {listed.map((facility) =>
                renamed === facility.id ? (
                  <tr key={facility.id}>
                    <td colSpan={3}>
                      <NameForm facility={facility} onDone={() => setRenamed(undefined)} />
                    </td>
                  </tr>
                ) : (
                  <tr key={facility.id}>
                    <td>{facility.name}</td>
                    <td className={classes.wide}>
                      <Time at={facility.createdAt} />
                    </td>
                    <td className={classes.right}>
                      {may("facility.write") ? (
                        <RowAct onClick={() => setRenamed(facility.id)} label={`Rename ${facility.name}`}>
                          Rename
                        </RowAct>
                      ) : null}
                    </td>
                  </tr>
                ),
              )}
            </tbody>
          </table>
        </div>
      )}
      {may("facility.write") ? <NameForm facility={undefined} onDone={() => {}} /> : null}
    </>
  );
}

/** Another name for a facility, or a new one. */
function NameForm({ facility, onDone }: { readonly facility: FacilityView | undefined; onDone(): void }) {
  const queries = useQueryClient();
  const [name, setName] = useState(facility?.name ?? "");
  const write = useMutation({
    mutationFn: () =>
      facility === undefined
        ? call<FacilityView>("POST", "/api/facilities", { name: name.trim() })
        : call<FacilityView>("PUT", `/api/facilities/${encodeURIComponent(facility.id)}`, { name: name.trim() }),
    onSuccess: () => {
      void queries.invalidateQueries(facilitiesQuery);
      setName("");
      onDone();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    write.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-start" my={6}>
        <TextInput
          aria-label={facility === undefined ? "Name of a new facility" : `New name of ${facility.name}`}
          placeholder="Name of a new facility"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={write.isError ? wordsOf(write.error).message : undefined}
          maxLength={256}
          autoComplete="off"
          autoFocus={facility !== undefined}
        />
        <Button type="submit" variant="default" loading={write.isPending} disabled={name.trim() === ""}>
          {facility === undefined ? "Add facility" : "Rename"}
        </Button>
        {facility === undefined ? null : (
          <Button variant="subtle" onClick={onDone}>
            Keep the name
          </Button>
        )}
      </Group>
    </form>
  );
}

/** What it sends lies there from then on; what it sent before stays where it lies. */
export function DeviceFacility({ device }: { readonly device: DeviceView }) {
  const may = useMay();
  const queries = useQueryClient();
  const facilities = useFacilities();
  const put = useMutation({
    mutationFn: (request: DeviceRequest) => call<DeviceView>("POST", "/api/devices", request),
    onSettled: () => queries.invalidateQueries(devicesQuery),
  });
  const name = facilities.find(({ id }) => id === device.facility)?.name ?? "";
  if (!may("device.write") || facilities.length === 0) return name;
  return (
    <NativeSelect
      size="xs"
      maw={180}
      aria-label={`Facility of ${device.ae} at ${device.address}`}
      data={[{ value: "", label: "None" }, ...facilities.map((each) => ({ value: each.id, label: each.name }))]}
      value={device.facility}
      disabled={put.isPending}
      onChange={({ currentTarget: { value } }) =>
        put.mutate({ ae: device.ae, address: device.address, facility: value })
      }
      error={put.isError ? wordsOf(put.error).message : undefined}
    />
  );
}
