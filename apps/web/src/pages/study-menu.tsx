import { Menu } from "@mantine/core";
import { IconDownload, IconEye, IconHistory, IconSend, IconShare, IconUserPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../api/queries.ts";
import { WhoLooked } from "./log/who-looked.tsx";
import { GiveStudyAccess } from "./people/give-study-access.tsx";
import { SendStudy } from "./send-study.tsx";
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
  const [asked, setAsked] = useState<Asked | undefined>(undefined);
  const ask = (what: Asked["what"]) => setAsked(at && { what, token: at.token });
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
            <Menu.Item leftSection={<IconShare size={16} />} onClick={() => ask("share")}>
              Share…
            </Menu.Item>
          ) : null}
          {may("study.send") ? (
            <Menu.Item leftSection={<IconSend size={16} />} onClick={() => ask("send")}>
              Send to…
            </Menu.Item>
          ) : null}
          {may("disclosure.read") ? (
            <Menu.Item leftSection={<IconHistory size={16} />} onClick={() => ask("looks")}>
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
            <Menu.Item leftSection={<IconUserPlus size={16} />} onClick={() => ask("grant")}>
              Give access…
            </Menu.Item>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <Dialogs asked={asked} onClose={() => setAsked(undefined)} />
    </>
  );
}

/** What was chosen for a study. */
interface Asked {
  readonly what: "share" | "send" | "looks" | "grant";
  readonly token: string;
}

function Dialogs({ asked, onClose }: { readonly asked: Asked | undefined; onClose(): void }) {
  const { what, token = "" } = asked ?? {};
  const dialog = (which: Asked["what"]) => ({ opened: what === which, onClose });
  return (
    <>
      <WhoLooked study={what === "looks" ? token : undefined} onClose={onClose} />
      <ShareStudy key={`share ${token}`} study={token} {...dialog("share")} />
      <SendStudy key={`send ${token}`} study={token} {...dialog("send")} />
      <GiveStudyAccess key={`grant ${token}`} token={token} {...dialog("grant")} />
    </>
  );
}
