import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEvents } from "../api/events.tsx";
import { useMay } from "../api/queries.ts";
import { reviewLabel } from "../words/review-words.ts";

/** A look in an emergency, or something unusual, is shown to who judges it, wherever they are. */
export function Alarms() {
  const may = useMay();
  const queries = useQueryClient();
  const navigate = useNavigate();
  useEvents((event) => {
    if (event.type !== "alarm" || !may("review.read")) return;
    void queries.invalidateQueries({ queryKey: ["reviews"] });
    notifications.show({
      id: `alarm-${event.kind}`,
      color: event.kind === "break-glass" ? "red" : "amber",
      title: reviewLabel(event.kind),
      message: (
        <Button
          size="compact-sm"
          variant="default"
          mt={4}
          onClick={() => {
            notifications.hide(`alarm-${event.kind}`);
            void navigate({ to: "/reviews" });
          }}
        >
          Look at it
        </Button>
      ),
      autoClose: event.kind === "break-glass" ? false : 12_000,
    });
  });
  return null;
}
