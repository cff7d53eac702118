import { Button, Text, TextInput, Title } from "@mantine/core";
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { MarkedPatientView, PatientMark } from "#formats/api";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { Time } from "../../words/time.tsx";
import { ActsHead } from "../row-acts.tsx";
import rows from "../rows.module.css";
import classes from "./reviews.module.css";

const markedQuery = queryOptions({
  queryKey: ["marked-patients"],
  queryFn: () => call<readonly MarkedPatientView[]>("GET", "/api/marked-patients"),
});

/** A colleague, a public person: each look at them comes into the queue. */
export function MarkedPatients() {
  const may = useMay();
  const queries = useQueryClient();
  const marked = useQuery({ ...markedQuery, enabled: may("patient.mark") });
  const unmark = useMutation({
    mutationFn: ({ patient }: MarkedPatientView) => call<void>("DELETE", `/api/marked-patients/${patient}`),
    onSettled: () => queries.invalidateQueries(markedQuery),
  });
  if (!may("patient.mark")) return null;
  return (
    <section className={classes.marked} aria-labelledby="marked">
      <Title order={2} id="marked" mb={4}>
        Marked patients
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        Each look at them is reviewed: a colleague, a public person. What stays here is a token, not the number.
      </Text>
      {marked.data === undefined || marked.data.length === 0 ? null : (
        <div className={rows.wrap}>
          <table className={rows.table}>
            <thead>
              <tr>
                <th>Patient</th>
                <th>Why</th>
                <th className={rows.wide}>By</th>
                <th>Since</th>
                <ActsHead />
              </tr>
            </thead>
            <tbody>
              {marked.data.map((each) => (
                <tr key={each.patient}>
                  <td className={rows.mono} title={each.patient}>
                    {each.patient.slice(0, 8)}…
                  </td>
                  <td>{each.reason}</td>
                  <td className={rows.wide}>{each.markedBy}</td>
                  <td className={rows.plain}>
                    <Time at={each.markedAt} />
                  </td>
                  <td className={rows.right}>
                    <Button size="compact-sm" variant="default" onClick={() => unmark.mutate(each)}>
                      Unmark
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {unmark.isError ? <ProblemNote error={unmark.error} /> : null}
      <MarkForm />
    </section>
  );
}

function MarkForm() {
  const queries = useQueryClient();
  const [patientId, setPatientId] = useState("");
  const [reason, setReason] = useState("");
  const mark = useMutation({
    mutationFn: (request: PatientMark) => call<MarkedPatientView>("POST", "/api/marked-patients", request),
    onSuccess: () => {
      setPatientId("");
      setReason("");
    },
    onSettled: () => queries.invalidateQueries(markedQuery),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    mark.mutate({ patientId: patientId.trim(), reason: reason.trim() });
  };
  return (
    <form className={rows.form} onSubmit={submit} style={{ marginTop: 12 }}>
      <TextInput
        label="Patient ID, exactly"
        value={patientId}
        autoComplete="off"
        onChange={(event) => setPatientId(event.currentTarget.value)}
      />
      <TextInput
        label="Why"
        value={reason}
        maxLength={500}
        autoComplete="off"
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Button
        type="submit"
        variant="default"
        disabled={patientId.trim() === "" || reason.trim() === ""}
        loading={mark.isPending}
      >
        Mark
      </Button>
      {mark.isError ? <ProblemNote error={mark.error} /> : null}
    </form>
  );
}
