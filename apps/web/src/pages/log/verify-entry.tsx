import { Button, Code, Collapse, Group, Loader, Text, Textarea } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconHelpCircle,
  IconInfoCircle,
  IconShieldCheck,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { EntryPathView, EntryProofView, FoundEntryView } from "#formats/api";
import { call } from "../../api/client.ts";
import {
  type CheckedProof,
  type CheckedStep,
  checkEntry,
  type ShownEntry,
  sizeOfKept,
  type Trusted,
} from "../../proof/index.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import { saveFile } from "../save-file.ts";
import classes from "./log.module.css";

/** Asks for the proof, checks it here, and shows every step of it. */
export function VerifyEntry({ entry }: { readonly entry: FoundEntryView }) {
  const { index } = entry;
  const proof = useQuery({
    queryKey: ["entry-proof", index],
    queryFn: () => call<EntryProofView>("GET", `/api/audit/entries/${index}/proof`),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [trusted, setTrusted] = useState<Pick<Trusted, "keys" | "checkpoint">>({ keys: "", checkpoint: "" });
  const checked = useQuery({
    queryKey: ["checked-entry", index, proof.dataUpdatedAt, trusted],
    queryFn: async () => {
      if (proof.data === undefined) throw new Error("there is no proof");
      const pathThere = await pathIn(index, trusted.checkpoint);
      return checkEntry(proof.data, { ...trusted, pathThere }, asWritten(entry));
    },
    enabled: proof.data !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const problem = proof.error ?? checked.error;
  if (problem !== null) return <ProblemNote error={problem} onRetry={() => void proof.refetch()} />;
  if (proof.data === undefined || checked.data === undefined) return <Loader size="sm" mt="md" aria-label="Checking" />;
  return (
    <section aria-label="Proof">
      <Verdict checked={checked.data} />
      {checked.data.steps.map((step) => (
        <Step key={step.id} step={step} />
      ))}
      <Own trusted={trusted} onTrusted={setTrusted} />
      <Working proof={proof.data} checked={checked.data} />
    </section>
  );
}

/** The entry without what the server adds for people. What is kept sealed stands in it by its commitment. */
function asWritten({ index: _index, actorName: _name, ...written }: FoundEntryView): ShownEntry {
  return { ...written };
}

/** The entry's path in the very tree that the reader kept; undefined where that tree has no such entry. */
async function pathIn(index: number, checkpoint: string): Promise<readonly string[] | undefined> {
  const size = sizeOfKept(checkpoint);
  if (size === undefined || index >= size) return undefined;
  try {
    return (await call<EntryPathView>("GET", `/api/audit/entries/${index}/path?size=${size}`)).path;
  } catch {
    // A log that is shorter than what was kept cannot show it: the check says so.
    return undefined;
  }
}

const verdicts = {
  proven: { says: "Proven: this browser reckoned it from the entry's bytes to the signed root", Icon: IconShieldCheck },
  refused: {
    says: "NOT proven: this is not what was signed. Keep what you see, and tell your auditor",
    Icon: IconAlertTriangle,
  },
  undecided: { says: "The hashes hold; the signatures could not be checked here", Icon: IconHelpCircle },
} as const;

const tones = { proven: classes.holds, refused: classes.fails, undecided: classes.unknown } as const;

function Verdict({ checked: { verdict, checkpoint } }: { readonly checked: CheckedProof }) {
  const { says, Icon } = verdicts[verdict];
  return (
    <div role="status" data-verdict={verdict}>
      <div className={`${classes.verdict} ${tones[verdict]}`}>
        <Icon size={20} aria-hidden />
        {says}
      </div>
      {checkpoint === undefined || checkpoint.at === 0 ? null : (
        <Text size="sm" c="dimmed">
          The log as it was signed {exactTime(checkpoint.at)}
        </Text>
      )}
    </div>
  );
}

const icons = { holds: IconCircleCheck, fails: IconCircleX, unknown: IconHelpCircle, note: IconInfoCircle } as const;
const spoken = { holds: "Holds", fails: "Fails", unknown: "Not checked", note: "Note" } as const;

function Step({ step: { outcome, says } }: { readonly step: CheckedStep }) {
  const Icon = icons[outcome];
  return (
    <div className={classes.step}>
      <span className={classes[outcome]} role="img" aria-label={spoken[outcome]}>
        <Icon size={17} aria-hidden />
      </span>
      <span className={classes.code}>{says}</span>
    </div>
  );
}

interface OwnProps {
  readonly trusted: Pick<Trusted, "keys" | "checkpoint">;
  onTrusted(trusted: Pick<Trusted, "keys" | "checkpoint">): void;
}

/** What the reader has by another way: only that makes it a proof against this server too. */
function Own({ trusted, onTrusted }: OwnProps) {
  return (
    <div className={classes.own}>
      <Textarea
        label="Keys that you have by another way"
        description="Of the log and of witnesses, one a line"
        value={trusted.keys}
        onChange={(event) => onTrusted({ ...trusted, keys: event.currentTarget.value })}
        autosize
        minRows={3}
        maxRows={6}
        spellCheck={false}
        autoComplete="off"
      />
      <Textarea
        label="A checkpoint that you kept"
        description="All of it, with its signature"
        value={trusted.checkpoint}
        onChange={(event) => onTrusted({ ...trusted, checkpoint: event.currentTarget.value })}
        autosize
        minRows={3}
        maxRows={6}
        spellCheck={false}
        autoComplete="off"
      />
    </div>
  );
}

function Working({ proof, checked }: { readonly proof: EntryProofView; readonly checked: CheckedProof }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Group mt="sm" gap="xs">
        <Button variant="default" size="xs" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Hide the hashes" : "Show the hashes"}
        </Button>
        <Button
          variant="default"
          size="xs"
          onClick={() =>
            saveFile(`leadglass-entry-${proof.index}.json`, `${JSON.stringify(proof, null, 2)}\n`, "application/json")
          }
        >
          Save the proof
        </Button>
        <Text size="sm" c="dimmed">
          <Code>leadglass audit verify FILE</Code> proves what is saved
        </Text>
      </Group>
      <Collapse expanded={open}>
        <Text size="sm" mt="sm" mb={4}>
          The entry as it was hashed
        </Text>
        <Code block className={classes.code}>
          {proof.line}
        </Code>
        <table className={classes.hashes}>
          <tbody>
            <tr>
              <th scope="row">Leaf</th>
              <td>{checked.leaf}</td>
            </tr>
            {checked.path.map(({ side, sibling, result }) => (
              <tr key={result}>
                <th scope="row">{side === "left" ? "With its left" : "With its right"}</th>
                <td>
                  {sibling}
                  <br />= {result}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <Text size="sm" mt="sm" mb={4}>
          The signed checkpoint
        </Text>
        <Code block className={classes.code}>
          {proof.checkpoint}
        </Code>
        <Text size="sm" mt="sm" mb={4}>
          The log's key
        </Text>
        <Code block className={classes.code}>
          {proof.verifierKey}
        </Code>
      </Collapse>
    </>
  );
}
