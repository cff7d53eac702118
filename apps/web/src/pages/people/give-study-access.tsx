import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { studyQuery } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { dicomDate, personName } from "../../words/dicom-words.ts";
import { GiveGrant } from "./give-grant.tsx";

export interface GiveStudyAccessProps {
  readonly token: string;
  readonly opened: boolean;
  onClose(): void;
}

/** Somebody may see this study, or all of its patient: a referring physician, the patient. */
export function GiveStudyAccess({ token, opened, onClose }: GiveStudyAccessProps) {
  const study = useQuery({ ...studyQuery(token), enabled: opened });
  if (study.data === undefined)
    return (
      <Modal opened={opened && study.error !== null} onClose={onClose} title="Give access">
        <ProblemNote error={study.error} onRetry={() => void study.refetch()} />
      </Modal>
    );
  const { patientName, patientToken, studyDate, modalities } = study.data;
  const name = personName(patientName) || "No name";
  return (
    <GiveGrant
      title={`Give access: ${[name, modalities.join(" "), dicomDate(studyDate)].filter((part) => part !== "").join(", ")}`}
      opened={opened}
      onClose={onClose}
      places={[
        { value: `study:${token}`, label: "This study" },
        ...(patientToken === "" ? [] : [{ value: `patient:${patientToken}`, label: "All studies of this patient" }]),
      ]}
    />
  );
}
