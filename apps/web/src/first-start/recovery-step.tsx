import { Button, Checkbox, Group, Text, Title } from "@mantine/core";
import { IconDownload, IconPrinter } from "@tabler/icons-react";
import { useState } from "react";
import type { RecoveryKit } from "#formats/api";
import { exactTime } from "../words/moments.ts";
import classes from "./first-start.module.css";
import { recoveryKitText } from "./recovery-kit-text.ts";

export interface RecoveryStepProps {
  readonly kit: RecoveryKit;
  /** Whose kit it is. */
  readonly name: string;
  onSaved(): void;
}

export function RecoveryStep({ kit, name, onSaved }: RecoveryStepProps) {
  const [isSaved, setSaved] = useState(false);
  const download = () => save("leadglass-recovery-kit.txt", recoveryKitText(kit, name, window.location.origin));
  return (
    <div>
      <div className="no-print">
        <Title order={1} mb={6}>
          Save the recovery kit
        </Title>
        <Text mb="md">
          {kit.rootPassphrase === undefined
            ? "It is shown this once. Without it, a lost passkey or phone locks you out. Print it, or save it where nobody else reads it."
            : "It is shown this once. Without it, a lost passkey or phone locks you out, and a lost server loses every image: the archive is sealed, and nobody else has a key. Print it, or save it to a drive that you keep in a safe."}
        </Text>
      </div>
      <section className={classes.kit} aria-label="Recovery kit">
        <Text size="sm" c="dimmed">
          Leadglass recovery kit · {name} · {exactTime(kit.madeAt)}
        </Text>
        <Title order={2} mt="sm" mb={4}>
          Recovery codes
        </Title>
        <Text size="sm" c="dimmed" mb={6}>
          Each works once, when the passkey or the phone is lost
        </Text>
        <ul className={classes.codes}>
          {kit.recoveryCodes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ul>
        {kit.rootPassphrase === undefined ? null : (
          <>
            <Title order={2} mt="md" mb={4}>
              Root passphrase
            </Title>
            <Text size="sm" c="dimmed" mb={6}>
              Opens the vault on another machine
            </Text>
            <div className={classes.passphrase}>{kit.rootPassphrase}</div>
          </>
        )}
      </section>
      <Group mt="md" gap="xs" className="no-print">
        <Button variant="default" leftSection={<IconDownload size={16} />} onClick={download}>
          Save as text
        </Button>
        <Button variant="default" leftSection={<IconPrinter size={16} />} onClick={() => window.print()}>
          Print
        </Button>
      </Group>
      <Group mt="lg" justify="space-between" className="no-print">
        <Checkbox
          checked={isSaved}
          onChange={(event) => setSaved(event.currentTarget.checked)}
          label="I have saved the recovery kit"
        />
        <Button disabled={!isSaved} onClick={onSaved}>
          Continue
        </Button>
      </Group>
    </div>
  );
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
