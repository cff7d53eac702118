import { Button, Group, Title } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { MessageView } from "#formats/api";
import { messagesQuery, partnersQuery } from "../../api/message-queries.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { isBad, saysState } from "../../words/message-words.ts";
import { Time } from "../../words/time.tsx";
import { Page } from "../page.tsx";
import rows from "../rows.module.css";
import { MessageDialog } from "./message-dialog.tsx";
import { MessageFilters } from "./message-filters.tsx";
import classes from "./messages.module.css";
import { isFiltered, type MessagesView, messagesQuestion } from "./messages-view.ts";
import { Partners } from "./partners.tsx";

/** HL7 messages that came and went, and the systems that they are sent to. */
export function MessagesPage() {
  const view = useSearch({ from: "/messages" });
  const navigate = useNavigate({ from: "/messages" });
  const queries = useQueryClient();
  const show = (search: MessagesView) => void navigate({ search, replace: true });
  const { message, ...filters } = view;
  const refresh = () => {
    void queries.invalidateQueries({ queryKey: ["messages"] });
    void queries.invalidateQueries(partnersQuery);
  };
  return (
    <Page title="Messages" about="HL7 messages between this archive and other systems">
      <section className={rows.section} aria-labelledby="partners">
        <Title order={2} id="partners" mb={6}>
          Systems that take messages
        </Title>
        <Partners />
      </section>
      <section className={rows.section} aria-labelledby="messages">
        <Group justify="space-between" mb={6}>
          <Title order={2} id="messages">
            Came and went
          </Title>
          <Button size="compact-sm" variant="default" onClick={refresh}>
            Look again
          </Button>
        </Group>
        <MessageFilters view={filters} onView={show} />
        <MessageList view={filters} onOpen={(id) => show({ ...filters, message: id })} />
      </section>
      <MessageDialog id={message} onClose={() => show(filters)} onOpen={(id) => show({ ...filters, message: id })} />
    </Page>
  );
}

function MessageList({ view, onOpen }: { readonly view: MessagesView; onOpen(id: string): void }) {
  const found = useInfiniteQuery(messagesQuery(messagesQuestion(view)));
  const all = found.data?.pages.flatMap(({ messages }) => messages) ?? [];
  if (found.error !== null && found.data === undefined)
    return <ProblemNote error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <div className={rows.empty}>Reading the messages…</div>;
  if (all.length === 0) {
    return (
      <div className={rows.empty}>
        {isFiltered(view)
          ? "No message matches."
          : "No message yet. What systems send and are sent in the last days is listed in this place."}
      </div>
    );
  }
  return (
    <>
      <MessageRows messages={all} onOpen={onOpen} />
      {found.hasNextPage ? (
        <Button variant="default" mt="sm" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          Show older ones
        </Button>
      ) : null}
    </>
  );
}

interface RowsProps {
  readonly messages: readonly MessageView[];
  onOpen(id: string): void;
}

function MessageRows({ messages, onOpen }: RowsProps) {
  const may = useMay();
  return (
    <div className={rows.wrap}>
      <table className={rows.table} aria-label="Messages">
        <thead>
          <tr>
            <th>When</th>
            <th>Way</th>
            <th>System</th>
            <th>Message</th>
            <th className={rows.wide}>Control ID</th>
            <th>State</th>
          </tr>
        </thead>
        <tbody>
          {messages.map((message) => (
            <tr key={message.id}>
              <td className={rows.plain}>
                <Time at={message.at} />
              </td>
              <td>{message.direction}</td>
              <td className={rows.mono}>{message.partner.ae || "no longer registered"}</td>
              <td className={rows.plain}>
                {may("message.read") ? (
                  <button type="button" className={classes.open} onClick={() => onOpen(message.id)}>
                    {message.kind}
                  </button>
                ) : (
                  message.kind
                )}
                {message.replayOf === undefined ? null : " again"}
              </td>
              <td className={`${rows.mono} ${rows.wide}`}>{message.controlId}</td>
              <td className={isBad(message) ? classes.bad : undefined}>{saysState(message)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
