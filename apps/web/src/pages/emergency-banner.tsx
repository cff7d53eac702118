import { Button } from "@mantine/core";
import { IconUrgent } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { type BrokenGlassView, duration } from "#formats/api";
import { call } from "../api/client.ts";
import { brokenGlassQuery } from "../api/oversight-queries.ts";
import { useMay } from "../api/queries.ts";
import { wordsOf } from "../shell/problem-note.tsx";
import { exactTime } from "../words/moments.ts";
import { useNow } from "../words/time.tsx";
import classes from "./emergency.module.css";

/** While one looks at somebody in an emergency: how long yet, and the way to end it. */
export function EmergencyBanner() {
  const may = useMay();
  const now = useNow();
  const queries = useQueryClient();
  const broken = useQuery({ ...brokenGlassQuery, enabled: may("glass.break") });
  const own = (broken.data ?? []).filter(({ isOwn, endsAt }) => isOwn && endsAt > now);
  const before = useRef(own.length);
  useEffect(() => {
    // What has ended is not to stay in the list until it is read again.
    if (own.length < before.current) void queries.invalidateQueries({ queryKey: ["studies"] });
    before.current = own.length;
  }, [own.length, queries]);
  const end = useMutation({
    mutationFn: ({ id }: BrokenGlassView) => call<void>("DELETE", `/api/break-glass/${id}`),
    onSettled: () => {
      void queries.invalidateQueries(brokenGlassQuery);
      void queries.invalidateQueries({ queryKey: ["studies"] });
    },
  });
  return own.map((each) => (
    <div key={each.id} className={classes.banner} role="status">
      <IconUrgent size={18} aria-hidden />
      <span>
        Emergency access to one patient, for {duration(each.endsAt - now)} yet{" "}
        <span className={classes.until} title={exactTime(each.endsAt)}>
          until {exactTime(each.endsAt).slice(11, 16)}
        </span>
        {end.isError ? ` · ${wordsOf(end.error).message}` : ""}
      </span>
      <Button size="compact-sm" variant="default" loading={end.isPending} onClick={() => end.mutate(each)}>
        End it now
      </Button>
    </div>
  ));
}
