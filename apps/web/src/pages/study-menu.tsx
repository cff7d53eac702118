import { Menu } from "@mantine/core";
import { IconEye, IconUserPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../api/queries.ts";
import { GiveStudyAccess } from "./people/give-study-access.tsx";

/** The study of a row, and where its menu stands. */
export interface MenuPlace {
  readonly token: string;
  readonly left: number;
  readonly top: number;
}

/** What can be done with a study of the list: by the right button, or the menu key on the row. */
export function StudyMenu({ at, onClose }: { readonly at: MenuPlace | undefined; onClose(): void }) {
  const may = useMay();
  const navigate = useNavigate();
  const [granted, setGranted] = useState<string | undefined>(undefined);
  return (
    <>
      <Menu opened={at !== undefined} onClose={onClose} position="bottom-start" width={200} returnFocus>
        <Menu.Target>
          <span style={{ position: "fixed", left: at?.left ?? 0, top: at?.top ?? 0 }} />
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconEye size={16} />}
            onClick={() => at && void navigate({ to: "/studies/$token", params: { token: at.token } })}
          >
            Open
          </Menu.Item>
          {may("grant.write") ? (
            <Menu.Item leftSection={<IconUserPlus size={16} />} onClick={() => setGranted(at?.token)}>
              Give access…
            </Menu.Item>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <GiveStudyAccess
        key={granted}
        token={granted ?? ""}
        opened={granted !== undefined}
        onClose={() => setGranted(undefined)}
      />
    </>
  );
}
