import { Loader, Select, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { AskView, ConsentDecision, ConsentView, StudyPage, StudyView } from "#formats/api";
import { call } from "../api/client.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { Ask } from "./ask.tsx";
import { Page } from "./page.tsx";

/** An application asks to act for who is signed in. Asked and answered before, or ours: the page goes on by itself. */
export function ConsentPage() {
  const { uid } = useParams({ from: "/consent/$uid" });
  const path = `/consent/${uid}/request`;
  const asked = useQuery({
    queryKey: ["consent", uid],
    queryFn: () => call<AskView>("GET", path),
    retry: false,
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [study, setStudy] = useState<string | null>(null);
  const decide = useMutation({
    mutationFn: (decision: ConsentDecision) => call<ConsentView>("POST", path, decision),
    onSuccess: ({ goTo }) => window.location.assign(goTo),
  });
  const hasGone = useRef(false);
  const { mutate } = decide;
  const isSettled = asked.data?.isSettled === true;
  useEffect(() => {
    if (!isSettled || hasGone.current) return;
    hasGone.current = true;
    mutate({ allow: true });
  }, [isSettled, mutate]);
  if (asked.error !== null) {
    return (
      <Page title="An application asks">
        <ProblemNote error={asked.error} />
      </Page>
    );
  }
  if (asked.data === undefined || (isSettled && decide.error === null)) {
    return (
      <Page title="An application asks">
        <Loader size="sm" aria-label="Loading" />
      </Page>
    );
  }
  return (
    <Page title="An application asks">
      <Ask
        ask={asked.data}
        error={decide.error}
        isPending={decide.isPending || decide.isSuccess}
        onAllow={() => mutate({ allow: true, ...(study === null ? {} : { study }) })}
        onRefuse={() => mutate({ allow: false })}
      >
        {asked.data.needsPatient ? <PatientChoice study={study} onChoose={setStudy} /> : null}
      </Ask>
    </Page>
  );
}

/** What it asks for is about one patient: a study of theirs says who. */
function PatientChoice({
  study,
  onChoose,
}: {
  readonly study: string | null;
  readonly onChoose: (study: string | null) => void;
}) {
  const [typed, setTyped] = useState("");
  const found = useQuery({
    queryKey: ["consent-studies", typed],
    queryFn: () => call<StudyPage>("POST", "/api/studies/search", { search: typed, limit: 20, offset: 0 }),
    placeholderData: (before) => before,
  });
  const studies = found.data?.studies ?? [];
  return (
    <div>
      <Select
        label="Patient"
        description="It sees this patient alone. Without one it sees nobody."
        placeholder="Name or number"
        searchable
        clearable
        value={study}
        onChange={onChoose}
        onSearchChange={setTyped}
        data={studies.map((one) => ({ value: one.token, label: labelOf(one) }))}
        filter={({ options }) => options}
        nothingFoundMessage="Nobody found"
      />
      {found.error === null ? null : <Text size="sm">The list cannot be shown.</Text>}
    </div>
  );
}

function labelOf({ patientName, patientId, studyDate, description }: StudyView): string {
  return [patientName.replaceAll("^", " ").trim(), patientId, studyDate, description].filter(Boolean).join(" · ");
}
