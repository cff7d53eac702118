import {
  Button,
  Code,
  CopyButton,
  Group,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type MadeShare, type ShareRequest, sharePurposes } from "#formats/api";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import { purposeLabel } from "../../words/role-words.ts";
import { EditDialog } from "../people/edit-dialog.tsx";
import classes from "./shares.module.css";

export interface ShareStudyProps {
  /** Token of the study. */
  readonly study: string;
  readonly opened: boolean;
  onClose(): void;
}

/** A link to one study for somebody outside, and the code that goes another way. */
export function ShareStudy({ study, opened, onClose }: ShareStudyProps) {
  const [made, setMade] = useState<MadeShare | undefined>(undefined);
  const [copied, setCopied] = useState({ link: false, code: false });
  const leave = () => {
    setMade(undefined);
    setCopied({ link: false, code: false });
    onClose();
  };
  const isCopied = copied.link && copied.code;
  const loses = made === undefined || isCopied ? undefined : "Link and code are not shown again.";
  return (
    <EditDialog title="Share a study" opened={opened} loses={loses} onClose={leave}>
      {(close) =>
        made === undefined ? (
          <Terms study={study} onMade={setMade} onCancel={close} />
        ) : (
          <Made made={made} onCopied={(what) => setCopied({ ...copied, [what]: true })} onDone={close} />
        )
      }
    </EditDialog>
  );
}

interface TermsProps {
  readonly study: string;
  onMade(made: MadeShare): void;
  onCancel(): void;
}

function Terms({ study, onMade, onCancel }: TermsProps) {
  const may = useMay();
  const queries = useQueryClient();
  const [request, setRequest] = useState<ShareRequest>({
    ...{ study, mode: "view", days: 7, recipient: "", purpose: "treatment", note: "" },
  });
  const change = (part: Partial<ShareRequest>) => setRequest({ ...request, ...part });
  const make = useMutation({
    mutationFn: () => call<MadeShare>("POST", "/api/shares", { ...request, study }),
    onSuccess: onMade,
    onSettled: () => queries.invalidateQueries({ queryKey: ["shares"] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label="For"
          description="Who it is for: the patient's accounting of disclosures names them"
          value={request.recipient}
          maxLength={200}
          autoComplete="off"
          data-autofocus
          onChange={(event) => change({ recipient: event.currentTarget.value })}
        />
        <div>
          <Text size="sm" fw={500} mb={4} id="share-mode">
            They may
          </Text>
          <SegmentedControl
            value={request.mode}
            onChange={(mode) => change({ mode: mode as ShareRequest["mode"] })}
            data={[
              { value: "view", label: "Look" },
              { value: "download", label: "Look and download", disabled: !may("study.read") },
            ]}
            aria-labelledby="share-mode"
          />
        </div>
        <HowLong request={request} onChange={change} />
        <TextInput
          label="Note"
          value={request.note ?? ""}
          maxLength={500}
          autoComplete="off"
          onChange={(event) => change({ note: event.currentTarget.value })}
        />
        {make.isError ? <ProblemNote error={make.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            Not now
          </Button>
          <Button type="submit" disabled={request.recipient.trim() === ""} loading={make.isPending}>
            Make the link
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface HowLongProps {
  readonly request: ShareRequest;
  onChange(part: Partial<ShareRequest>): void;
}

function HowLong({ request, onChange }: HowLongProps) {
  return (
    <Group grow align="flex-start">
      <NumberInput
        label="Days"
        value={request.days}
        min={1}
        max={30}
        allowDecimal={false}
        clampBehavior="strict"
        onChange={(days) => typeof days === "number" && onChange({ days })}
      />
      <Select
        label="What for"
        value={request.purpose ?? null}
        onChange={(purpose) => purpose !== null && onChange({ purpose: purpose as (typeof sharePurposes)[number] })}
        data={sharePurposes.map((value) => ({ value, label: purposeLabel(value) }))}
        allowDeselect={false}
      />
    </Group>
  );
}

interface MadeProps {
  readonly made: MadeShare;
  onCopied(what: "link" | "code"): void;
  onDone(): void;
}

function Made({ made, onCopied, onDone }: MadeProps) {
  return (
    <Stack gap="sm">
      <Text>
        For {made.recipient}, until {exactTime(made.endsAt)}. Both are shown this once.
      </Text>
      <Given title="The link" value={made.link} testId="share-link" onCopied={() => onCopied("link")} />
      <Given title="The code" value={made.code} testId="share-code" isCode onCopied={() => onCopied("code")} />
      <Text size="sm">
        Send them by two ways: the link by e-mail, say, and the code by telephone. Whoever has both sees the study.
      </Text>
      <Text size="sm" c="dimmed">
        Each use is written down, and under Shares you end it at once.
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>
          Done
        </Button>
      </Group>
    </Stack>
  );
}

interface GivenProps {
  readonly title: string;
  readonly value: string;
  readonly testId: string;
  readonly isCode?: boolean;
  onCopied(): void;
}

function Given({ title, value, testId, isCode = false, onCopied }: GivenProps) {
  return (
    <div>
      <Text size="sm" fw={500} mb={4}>
        {title}
      </Text>
      <div className={classes.given}>
        <Code block className={isCode ? (classes.code ?? "") : ""} data-testid={testId}>
          {value}
        </Code>
        <CopyButton value={value}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              aria-label={copied ? `${title} is copied` : `Copy ${title.toLowerCase()}`}
              onClick={() => {
                copy();
                onCopied();
              }}
            >
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
      </div>
    </div>
  );
}
