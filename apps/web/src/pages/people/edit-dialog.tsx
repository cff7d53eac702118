import { Button, Group, Modal, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import classes from "./people.module.css";

export interface EditDialogProps {
  readonly title: string;
  readonly opened: boolean;
  /** What would be lost by closing it now; undefined for nothing. */
  readonly loses: string | undefined;
  onClose(): void;
  /** Is given how to close it with the same question. */
  children(close: () => void): ReactNode;
}

/** A dialog that asks before it throws away what was typed, or what is shown only once. */
export function EditDialog({ title, opened, loses, onClose, children }: EditDialogProps) {
  const [isAsking, setAsking] = useState(false);
  const leave = () => {
    setAsking(false);
    onClose();
  };
  const close = () => (loses === undefined || isAsking ? leave() : setAsking(true));
  return (
    <Modal opened={opened} onClose={close} title={title} size="lg">
      {children(close)}
      {isAsking && loses !== undefined ? (
        <div role="alert" className={classes.asking}>
          <Text size="sm">{loses}</Text>
          <Group gap="xs" wrap="nowrap">
            <Button size="xs" variant="default" onClick={() => setAsking(false)} autoFocus>
              Go on here
            </Button>
            <Button size="xs" color="red" onClick={leave}>
              Close it
            </Button>
          </Group>
        </div>
      ) : null}
    </Modal>
  );
}
