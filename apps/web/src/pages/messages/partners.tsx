import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type PartnerTerms, type PartnerView, partnerCharacterSets } from "#formats/api";
import { call } from "../../api/client.ts";
import { partnersQuery } from "../../api/message-queries.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { saysTakes } from "../../words/message-words.ts";
import { Time } from "../../words/time.tsx";
import { ActsHead, RowAct } from "../row-acts.tsx";
import rows from "../rows.module.css";
import classes from "./messages.module.css";

/** Who is sent messages, and how their queues stand. */
export function Partners() {
  const may = useMay();
  const queries = useQueryClient();
  const partners = useQuery(partnersQuery);
  const [changing, setChanging] = useState<PartnerView | undefined>(undefined);
  const steer = useMutation({
    mutationFn: ({ id, act }: { readonly id: string; readonly act: "pause" | "resume" }) =>
      call<PartnerView>("POST", `/api/partners/${id}/${act}`),
    onSettled: () => queries.invalidateQueries(partnersQuery),
  });
  if (partners.error !== null && partners.data === undefined)
    return <ProblemNote error={partners.error} onRetry={() => void partners.refetch()} />;
  if (partners.data === undefined) return <div className={rows.empty}>Reading the list…</div>;
  if (partners.data.length === 0) {
    return (
      <div className={rows.empty}>
        No system is sent messages yet. Add it on the page Devices as one that takes results and order status, with the
        port where it listens.
      </div>
    );
  }
  return (
    <>
      {steer.isError ? <ProblemNote error={steer.error} /> : null}
      <div className={rows.wrap}>
        <table className={rows.table} aria-label="Systems that take messages">
          <thead>
            <tr>
              <th>System</th>
              <th className={rows.wide}>Takes</th>
              <th className={rows.wide}>Written to</th>
              <th className={rows.right}>Waiting</th>
              <th>How it stands</th>
              <ActsHead />
            </tr>
          </thead>
          <tbody>
            {partners.data.map((partner) => (
              <tr key={partner.device.id}>
                <td className={rows.mono}>{partner.device.ae}</td>
                <td className={rows.wide}>{saysTakes(partner.takes)}</td>
                <td className={`${rows.wide} ${rows.mono}`}>
                  {[partner.application, partner.facility].filter((name) => name !== "").join("|")}
                </td>
                <td className={rows.right}>{partner.waiting.toLocaleString("en")}</td>
                <td>
                  <Standing partner={partner} />
                </td>
                <td className={rows.right}>
                  <Group gap={6} justify="flex-end" wrap="nowrap">
                    {may("message.steer") ? (
                      <RowAct
                        label={`${actOf(partner).label} ${partner.device.ae}`}
                        onClick={() => steer.mutate({ id: partner.device.id, act: actOf(partner).act })}
                      >
                        {actOf(partner).label}
                      </RowAct>
                    ) : null}
                    {may("device.write") ? (
                      <RowAct
                        label={`Change how ${partner.device.ae} is written to`}
                        onClick={() => setChanging(partner)}
                      >
                        Change
                      </RowAct>
                    ) : null}
                  </Group>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <ChangePartner partner={changing} onClose={() => setChanging(undefined)} />
    </>
  );
}

/** What is done to a queue with one button: hold it, let it go on, or try what waits for its next attempt. */
function actOf({ isPaused, problem }: PartnerView): { readonly act: "pause" | "resume"; readonly label: string } {
  if (isPaused) return { act: "resume", label: "Resume" };
  return problem === undefined ? { act: "pause", label: "Hold" } : { act: "resume", label: "Try now" };
}

function Standing({ partner: { isPaused, problem, nextAt, oldestAt, sentAt } }: { readonly partner: PartnerView }) {
  if (isPaused) return "held: nothing is sent";
  if (problem !== undefined) {
    return (
      <span className={classes.bad}>
        {problem}
        {nextAt === undefined ? null : (
          <>
            {", again "}
            <Time at={nextAt} />
          </>
        )}
      </span>
    );
  }
  if (oldestAt !== undefined) return "sends";
  if (sentAt === undefined) return "nothing was sent since the start";
  return (
    <>
      {"all is sent, the last "}
      <Time at={sentAt} />
    </>
  );
}

function ChangePartner({ partner, onClose }: { readonly partner: PartnerView | undefined; onClose(): void }) {
  return (
    <Modal opened={partner !== undefined} onClose={onClose} title={`How ${partner?.device.ae ?? ""} is written to`}>
      {partner === undefined ? null : <ChangeForm key={partner.device.id} partner={partner} onClose={onClose} />}
    </Modal>
  );
}

const names = [
  ["application", "Receiving application (MSH-5)"],
  ["facility", "Receiving facility (MSH-6)"],
  ["ownApplication", "Sending application (MSH-3)"],
  ["ownFacility", "Sending facility (MSH-4)"],
] as const;

function ChangeForm({ partner, onClose }: { readonly partner: PartnerView; onClose(): void }) {
  const queries = useQueryClient();
  const { application, facility, ownApplication, ownFacility, characterSet, acknowledgment } = partner;
  const [terms, setTerms] = useState<PartnerTerms>({
    ...{ application, facility, ownApplication, ownFacility, characterSet, acknowledgment },
  });
  const save = useMutation({
    mutationFn: () => call<PartnerView>("PUT", `/api/partners/${partner.device.id}`, terms),
    onSuccess: () => {
      void queries.invalidateQueries(partnersQuery);
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {names.map(([name, label]) => (
          <TextInput
            key={name}
            label={label}
            value={terms[name]}
            maxLength={64}
            autoComplete="off"
            onChange={(event) => setTerms({ ...terms, [name]: event.currentTarget.value })}
          />
        ))}
        <NativeSelect
          label="Character set"
          data={[...partnerCharacterSets]}
          value={terms.characterSet}
          onChange={(event) => setTerms({ ...terms, characterSet: event.currentTarget.value })}
        />
        <NativeSelect
          label="It answers"
          data={[
            { value: "original", label: "what it did with a message (original mode)" },
            { value: "enhanced", label: "that it has taken a message (enhanced mode)" },
          ]}
          value={terms.acknowledgment}
          onChange={(event) =>
            setTerms({ ...terms, acknowledgment: event.currentTarget.value as PartnerTerms["acknowledgment"] })
          }
        />
        <Text size="sm" c="dimmed">
          Where it listens, over TLS or not, stands on the page Devices. This holds from the next message on.
        </Text>
        {save.isError ? <ProblemNote error={save.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
