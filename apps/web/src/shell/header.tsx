import { ActionIcon, Burger, Kbd, Menu, Tooltip, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { spotlight } from "@mantine/spotlight";
import { IconKeyboard, IconLogout, IconMoon, IconSearch, IconSun, IconSunMoon, IconUser } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { sessionQuery, waitingQuery } from "../api/queries.ts";
import { Mark } from "./mark.tsx";
import { wordsOf } from "./problem-note.tsx";
import classes from "./shell.module.css";
import { useShortcutsHelp } from "./shortcuts.tsx";
import { useSignOut } from "./sign-out.ts";

export const places = [
  { to: "/", label: "Studies" },
  { to: "/devices", label: "Devices" },
  { to: "/log", label: "Log" },
  { to: "/status", label: "Status" },
] as const;

export function Header() {
  const showShortcuts = useShortcutsHelp();
  return (
    <header className={classes.header}>
      <PhoneMenu />
      <Link to="/" className={classes.brand} aria-label="Leadglass, study list">
        <Mark />
        <span>Leadglass</span>
      </Link>
      <Places />
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

function Places() {
  const waiting = useQuery(waitingQuery);
  const count = waiting.data?.length ?? 0;
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
          {place.to === "/devices" && count > 0 ? (
            <span className={classes.count} title={`${count} waiting to be admitted`}>
              {count}
            </span>
          ) : null}
        </Link>
      ))}
    </nav>
  );
}

function PhoneMenu() {
  const navigate = useNavigate();
  return (
    <Menu position="bottom-start" width={220}>
      <Menu.Target>
        <Burger size="sm" aria-label="Pages" className={classes.narrow} />
      </Menu.Target>
      <Menu.Dropdown>
        {places.map((place) => (
          <Menu.Item key={place.to} py={12} onClick={() => void navigate({ to: place.to })}>
            {place.label}
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
          {session.data?.account.name} · {session.data?.account.role}
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
