import { Button, Group, Loader, Modal, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { MessageDetail, MessageView } from "#formats/api";
import { describedMessage } from "#formats/hl7";
import { call } from "../../api/client.ts";
import { messageQuery, partnersQuery } from "../../api/message-queries.ts";
import { useMay } from "../../api/queries.ts";
import { fromBase64 } from "../../proof/bytes.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { isBad, saysState } from "../../words/message-words.ts";
import { exactTime } from "../../words/moments.ts";
import rows from "../rows.module.css";
import classes from "./messages.module.css";

interface DialogProps {
  /** Undefined: none is open. */
  readonly id: string | undefined;
  onClose(): void;
  onOpen(id: string): void;
}

/** One message with all that it says, and what was answered. */
export function MessageDialog({ id, onClose, onOpen }: DialogProps) {
  const found = useQuery({ ...messageQuery(id ?? ""), enabled: id !== undefined });
  const { data } = found;
  return (
    <Modal opened={id !== undefined} onClose={onClose} size="xl" title={data === undefined ? "Message" : data.kind}>
      {found.error === null ? null : <ProblemNote error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending ? <Loader size="sm" aria-label="Reading the message" /> : null}
      {data === undefined ? null : (
        <>
          <Facts message={data} onOpen={onOpen} />
          <Acts key={data.id} message={data} onOpen={onOpen} />
          <Title order={2} mt="md" mb={6}>
            What it says
          </Title>
          <Segments bytes={data.bytes} />
          {data.isCut ? <Text c="dimmed">It was longer than is kept: its end is missing here.</Text> : null}
          {data.answers.map((answer, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: answers have no other name than their order
            <section key={at} aria-label={`Answer ${at + 1}`}>
              <Title order={2} mt="md" mb={6}>
                {data.answers.length === 1 ? "What was answered" : `Answer ${at + 1}`}
              </Title>
              <Segments bytes={answer} />
            </section>
          ))}
        </>
      )}
    </Modal>
  );
}

function Facts({ message, onOpen }: { readonly message: MessageDetail; onOpen(id: string): void }) {
  const { direction, partner, state, at, changedAt, controlId, attempts, replayOf } = message;
  return (
    <dl className={rows.facts}>
      <dt>{direction === "in" ? "Came from" : "Goes to"}</dt>
      <dd>{partner.ae || "a system that is not registered any more"}</dd>
      <dt>State</dt>
      <dd className={isBad(message) ? classes.bad : undefined}>{saysState(message)}</dd>
      <dt>{direction === "in" ? "Came" : "Queued"}</dt>
      <dd>{exactTime(at)}</dd>
      {direction === "in" || state === "waiting" ? null : (
        <>
          <dt>Ended</dt>
          <dd>
            {exactTime(changedAt)}, after {attempts} {attempts === 1 ? "answer" : "answers"}
          </dd>
        </>
      )}
      <dt>Control ID</dt>
      <dd className={rows.mono}>{controlId}</dd>
      {replayOf === undefined ? null : (
        <>
          <dt>Repeats</dt>
          <dd>
            <button type="button" className={classes.open} onClick={() => onOpen(replayOf)}>
              an earlier message
            </button>
          </dd>
        </>
      )}
    </dl>
  );
}

function Acts({ message, onOpen }: { readonly message: MessageDetail; onOpen(id: string): void }) {
  const may = useMay();
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const isOut = message.direction === "out";
  const settled = () => {
    void queries.invalidateQueries({ queryKey: ["messages"] });
    void queries.invalidateQueries({ queryKey: ["message"] });
    void queries.invalidateQueries(partnersQuery);
  };
  const replay = useMutation({
    mutationFn: () => call<MessageView>("POST", `/api/messages/${message.id}/replay`),
    onSuccess: ({ id }) => onOpen(id),
    onSettled: settled,
  });
  const cancel = useMutation({
    mutationFn: () => call<MessageView>("DELETE", `/api/messages/${message.id}`),
    onSettled: settled,
  });
  const error = replay.error ?? cancel.error;
  if (!may("message.steer")) return null;
  return (
    <>
      {error === null ? null : <ProblemNote error={error} />}
      {isAsking ? (
        <Group mt="md" gap="xs" role="alert">
          <Text>
            {isOut
              ? "It goes to the end of the queue, under the same control ID: who knows that takes it for a repetition."
              : "What it says is done once more, also where something newer was said since."}
          </Text>
          <Button variant="default" onClick={() => setAsking(false)}>
            Not now
          </Button>
          <Button loading={replay.isPending} onClick={() => replay.mutate()} autoFocus>
            {isOut ? "Send it again" : "Process it again"}
          </Button>
        </Group>
      ) : (
        <Group mt="md" gap="xs">
          {message.state === "waiting" ? (
            <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
              Call it off
            </Button>
          ) : (
            <Button variant="default" onClick={() => setAsking(true)}>
              {isOut ? "Send again…" : "Process again…"}
            </Button>
          )}
        </Group>
      )}
    </>
  );
}

function Segments({ bytes }: { readonly bytes: string }) {
  const described = describedMessage(fromBase64(bytes) ?? new Uint8Array(0));
  if (described === undefined) return <Text c="dimmed">Nothing that can be read as an HL7 message.</Text>;
  return described.map(({ name, fields }, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: segments have no other name than their order
    <section key={at} className={classes.segment}>
      <h3>{name}</h3>
      <dl style={{ margin: 0 }}>
        {fields.map((field) => (
          <div key={field.number} className={classes.field}>
            <span className={classes.number}>{field.number}</span>
            <dt>{field.name}</dt>
            <dd>{field.text}</dd>
          </div>
        ))}
      </dl>
    </section>
  ));
}
