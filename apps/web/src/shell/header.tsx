import { ActionIcon, Burger, Kbd, Menu, Tooltip, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { spotlight } from "@mantine/spotlight";
import { IconKeyboard, IconLogout, IconMoon, IconSearch, IconSun, IconSunMoon, IconUser } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEvents } from "../api/events.tsx";
import { confirmationsQuery, sessionQuery, statusQuery, useMay, waitingQuery } from "../api/queries.ts";
import { waitsForMe } from "../words/confirmation-words.ts";
import { useNow } from "../words/time.tsx";
import { Mark } from "./mark.tsx";
import { wordsOf } from "./problem-note.tsx";
import classes from "./shell.module.css";
import { useShortcutsHelp } from "./shortcuts.tsx";
import { useSignOut } from "./sign-out.ts";

/** Each page with the act that it begins with. */
const places = [
  { to: "/", label: "Studies", act: "study.search" },
  { to: "/devices", label: "Devices", act: "device.read" },
  { to: "/confirmations", label: "Confirmations", act: "confirmation.read" },
  { to: "/log", label: "Log", act: "audit.read" },
  { to: "/status", label: "Status", act: "status.read" },
] as const;

/** The pages of who is signed in. */
export function usePlaces() {
  const may = useMay();
  return places.filter(({ act }) => may(act));
}

type Waiting = Readonly<Partial<Record<(typeof places)[number]["to"], { count: number; title: string }>>>;

/** What waits on each page, for those where something does. */
function useWaiting(): Waiting {
  const may = useMay();
  const queries = useQueryClient();
  const now = useNow();
  const callers = useQuery({ ...waitingQuery, enabled: may("device.read") }).data?.length ?? 0;
  const stopped = useQuery({ ...statusQuery, enabled: may("status.read") }).data?.stopped.length ?? 0;
  const acts =
    useQuery({ ...confirmationsQuery, enabled: may("confirmation.read") }).data?.filter(waitsForMe(now)).length ?? 0;
  useEvents((event) => {
    if (event.type === "confirmation") void queries.invalidateQueries(confirmationsQuery);
    if (event.type === "stopped") void queries.invalidateQueries(statusQuery);
    if (event.type === "waiting") void queries.invalidateQueries(waitingQuery);
  });
  return {
    ...(callers > 0 && { "/devices": { count: callers, title: `${callers} waiting to be admitted` } }),
    ...(acts > 0 && { "/confirmations": { count: acts, title: `${acts} waiting for your confirmation` } }),
    ...(stopped > 0 && { "/status": { count: stopped, title: `${stopped} stopped for looking at too many patients` } }),
  };
}

export function Header() {
  const showShortcuts = useShortcutsHelp();
  const waiting = useWaiting();
  return (
    <header className={classes.header}>
      <PhoneMenu waiting={waiting} />
      <Link to="/" className={classes.brand} aria-label="Leadglass, study list">
        <Mark />
        <span>Leadglass</span>
      </Link>
      <Places waiting={waiting} />
      <span className={classes.space} />
      <UnstyledButton className={classes.find} onClick={() => spotlight.open()} aria-label="Find a study, page or act">
        <IconSearch size={14} aria-hidden />
        <span className={classes.findText}>Find</span>
        <Kbd size="xs" className={classes.findText}>
          Ctrl K
        </Kbd>
      </UnstyledButton>
      <Tooltip label="Keyboard shortcuts (?)">
        <ActionIcon
          variant="subtle"
          color="gray"
          size={32}
          onClick={showShortcuts}
          aria-label="Keyboard shortcuts"
          className={classes.wide}
        >
          <IconKeyboard size={18} />
        </ActionIcon>
      </Tooltip>
      <SchemeMenu />
      <AccountMenu />
    </header>
  );
}

function Places({ waiting }: { readonly waiting: Waiting }) {
  const places = usePlaces();
  return (
    <nav className={classes.places} aria-label="Pages">
      {places.map((place) => (
        <Link
          key={place.to}
          to={place.to}
          className={classes.place}
          activeOptions={{ exact: true }}
          activeProps={{ "aria-current": "page" }}
        >
          {place.label}
          <Count of={waiting[place.to]} />
        </Link>
      ))}
    </nav>
  );
}

function Count({ of }: { readonly of: { readonly count: number; readonly title: string } | undefined }) {
  if (of === undefined) return null;
  return (
    <span className={classes.count} title={of.title}>
      {of.count}
    </span>
  );
}

function PhoneMenu({ waiting }: { readonly waiting: Waiting }) {
  const navigate = useNavigate();
  const places = usePlaces();
  return (
    <Menu position="bottom-start" width={220}>
      <Menu.Target>
        <Burger size="sm" aria-label="Pages" className={classes.narrow} />
      </Menu.Target>
      <Menu.Dropdown>
        {places.map((place) => (
          <Menu.Item key={place.to} py={12} onClick={() => void navigate({ to: place.to })}>
            {place.label} <Count of={waiting[place.to]} />
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

const schemes = [
  { value: "light", label: "Light", Icon: IconSun },
  { value: "dark", label: "Dark", Icon: IconMoon },
  { value: "auto", label: "As the system", Icon: IconSunMoon },
] as const;

function SchemeMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const current = schemes.find((scheme) => scheme.value === colorScheme) ?? schemes[2];
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label={`Theme: ${current.label}`}>
          <current.Icon size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Theme</Menu.Label>
        {schemes.map(({ value, label, Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={16} />}
            aria-current={value === colorScheme}
            fw={value === colorScheme ? 600 : 400}
            onClick={() => setColorScheme(value)}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function AccountMenu() {
  const session = useQuery(sessionQuery);
  const signOut = useSignOut();
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label={`Account: ${session.data?.account.name ?? ""}`}>
          <IconUser size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.data?.account.name} · {session.data?.account.roles.join(", ")}
        </Menu.Label>
        <Menu.Item
          leftSection={<IconLogout size={16} />}
          onClick={() =>
            void signOut().catch((error: unknown) =>
              notifications.show({ color: "red", title: "Still signed in", message: wordsOf(error).message }),
            )
          }
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
