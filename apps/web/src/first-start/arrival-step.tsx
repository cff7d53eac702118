import { Button, Group, Loader, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { counted, type SetupState, type StudyView } from "#formats/api";
import { useEvents } from "../api/events.tsx";
import { searchStudies } from "../api/queries.ts";
import { LoadPhantom } from "../pages/load-phantom.tsx";
import { dicomDate, personName } from "../words/dicom-words.ts";
import { SendLine } from "./device-step.tsx";
import classes from "./first-start.module.css";

export interface ArrivalStepProps {
  readonly dicom: SetupState["dicom"];
  onBack(): void;
  onFinished(): void;
}

/** Shows studies as they come in, the count going up. */
export function ArrivalStep({ dicom, onBack, onFinished }: ArrivalStepProps) {
  const already = useQuery({
    queryKey: ["arrived"],
    queryFn: () => searchStudies({ sort: "ArrivedAt", ascending: false, limit: 5 }),
    gcTime: 0,
  });
  const [arrived, setArrived] = useState<ReadonlyMap<string, StudyView>>(new Map());
  useEvents((event) => {
    if (event.type === "study") setArrived((before) => new Map(before).set(event.study.token, event.study));
  });
  const studies = new Map([...(already.data?.studies ?? []).map((study) => [study.token, study] as const), ...arrived]);
  return (
    <div>
      <Title order={1} mb={6}>
        Watch images arrive
      </Title>
      {studies.size > 0 ? (
        <Text mb="md">They are sealed on this machine's disk as they come in, and every look at them is logged.</Text>
      ) : (
        <div className={classes.listening} role="status">
          <Loader size="xs" type="dots" />
          <Text>
            {dicom?.port == null
              ? "Waiting for images…"
              : `Listening as ${dicom.aeTitle} on port ${dicom.port}. Send a study from the device…`}
          </Text>
        </div>
      )}
      <ul className={classes.arrivals} aria-live="polite">
        {[...studies.values()].map((study) => (
          <li key={study.token}>
            <div>
              <b>{personName(study.patientName) || "No name"}</b> <span className={classes.dim}>{study.patientId}</span>
              <div className={classes.dim}>
                {[study.modalities.join(" "), study.description, dicomDate(study.studyDate)]
                  .filter((part) => part !== "")
                  .join(" · ")}
              </div>
            </div>
            <span className={classes.arrivalCount}>{counted(study.instanceCount, "image")}</span>
          </li>
        ))}
      </ul>
      {studies.size === 0 && dicom?.port != null ? <SendLine aeTitle={dicom.aeTitle} port={dicom.port} /> : null}
      <Title order={2} mt="lg" mb={4}>
        No machine at hand?
      </Title>
      <Text mb="sm">
        Load a made-up CT of a head to look around with. It is marked as a phantom and holds nobody's data.
      </Text>
      <LoadPhantom onOpen={onFinished} />
      <Group justify="space-between" mt="xl">
        <Button variant="subtle" onClick={onBack}>
          Back
        </Button>
        <Button variant={studies.size > 0 ? "filled" : "default"} onClick={onFinished}>
          Go to the study list
        </Button>
      </Group>
    </div>
  );
}
