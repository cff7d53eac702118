import { Button, Code, Modal, Text } from "@mantine/core";
import { IconShieldCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useMay } from "../../api/queries.ts";
import classes from "./log.module.css";

/** How the whole of it is proven, away from this server. */
export function WholeLog({ checkpoint }: { readonly checkpoint: string | null }) {
  const [open, setOpen] = useState(false);
  const may = useMay();
  return (
    <>
      <Button variant="default" leftSection={<IconShieldCheck size={16} aria-hidden />} onClick={() => setOpen(true)}>
        Verify
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} size="xl" title="Verify the whole log">
        <Text size="sm" my={6}>
          Believe nothing of what this page shows: take the log away and prove it on another machine.
        </Text>
        <ol>
          <li>
            {may("audit.export") ? (
              <>
                Export the whole log with its proof, and unpack it into a folder; or{" "}
                <Code>leadglass audit export FOLDER</Code> on the server.
              </>
            ) : (
              <>
                An auditor exports it, or <Code>leadglass audit export FOLDER</Code> on the server.
              </>
            )}
          </li>
          <li>
            <Code>leadglass audit verify FOLDER --key FILE</Code>, with the key that you have by another way. Without
            anything of ours: <Code>python3 verify_log.py FOLDER</Code> (in <Code>tools/</Code>, its standard library
            alone).
          </li>
          <li>
            With <Code>--witness KEY</Code> it has to be signed by your own witness, and with <Code>--seen FILE</Code>{" "}
            it has to go on from a checkpoint that you kept.
          </li>
        </ol>
        {checkpoint === null ? (
          <Text c="dimmed" size="sm">
            No checkpoint has been signed yet.
          </Text>
        ) : (
          <>
            <Text size="sm" mb={6}>
              The newest signed checkpoint. Keep a copy elsewhere: no entry up to it can be changed, removed or moved
              unseen.
            </Text>
            <Code block className={classes.code}>
              {checkpoint}
            </Code>
          </>
        )}
      </Modal>
    </>
  );
}
