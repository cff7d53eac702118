import { useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight } from "@mantine/spotlight";
import { IconFileSearch, IconKeyboard, IconLayoutList, IconLogout, IconSearch, IconSunMoon } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { searchStudies } from "../api/queries.ts";
import { dicomDate, personName } from "../words/dicom-words.ts";
import { usePlaces } from "./places.ts";
import { useShortcutsHelp } from "./shortcuts.tsx";
import { useSignOut } from "./sign-out.ts";

interface Act {
  readonly id: string;
  readonly label: string;
  readonly icon: ReactNode;
  run(): void;
}

/** Ctrl+K: any study, page or act. */
export function CommandPalette() {
  const [text, setText] = useState("");
  const acts = useActs().filter((act) => act.label.toLowerCase().includes(text.trim().toLowerCase()));
  return (
    <Spotlight.Root
      query={text}
      onQueryChange={setText}
      shortcut="mod + K"
      scrollable
      maxHeight="60vh"
      clearQueryOnClose
    >
      <Spotlight.Search
        placeholder="Patient, ID, accession number, page or act"
        leftSection={<IconSearch size={18} aria-hidden />}
        aria-label="Find"
      />
      <Spotlight.ActionsList>
        <FoundStudies text={text} />
        {acts.length === 0 ? null : (
          <Spotlight.ActionsGroup label="Pages and acts">
            {acts.map((act) => (
              <Spotlight.Action key={act.id} label={act.label} leftSection={act.icon} onClick={act.run} />
            ))}
          </Spotlight.ActionsGroup>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function useActs(): readonly Act[] {
  const navigate = useNavigate();
  const places = usePlaces();
  const signOut = useSignOut();
  const showShortcuts = useShortcutsHelp();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return [
    ...places.map((place) => ({
      id: place.to,
      label: place.label,
      icon: <IconLayoutList size={18} />,
      run: () => void navigate({ to: place.to }),
    })),
    {
      id: "theme",
      label: colorScheme === "dark" ? "Use the light theme" : "Use the dark theme",
      icon: <IconSunMoon size={18} />,
      run: () => setColorScheme(colorScheme === "dark" ? "light" : "dark"),
    },
    { id: "shortcuts", label: "Keyboard shortcuts", icon: <IconKeyboard size={18} />, run: showShortcuts },
    { id: "sign-out", label: "Sign out", icon: <IconLogout size={18} />, run: () => void signOut() },
  ];
}

function FoundStudies({ text }: { readonly text: string }) {
  const navigate = useNavigate();
  const [search] = useDebouncedValue(text.trim(), 180);
  const found = useQuery({
    queryKey: ["found", search],
    queryFn: () => searchStudies({ search, limit: 8 }),
    enabled: search.length > 1,
    gcTime: 0,
  });
  const studies = search.length > 1 ? (found.data?.studies ?? []) : [];
  if (studies.length === 0) return null;
  return (
    <Spotlight.ActionsGroup label="Studies">
      {studies.map((study) => (
        <Spotlight.Action
          key={study.token}
          label={`${personName(study.patientName) || "No name"} · ${study.patientId}`}
          description={[
            dicomDate(study.studyDate),
            study.modalities.join(" "),
            study.description,
            study.accessionNumber,
          ]
            .filter((part) => part !== "")
            .join(" · ")}
          leftSection={<IconFileSearch size={18} />}
          onClick={() => void navigate({ to: "/studies/$token", params: { token: study.token } })}
        />
      ))}
    </Spotlight.ActionsGroup>
  );
}
