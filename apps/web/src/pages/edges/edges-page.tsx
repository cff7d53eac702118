import { Button, Group } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { counted, type EdgeView } from "#formats/api";
import { edgesQuery, useFacilityNames } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { useEvents } from "../../api/events.tsx";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import { Time } from "../../words/time.tsx";
import { severityWords } from "../health/severity-words.ts";
import { Page } from "../page.tsx";
import people from "../people/people.module.css";
import { ActsHead, RowAct } from "../row-acts.tsx";
import rows from "../rows.module.css";
import { Sure } from "../sure.tsx";
import { AddEdge, NewCode } from "./add-edge.tsx";

/** The boxes of ours in facilities: which there are, whether they still come in, and who is shut out. */
export function EdgesPage() {
  const queries = useQueryClient();
  const may = useMay();
  const edges = useQuery(edgesQuery);
  const [isAdding, setAdding] = useState(false);
  useEvents((event) => {
    if (event.type === "edge") void queries.invalidateQueries(edgesQuery);
  });
  const all = edges.data ?? [];
  const enrolled = all.filter(({ state }) => state === "enrolled").length;
  return (
    <Page
      title="Edges"
      about={all.length === 0 ? undefined : `${counted(enrolled, "machine")} in facilities may connect to this cloud`}
    >
      {may("edge.write") ? (
        <Group mb="sm">
          <Button onClick={() => setAdding(true)}>Add an edge</Button>
        </Group>
      ) : null}
      {edges.error !== null && edges.data === undefined ? (
        <ProblemNote error={edges.error} onRetry={() => void edges.refetch()} />
      ) : all.length === 0 ? (
        <div className={rows.empty}>
          {edges.isPending
            ? "Reading the list…"
            : "No edge yet. An edge is a machine in a facility that takes images from the devices there and brings them here over a connection of its own. Add one: its code is typed on the machine."}
        </div>
      ) : (
        <EdgeRows edges={all} />
      )}
      <AddEdge opened={isAdding} onClose={() => setAdding(false)} />
    </Page>
  );
}

function EdgeRows({ edges }: { readonly edges: readonly EdgeView[] }) {
  const facilities = useFacilityNames();
  return (
    <div className={rows.wrap}>
      <table className={rows.table} aria-label="Edges">
        <thead>
          <tr>
            <th>Name</th>
            <th className={rows.wide}>Facility</th>
            <th>State</th>
            <th className={rows.wide}>Certificate until</th>
            <th>How it does</th>
            <th className={rows.right}>Waiting</th>
            <th className={rows.wide}>Oldest since</th>
            <th>Last seen</th>
            <ActsHead />
          </tr>
        </thead>
        <tbody>
          {edges.map((edge) => (
            <tr key={edge.id}>
              <td>
                <Link to="/edges/$id" params={{ id: edge.id }} className={people.name}>
                  {edge.name}
                </Link>
              </td>
              <td className={rows.wide}>{facilities.get(edge.facility) ?? ""}</td>
              <td>
                <State edge={edge} />
              </td>
              <td className={`${rows.plain} ${rows.wide}`}>
                {edge.state === "enrolled" ? (
                  <span title={exactTime(edge.notAfter)}>{exactTime(edge.notAfter).slice(0, 10)}</span>
                ) : null}
              </td>
              <td className={rows.plain}>
                <Doing edge={edge} />
              </td>
              <td className={rows.right}>{edge.told?.parcels.toLocaleString("en")}</td>
              <td className={`${rows.plain} ${rows.wide}`}>
                {edge.told?.oldestAt == null ? "" : exactTime(edge.told.oldestAt).slice(0, 16)}
              </td>
              <td className={rows.plain}>{edge.lastSeenAt > 0 ? <Time at={edge.lastSeenAt} /> : "never"}</td>
              <td className={rows.right}>
                <EdgeActs edge={edge} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function State({ edge: { state, codeEndsAt, revokedAt } }: { readonly edge: EdgeView }) {
  const until = exactTime(codeEndsAt).slice(11, 16);
  const open = codeEndsAt > 0 ? `, code until ${until}` : "";
  if (state === "enrolled") return `enrolled${open}`;
  if (state === "invited") return open === "" ? "its code was not used in time" : `waits${open}`;
  return (
    <>
      <span className={rows.refused} title={exactTime(revokedAt)}>
        revoked
      </span>
      {open}
    </>
  );
}

/** The worst of what was found in what it told last, as that is now. */
function Doing({ edge: { state, told } }: { readonly edge: EdgeView }) {
  if (told === null || state !== "enrolled") return null;
  if (told.worst === null) return "well";
  return (
    <span className={told.worst === "critical" ? rows.refused : ""}>{severityWords[told.worst].toLowerCase()}</span>
  );
}

function EdgeActs({ edge }: { readonly edge: EdgeView }) {
  const may = useMay();
  const [asking, setAsking] = useState<"code" | "revoke" | "remove" | undefined>(undefined);
  const close = () => setAsking(undefined);
  const isIn = edge.state === "enrolled";
  return (
    <Group gap={6} justify="flex-end" wrap="nowrap">
      {may("edge.write") ? (
        <RowAct onClick={() => setAsking("code")} label={`New code for ${edge.name}`}>
          New code
        </RowAct>
      ) : null}
      {isIn && may("edge.revoke") ? (
        <RowAct onClick={() => setAsking("revoke")} label={`Revoke ${edge.name}`}>
          Revoke
        </RowAct>
      ) : null}
      {!isIn && may("edge.write") ? (
        <RowAct onClick={() => setAsking("remove")} label={`Remove ${edge.name}`}>
          Remove
        </RowAct>
      ) : null}
      <NewCode edge={asking === "code" ? edge : undefined} onClose={close} />
      <Sure
        opened={asking === "revoke"}
        title={`Revoke ${edge.name}?`}
        says="It is cut off at once, whatever it is sending, and its certificate is worth nothing any more. What it has not sent yet stays on it, sealed. A new code lets it in again."
        does="Revoke"
        run={() => call<EdgeView>("POST", `/api/edges/${edge.id}/revoke`)}
        changes={edgesQuery}
        onClose={close}
      />
      <Sure
        opened={asking === "remove"}
        title={`Remove ${edge.name}?`}
        says="It disappears from this list. What it has sent stays."
        does="Remove"
        run={() => call<void>("DELETE", `/api/edges/${edge.id}`)}
        changes={edgesQuery}
        onClose={close}
      />
    </Group>
  );
}
