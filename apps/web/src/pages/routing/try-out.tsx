import { Button, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { RoutingText, RoutingTrial, RoutingTrialView } from "#formats/api";
import { call } from "../../api/client.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { destinationWords, textNames } from "../../words/routing-words.ts";
import rows from "../rows.module.css";
import { useDeviceName } from "./routing-queries.ts";

const asked: readonly RoutingText[] = ["modality", "bodyPart", "description", "stationName", "callingAe"];

/** What would happen to an image; nothing does. */
export function TryOut() {
  const [facts, setFacts] = useState<Partial<Record<RoutingText, string>>>({});
  const deviceName = useDeviceName();
  const trial = useMutation({
    mutationFn: (request: RoutingTrial) => call<RoutingTrialView>("POST", "/api/routing/try", request),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    trial.mutate(facts);
  };
  const said = trial.data;
  return (
    <>
      <form className={rows.form} onSubmit={submit}>
        {asked.map((text) => (
          <TextInput
            key={text}
            label={textNames[text]}
            value={facts[text] ?? ""}
            onChange={(event) => setFacts({ ...facts, [text]: event.currentTarget.value })}
            autoComplete="off"
            maxLength={64}
          />
        ))}
        <Button type="submit" variant="default" loading={trial.isPending}>
          Where would it go?
        </Button>
      </form>
      <div aria-live="polite">
        {trial.isError ? <ProblemNote error={trial.error} /> : null}
        {said === undefined ? null : (
          <Text mt="sm">
            {said.rule === undefined ? "No rule fits" : `By “${said.rule.name}”`}: {destinationWords(said, deviceName)}
            {said.isChanged ? ", changed on the way" : ""}.
          </Text>
        )}
      </div>
    </>
  );
}
