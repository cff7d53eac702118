import { Button, Group, List, Modal, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { BreakGlassRequest, BrokenGlass } from "#formats/api";
import { call } from "../api/client.ts";
import { brokenGlassQuery } from "../api/oversight-queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { useProven } from "../shell/proof.tsx";

const reasonMin = 10;

export interface EmergencyAccessProps {
  readonly opened: boolean;
  onClose(): void;
  /** With what was typed, so that the list shows the patient. */
  onOpened(number: string): void;
}

/** A look at one patient whom one has no grant for, in an emergency. */
export function EmergencyAccess({ opened, onClose, onOpened }: EmergencyAccessProps) {
  const queries = useQueryClient();
  const proven = useProven();
  const [by, setBy] = useState<"patientId" | "accessionNumber">("patientId");
  const [number, setNumber] = useState("");
  const [issuer, setIssuer] = useState("");
  const [reason, setReason] = useState("");
  const begin = useMutation({
    mutationFn: () => {
      const request: BreakGlassRequest = {
        [by]: number.trim(),
        ...(by === "patientId" && issuer.trim() !== "" && { issuer: issuer.trim() }),
        reason: reason.trim(),
      };
      return proven(() => call<BrokenGlass>("POST", "/api/break-glass", request));
    },
    onSuccess: () => {
      void queries.invalidateQueries(brokenGlassQuery);
      void queries.invalidateQueries({ queryKey: ["studies"] });
      onOpened(number.trim());
      setNumber("");
      setReason("");
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    begin.mutate();
  };
  const close = () => {
    begin.reset();
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} title="Emergency access" size="lg">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <WhatHappens />
          <SegmentedControl
            value={by}
            onChange={(next) => setBy(next as typeof by)}
            data={[
              { value: "patientId", label: "Patient ID" },
              { value: "accessionNumber", label: "Accession number" },
            ]}
            aria-label="Whom it is about, by"
          />
          <Whom by={by} number={number} onNumber={setNumber} issuer={issuer} onIssuer={setIssuer} />
          <Textarea
            label="Reason"
            description={`What the emergency is, in ${reasonMin} to 500 characters`}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={500}
            autosize
            minRows={2}
          />
          {begin.isError ? <ProblemNote error={begin.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Not now
            </Button>
            <Button
              type="submit"
              color="red"
              disabled={number.trim() === "" || reason.trim().length < reasonMin}
              loading={begin.isPending}
            >
              Open in an emergency
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function WhatHappens() {
  return (
    <>
      <Text>Opens the images of one patient to you, without anybody who gives you leave first.</Text>
      <List size="sm" spacing={2}>
        <List.Item>Those who review are told at once, with your name and your reason.</List.Item>
        <List.Item>Everything that you look at is written down, and somebody else judges it afterwards.</List.Item>
        <List.Item>It ends by itself; the list shows how long you have.</List.Item>
      </List>
    </>
  );
}

interface WhomProps {
  readonly by: "patientId" | "accessionNumber";
  readonly number: string;
  onNumber(number: string): void;
  readonly issuer: string;
  onIssuer(issuer: string): void;
}

function Whom({ by, number, onNumber, issuer, onIssuer }: WhomProps) {
  return (
    <Group grow align="flex-start">
      <TextInput
        label={by === "patientId" ? "Patient ID, exactly" : "Accession number, exactly"}
        value={number}
        onChange={(event) => onNumber(event.currentTarget.value)}
        maxLength={128}
        autoComplete="off"
        data-autofocus
      />
      {by === "patientId" ? (
        <TextInput
          label="Issuer, where there is one"
          value={issuer}
          onChange={(event) => onIssuer(event.currentTarget.value)}
          maxLength={128}
          autoComplete="off"
        />
      ) : null}
    </Group>
  );
}
