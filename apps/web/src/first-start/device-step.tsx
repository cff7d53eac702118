import { Button, Code, CopyButton, Group, Text, Title } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { SetupState } from "#formats/api";
import { devicesQuery } from "../api/queries.ts";
import { AddDevice, WaitingCallers } from "../pages/device-acts.tsx";
import classes from "./first-start.module.css";

export function DeviceStep({ dicom, onNext }: { readonly dicom: SetupState["dicom"]; onNext(): void }) {
  const devices = useQuery(devicesQuery);
  const admitted = devices.data ?? [];
  return (
    <div>
      <Title order={1} mb={6}>
        Add a first device
      </Title>
      {dicom?.port == null ? (
        <Text mb="md">
          The DICOM port is off on this machine. Start Leadglass with the edge role to receive images, or load the
          phantom study in the next step.
        </Text>
      ) : (
        <Where aeTitle={dicom.aeTitle} port={dicom.port} />
      )}
      <Title order={2} mt="lg" mb={6}>
        Waiting to be admitted
      </Title>
      <WaitingCallers empty="Nobody has called yet. Send a test from the machine: it is rejected, and shows up here to be admitted with one click." />
      <Title order={2} mt="lg" mb={6}>
        Or type it
      </Title>
      <AddDevice />
      {admitted.length === 0 ? null : (
        <ul className={classes.admitted} aria-label="Admitted devices">
          {admitted.map((device) => (
            <li key={device.id}>
              <IconCheck size={16} aria-hidden /> <b>{device.ae}</b> at {device.address} is admitted
            </li>
          ))}
        </ul>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant={admitted.length === 0 ? "default" : "filled"} onClick={onNext}>
          {admitted.length === 0 ? "Skip for now" : "Continue"}
        </Button>
      </Group>
    </div>
  );
}

function Where({ aeTitle, port }: { readonly aeTitle: string; readonly port: number }) {
  return (
    <>
      <Text mb="sm">
        In the machine's network settings, add a destination (also called storage node or DICOM node):
      </Text>
      <dl className={classes.where}>
        <div>
          <dt>AE title</dt>
          <dd>{aeTitle}</dd>
        </div>
        <div>
          <dt>Port</dt>
          <dd>{port}</dd>
        </div>
        <div>
          <dt>Address</dt>
          <dd>{window.location.hostname}</dd>
        </div>
      </dl>
      <Text size="sm" c="dimmed" mt="sm" mb={4}>
        Then let it verify (C-ECHO) or send an image. To try from a terminal with DCMTK:
      </Text>
      <SendLine aeTitle={aeTitle} port={port} />
    </>
  );
}

export function SendLine({ aeTitle, port }: { readonly aeTitle: string; readonly port: number }) {
  const line = `storescu -aet CT1 -aec ${aeTitle} ${window.location.hostname} ${port} image.dcm`;
  return (
    <div className={classes.line}>
      <Code className={classes.lineCode}>{line}</Code>
      <CopyButton value={line}>
        {({ copied, copy }) => (
          <Button size="compact-sm" variant="default" onClick={copy}>
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}
