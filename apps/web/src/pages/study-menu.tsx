import { Menu } from "@mantine/core";
import { IconDownload, IconEye, IconHistory, IconShare, IconUserPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../api/queries.ts";
import { WhoLooked } from "./log/who-looked.tsx";
import { GiveStudyAccess } from "./people/give-study-access.tsx";
import { ShareStudy } from "./shares/share-study.tsx";

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
  const [shared, setShared] = useState<string | undefined>(undefined);
  const [asked, setAsked] = useState<string | undefined>(undefined);
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
          {may("share.make") ? (
            <Menu.Item leftSection={<IconShare size={16} />} onClick={() => setShared(at?.token)}>
              Share…
            </Menu.Item>
          ) : null}
          {may("disclosure.read") ? (
            <Menu.Item leftSection={<IconHistory size={16} />} onClick={() => setAsked(at?.token)}>
              Who looked
            </Menu.Item>
          ) : null}
          {may("study.read") ? (
            <Menu.Item
              component="a"
              href={`/api/studies/${at?.token ?? ""}/files`}
              download="study.zip"
              leftSection={<IconDownload size={16} />}
            >
              Download
            </Menu.Item>
          ) : null}
          {may("grant.write") ? (
            <Menu.Item leftSection={<IconUserPlus size={16} />} onClick={() => setGranted(at?.token)}>
              Give access…
            </Menu.Item>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <WhoLooked study={asked} onClose={() => setAsked(undefined)} />
      <ShareStudy
        key={`share ${shared}`}
        study={shared ?? ""}
        opened={shared !== undefined}
        onClose={() => setShared(undefined)}
      />
      <GiveStudyAccess
        key={granted}
        token={granted ?? ""}
        opened={granted !== undefined}
        onClose={() => setGranted(undefined)}
      />
    </>
  );
}
