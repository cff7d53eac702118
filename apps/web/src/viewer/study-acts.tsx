import { ActionIcon, Tooltip } from "@mantine/core";
import { IconDownload, IconHistory, IconLogout, IconSend, IconShare } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useMay } from "../api/queries.ts";
import { WhoLooked } from "../pages/log/who-looked.tsx";
import { SendStudy } from "../pages/send-study.tsx";
import { useIsGuest } from "../pages/shares/guest.ts";
import { ShareStudy } from "../pages/shares/share-study.tsx";
import { useSignOut } from "../shell/sign-out.ts";

/** What can be done with the open study beside looking at it, by who may. */
export function StudyActs({ study }: { readonly study: string }) {
  const may = useMay();
  const isGuest = useIsGuest();
  const signOut = useSignOut();
  const [open, setOpen] = useState<"share" | "looks" | "send" | undefined>(undefined);
  const close = () => setOpen(undefined);
  return (
    <>
      {may("disclosure.read") ? (
        <ActButton label="Who looked" onClick={() => setOpen("looks")}>
          <IconHistory size={19} stroke={1.6} />
        </ActButton>
      ) : null}
      {may("share.make") ? (
        <ActButton label="Share" onClick={() => setOpen("share")}>
          <IconShare size={19} stroke={1.6} />
        </ActButton>
      ) : null}
      {may("study.send") ? (
        <ActButton label="Send" onClick={() => setOpen("send")}>
          <IconSend size={19} stroke={1.6} />
        </ActButton>
      ) : null}
      {isGuest && may("study.read") ? (
        <Tooltip label="Download">
          <ActionIcon
            component="a"
            href={`/api/studies/${study}/files`}
            download="study.zip"
            variant="subtle"
            color="gray"
            size={34}
            aria-label="Download"
          >
            <IconDownload size={19} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      ) : null}
      {isGuest ? (
        <ActButton label="Close the study" onClick={() => void signOut()}>
          <IconLogout size={19} stroke={1.6} />
        </ActButton>
      ) : null}
      <WhoLooked study={open === "looks" ? study : undefined} onClose={close} />
      <ShareStudy study={study} opened={open === "share"} onClose={close} />
      <SendStudy study={study} opened={open === "send"} onClose={close} />
    </>
  );
}

interface ActButtonProps {
  readonly label: string;
  onClick(): void;
  readonly children: ReactNode;
}

function ActButton({ label, onClick, children }: ActButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size={34} aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
