import { Button, Drawer } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Looks } from "./looks.tsx";

export interface WhoLookedProps {
  /** Token of the study; undefined while nothing is asked. */
  readonly study: string | undefined;
  onClose(): void;
}

/** Beside the study, so that it stays in sight. */
export function WhoLooked({ study, onClose }: WhoLookedProps) {
  return (
    <Drawer
      opened={study !== undefined}
      onClose={onClose}
      position="right"
      size={620}
      title="Who looked at this study"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {study === undefined ? null : (
        <>
          <Button
            variant="default"
            size="xs"
            mb="md"
            renderRoot={(props) => <Link to="/looks/$token" params={{ token: study }} {...props} />}
          >
            As a page, to print
          </Button>
          <Looks study={study} />
        </>
      )}
    </Drawer>
  );
}
