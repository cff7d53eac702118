import { Button, Code, Group, Stack, Text, Title } from "@mantine/core";
import { IconSearchOff, IconStack2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { statusQuery, useMay } from "../api/queries.ts";
import { LoadPhantom } from "./load-phantom.tsx";
import classes from "./studies.module.css";

export interface NoStudiesProps {
  readonly filtered: boolean;
  onClear(): void;
  onEmergency(): void;
}

export function NoStudies({ filtered, onClear, onEmergency }: NoStudiesProps) {
  const may = useMay();
  if (filtered) {
    return (
      <Stack className={classes.middle} align="center" gap="xs">
        <IconSearchOff size={32} stroke={1.3} aria-hidden />
        <Title order={2}>No study matches</Title>
        <Text c="dimmed">Try fewer letters of the name, or take away a filter.</Text>
        <Group justify="center" gap="xs">
          <Button variant="default" onClick={onClear}>
            Show all studies
          </Button>
          {may("glass.break") ? (
            <Button variant="default" onClick={onEmergency}>
              Emergency access…
            </Button>
          ) : null}
        </Group>
      </Stack>
    );
  }
  return <NothingYet onEmergency={onEmergency} />;
}

function NothingYet({ onEmergency }: Pick<NoStudiesProps, "onEmergency">) {
  const may = useMay();
  const status = useQuery({ ...statusQuery, enabled: may("status.read") });
  const port = status.data?.ports.dicom;
  return (
    <Stack className={classes.middle} align="center" gap="xs">
      <IconStack2 size={32} stroke={1.3} aria-hidden />
      <Title order={2}>No studies yet</Title>
      <Text c="dimmed" ta="center" maw={440}>
        Images show up here the moment a device sends them
        {port == null ? "." : " to "}
        {port == null ? null : (
          <>
            AE title <Code>{status.data?.dicomAeTitle}</Code>, port <Code>{port}</Code>.
          </>
        )}
      </Text>
      {may("glass.break") ? (
        <Button variant="default" onClick={onEmergency}>
          Emergency access…
        </Button>
      ) : null}
      {may("device.write") ? (
        <Group mt="xs" justify="center">
          <Button component={Link} to="/devices">
            Add a device
          </Button>
          <LoadPhantom />
        </Group>
      ) : null}
    </Stack>
  );
}
