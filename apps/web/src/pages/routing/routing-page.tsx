import { Button, Group, Modal, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { counted, type HeldView, type RoutingRuleView, type RoutingView } from "#formats/api";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { changeWords, conditionWords, destinationWords, heldReasons } from "../../words/routing-words.ts";
import { Time } from "../../words/time.tsx";
import { Page } from "../page.tsx";
import { ActsHead, RowAct } from "../row-acts.tsx";
import rows from "../rows.module.css";
import { requestOf, routingQuery, useDeviceName, useRoutingChange } from "./routing-queries.ts";
import { RuleDialog } from "./rule-dialog.tsx";
import { TryOut } from "./try-out.tsx";

/** Where images go when they have come: rules in their order, what they have done, and what they held back. */
export function RoutingPage() {
  const may = useMay();
  const routing = useQuery(routingQuery);
  const [isAdding, setAdding] = useState(false);
  const view = routing.data;
  return (
    <Page title="Routing" about="The first rule that fits an image decides where it goes">
      {may("route.write") ? (
        <Group mb="sm">
          <Button onClick={() => setAdding(true)} disabled={view === undefined}>
            Add a rule
          </Button>
        </Group>
      ) : null}
      {view === undefined ? (
        <Unread error={routing.error} onRetry={() => void routing.refetch()} />
      ) : (
        <>
          <section className={rows.section} aria-label="Rules">
            <Rules view={view} />
          </section>
          <section className={rows.section} aria-labelledby="try">
            <Title order={2} id="try" mb={6}>
              Try it
            </Title>
            <TryOut />
          </section>
          <section className={rows.section} aria-labelledby="held">
            <Title order={2} id="held" mb={6}>
              Held back
            </Title>
            <Held view={view} />
          </section>
          <RuleDialog opened={isAdding} rule={undefined} hasCloud={view.hasCloud} onClose={() => setAdding(false)} />
        </>
      )}
    </Page>
  );
}

function Unread({ error, onRetry }: { readonly error: Error | null; onRetry(): void }) {
  if (error !== null) return <ProblemNote error={error} onRetry={onRetry} />;
  return <div className={rows.empty}>Reading the rules…</div>;
}

function Rules({ view }: { readonly view: RoutingView }) {
  const { rules, hasCloud, unmatched } = view;
  const usual = hasCloud ? "is kept here and goes to the cloud" : "is kept here, and goes nowhere else";
  if (rules.length === 0) {
    return (
      <div className={rows.empty}>
        No rule yet: every image {usual}. A rule sends images on, by who sent them, what they are and when they came.
      </div>
    );
  }
  return (
    <div className={rows.wrap}>
      <table className={rows.table} aria-label="Routing rules">
        <thead>
          <tr>
            <th>Order</th>
            <th>Name</th>
            <th>Images</th>
            <th>Go to</th>
            <th className={rows.wide}>On the way</th>
            <th className={rows.wide}>Done</th>
            <ActsHead />
          </tr>
        </thead>
        <tbody>
          {rules.map((rule, at) => (
            <RuleRow key={rule.id} rule={rule} at={at} view={view} />
          ))}
          <tr>
            <td />
            <td>Otherwise</td>
            <td className={rows.plain}>every image</td>
            <td colSpan={2}>{usual}</td>
            <td className={rows.wide}>{unmatched > 0 ? `${counted(unmatched, "image")} since the start` : ""}</td>
            <td />
          </tr>
        </tbody>
      </table>
    </div>
  );
}

interface RuleRowProps {
  readonly rule: RoutingRuleView;
  readonly at: number;
  readonly view: RoutingView;
}

function RuleRow({ rule, at, view }: RuleRowProps) {
  const { name, when, changes, counts, isPaused } = rule;
  const deviceName = useDeviceName();
  const conditions = conditionWords(when, deviceName);
  return (
    <tr>
      <td>{at + 1}</td>
      <td>
        {name}
        {isPaused ? (
          <Text span c="dimmed" size="sm">
            {" "}
            (paused)
          </Text>
        ) : null}
      </td>
      <td>{conditions.length === 0 ? "every image" : conditions.map((words) => <div key={words}>{words}</div>)}</td>
      <td>{destinationWords(rule, deviceName)}</td>
      <td className={rows.wide}>{changeWords(changes)}</td>
      <td className={rows.wide}>
        <Counts counts={counts} />
      </td>
      <td className={rows.right}>
        <RuleActs rule={rule} at={at} view={view} />
      </td>
    </tr>
  );
}

function Counts({ counts: { matched, sent, held, lastAt } }: Pick<RoutingRuleView, "counts">) {
  if (lastAt === 0) return "nothing yet";
  const heldWords = held > 0 ? `, ${held} held back` : "";
  return (
    <>
      {counted(matched, "image")}, {sent} sent on{heldWords}, <Time at={lastAt} />
    </>
  );
}

function RuleActs({ rule, at, view }: RuleRowProps) {
  const { name, isPaused, id } = rule;
  const { rules, hasCloud } = view;
  const may = useMay();
  const [asking, setAsking] = useState<"change" | "remove" | undefined>(undefined);
  const close = () => setAsking(undefined);
  const order = useRoutingChange((ids: readonly string[]) => call<RoutingView>("PUT", "/api/routing/order", { ids }));
  const pause = useRoutingChange(() =>
    call<RoutingRuleView>("PUT", `/api/routing/rules/${id}`, { ...requestOf(rule), isPaused: !isPaused }),
  );
  if (!may("route.write")) return null;
  const up = () => {
    const ids = rules.map((one) => one.id);
    order.mutate(ids.toSpliced(at, 1).toSpliced(at - 1, 0, id));
  };
  return (
    <Group gap={6} justify="flex-end" wrap="nowrap">
      {at > 0 ? (
        <RowAct onClick={up} loading={order.isPending} label={`Move ${name} up`}>
          Up
        </RowAct>
      ) : null}
      <RowAct
        onClick={() => pause.mutate(undefined)}
        loading={pause.isPending}
        label={`${isPaused ? "Resume" : "Pause"} ${name}`}
      >
        {isPaused ? "Resume" : "Pause"}
      </RowAct>
      <RowAct onClick={() => setAsking("change")} label={`Change ${name}`}>
        Change
      </RowAct>
      <RowAct onClick={() => setAsking("remove")} label={`Remove ${name}`}>
        Remove
      </RowAct>
      <RuleDialog opened={asking === "change"} rule={rule} hasCloud={hasCloud} onClose={close} />
      <RemoveRule rule={asking === "remove" ? rule : undefined} onClose={close} />
    </Group>
  );
}

function RemoveRule({ rule, onClose }: { readonly rule: RoutingRuleView | undefined; onClose(): void }) {
  const remove = useRoutingChange((id: string) => call<void>("DELETE", `/api/routing/rules/${id}`), onClose);
  return (
    <Modal opened={rule !== undefined} onClose={onClose} title={`Remove ${rule?.name ?? ""}?`}>
      <Stack gap="sm">
        <Text>Images that it fitted go by the rules below it. What it has queued is still sent.</Text>
        {remove.isError ? <ProblemNote error={remove.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => rule && remove.mutate(rule.id)} data-autofocus>
            Remove
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Held({ view: { held, rules } }: { readonly view: RoutingView }) {
  if (held.length === 0) {
    return (
      <div className={rows.empty}>
        Nothing is held back. Images that a rule must not send as they are would be listed in this place.
      </div>
    );
  }
  return (
    <div className={rows.wrap}>
      <table className={rows.table} aria-label="Held back">
        <thead>
          <tr>
            <th>Images</th>
            <th>Why</th>
            <th className={rows.wide}>Rule</th>
            <th className={rows.wide}>Were to go to</th>
            <th>When</th>
            <ActsHead />
          </tr>
        </thead>
        <tbody>
          {held.map((one) => (
            <HeldRow key={one.id} held={one} rule={rules.find(({ id }) => id === one.rule)?.name} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function HeldRow({ held, rule }: { readonly held: HeldView; readonly rule: string | undefined }) {
  const may = useMay();
  const deviceName = useDeviceName();
  const forget = useRoutingChange((id: string) => call<void>("DELETE", `/api/routing/held/${id}`));
  const count = counted(held.count, "image");
  return (
    <tr>
      <td className={rows.plain}>
        {may("study.view") ? (
          <Link to="/studies/$token" params={{ token: held.study }}>
            {count}
          </Link>
        ) : (
          count
        )}
      </td>
      <td>{heldReasons[held.reason]}</td>
      <td className={rows.wide}>{rule ?? "a rule that is gone"}</td>
      <td className={rows.wide}>{deviceName(held.to)}</td>
      <td className={rows.plain}>
        <Time at={held.at} />
      </td>
      <td className={rows.right}>
        {may("route.write") ? (
          <RowAct
            onClick={() => forget.mutate(held.id)}
            loading={forget.isPending}
            label={`Take ${count} off the list`}
          >
            Off the list
          </RowAct>
        ) : null}
      </td>
    </tr>
  );
}
