import { Button, Group, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type AsideView, byteSize } from "#formats/api";
import { call } from "../../api/client.ts";
import { asidesQuery, ownReportQuery } from "../../api/health-queries.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import { ActsHead, RowAct } from "../row-acts.tsx";
import rows from "../rows.module.css";
import { Sure } from "../sure.tsx";

/** What the cloud refused for good, and why: sent again, or given up. */
export function Asides() {
  const queries = useQueryClient();
  const may = useMay();
  const asides = useQuery(asidesQuery);
  const [dropping, setDropping] = useState<AsideView | undefined>(undefined);
  const again = useMutation({
    mutationFn: (id: string | undefined) =>
      call<{ again: number }>("POST", "/api/edge/asides/again", id === undefined ? {} : { id }),
    onSettled: () => {
      void queries.invalidateQueries(asidesQuery);
      void queries.invalidateQueries(ownReportQuery);
    },
  });
  const all = asides.data ?? [];
  if (all.length === 0) return null;
  return (
    <section className={rows.section} aria-labelledby="asides">
      <Group justify="space-between" mb={6}>
        <Title order={2} id="asides">
          Refused by the cloud
        </Title>
        {may("parcel.again") && all.length > 1 ? (
          <Button size="xs" variant="default" loading={again.isPending} onClick={() => again.mutate(undefined)}>
            Send all again
          </Button>
        ) : null}
      </Group>
      {again.isError ? <ProblemNote error={again.error} /> : null}
      <div className={rows.wrap}>
        <table className={rows.table} aria-label="Refused by the cloud">
          <thead>
            <tr>
              <th>Received</th>
              <th className={rows.wide}>Refused</th>
              <th className={rows.right}>Size</th>
              <th>Why</th>
              <ActsHead />
            </tr>
          </thead>
          <tbody>
            {all.map((aside) => (
              <tr key={aside.id}>
                <td className={rows.plain}>{exactTime(aside.putAt).slice(0, 16)}</td>
                <td className={`${rows.plain} ${rows.wide}`}>{exactTime(aside.asideAt).slice(0, 16)}</td>
                <td className={rows.right}>{byteSize(aside.length)}</td>
                <td>{aside.why}</td>
                <td className={rows.right}>
                  <Group gap={6} justify="flex-end" wrap="nowrap">
                    {may("parcel.again") ? (
                      <RowAct
                        label={`Send again what came ${exactTime(aside.putAt)}`}
                        onClick={() => again.mutate(aside.id)}
                      >
                        Send again
                      </RowAct>
                    ) : null}
                    {may("parcel.drop") ? (
                      <RowAct label={`Give up what came ${exactTime(aside.putAt)}`} onClick={() => setDropping(aside)}>
                        Give up
                      </RowAct>
                    ) : null}
                  </Group>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Sure
        opened={dropping !== undefined}
        title="Give it up?"
        says="It is deleted here and will not be in the cloud. This box cannot read what it is: look first whether the machine that sent it still has it."
        does="Give up"
        run={() => call<void>("DELETE", `/api/edge/asides/${dropping?.id}`)}
        changes={asidesQuery}
        onClose={() => setDropping(undefined)}
      />
    </section>
  );
}
