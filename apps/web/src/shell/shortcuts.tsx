import { Kbd, Modal, Table, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { createContext, type ReactNode, useContext, useEffect, useId, useMemo, useState } from "react";
import classes from "./shell.module.css";

export interface Shortcut {
  /** As printed on the keys: "Ctrl + K", "1 – 9". */
  readonly keys: string;
  readonly label: string;
}

interface ShortcutGroup {
  readonly title: string;
  readonly shortcuts: readonly Shortcut[];
}

interface ShortcutsSubject {
  show(): void;
  add(id: string, group: ShortcutGroup): void;
  remove(id: string): void;
}

const Shortcuts = createContext<ShortcutsSubject | undefined>(undefined);

const everywhere: ShortcutGroup = {
  title: "Everywhere",
  shortcuts: [
    { keys: "Ctrl + K", label: "Find a study, page or act" },
    { keys: "?", label: "Show these shortcuts" },
    { keys: "Esc", label: "Close what is open" },
  ],
};

/** Pages name their shortcuts; `?` shows those that work on this page. */
export function ShortcutsProvider({ children }: { readonly children: ReactNode }) {
  const [groups, setGroups] = useState<ReadonlyMap<string, ShortcutGroup>>(new Map());
  const [open, setOpen] = useState(false);
  const subject = useMemo<ShortcutsSubject>(
    () => ({
      show: () => setOpen(true),
      add: (id, group) => setGroups((before) => new Map(before).set(id, group)),
      remove: (id) => setGroups((before) => new Map([...before].filter(([each]) => each !== id))),
    }),
    [],
  );
  useHotkeys([
    ["shift+?", () => setOpen(true)],
    ["?", () => setOpen(true)],
  ]);
  return (
    <Shortcuts value={subject}>
      {children}
      <Modal opened={open} onClose={() => setOpen(false)} title="Keyboard shortcuts" size="xl">
        <div className={classes.shortcuts}>
          {[...groups.values(), everywhere].map((group) => (
            <section key={group.title}>
              <Text component="h3" fw={600} mb={6}>
                {group.title}
              </Text>
              <Table verticalSpacing={4} withRowBorders={false}>
                <Table.Tbody>
                  {group.shortcuts.map((each) => (
                    <Table.Tr key={each.keys}>
                      <Table.Td w={104} pl={0}>
                        <Kbd className={classes.keys}>{each.keys}</Kbd>
                      </Table.Td>
                      <Table.Td>{each.label}</Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </section>
          ))}
        </div>
      </Modal>
    </Shortcuts>
  );
}

/** `shortcuts` must keep its identity between renders. */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  const subject = useContext(Shortcuts);
  const id = useId();
  useEffect(() => {
    subject?.add(id, { title, shortcuts });
    return () => subject?.remove(id);
  }, [subject, id, title, shortcuts]);
}

export function useShortcutsHelp(): () => void {
  const subject = useContext(Shortcuts);
  return () => subject?.show();
}
