import { ActionIcon, Burger, Kbd, Menu, Tooltip, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { spotlight } from "@mantine/spotlight";
import { IconKeyboard, IconLogout, IconMoon, IconSearch, IconSun, IconSunMoon, IconUser } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { useEvents } from "../api/events.tsx";
import { openReviewsQuery } from "../api/oversight-queries.ts";
import { confirmationsQuery, sessionQuery, statusQuery, useMay, waitingQuery } from "../api/queries.ts";
import { waitsForMe } from "../words/confirmation-words.ts";
import { roleList } from "../words/role-words.ts";
import { useNow } from "../words/time.tsx";
import { Mark } from "./mark.tsx";
import { type Place, placeOf, usePlaces } from "./places.ts";
import { wordsOf } from "./problem-note.tsx";
import classes from "./shell.module.css";
import { useShortcutsHelp } from "./shortcuts.tsx";
import { useSignOut } from "./sign-out.ts";

interface Count {
  readonly count: number;
  readonly title: string;
}

type Waiting = Readonly<Partial<Record<Place["to"], Count>>>;

/** What waits on each page, for those where something does. */
function useWaiting(): Waiting {
  const may = useMay();
  const queries = useQueryClient();
  const now = useNow();
  const callers = useQuery({ ...waitingQuery, enabled: may("device.read") }).data?.length ?? 0;
  const stopped = useQuery({ ...statusQuery, enabled: may("status.read") }).data?.stopped.length ?? 0;
  const acts =
    useQuery({ ...confirmationsQuery, enabled: may("confirmation.read") }).data?.filter(waitsForMe(now)).length ?? 0;
  const reviews = useQuery({ ...openReviewsQuery, enabled: may("review.read") }).data;
  const judged = reviews?.reviews.filter(({ isOwn }) => !isOwn).length ?? 0;
  useEvents((event) => {
    if (event.type === "confirmation") void queries.invalidateQueries(confirmationsQuery);
    if (event.type === "stopped") void queries.invalidateQueries(statusQuery);
    if (event.type === "waiting") void queries.invalidateQueries(waitingQuery);
  });
  return {
    ...(callers > 0 && { "/devices": { count: callers, title: `${callers} waiting to be admitted` } }),
    ...(acts > 0 && { "/confirmations": { count: acts, title: `${acts} waiting for your confirmation` } }),
    ...(judged > 0 && {
      "/reviews": {
        count: judged,
        title: `${judged}${reviews?.next === undefined ? "" : " and more"} waiting to be judged`,
      },
    }),
    ...(stopped > 0 && { "/status": { count: stopped, title: `${stopped} stopped for looking at too many patients` } }),
  };
}

/** Where one can go, and what waits there. On pages of administration a second row leads to the others. */
export function Header() {
  const isAdministration = placeOf(useLocation().pathname)?.group === "administration";
  const waiting = useWaiting();
  const places = usePlaces();
  const administration = places.filter(({ group }) => group === "administration");
  return (
    <>
      <TopRow
        waiting={waiting}
        work={places.filter(({ group }) => group === "work")}
        administration={administration}
        isAdministration={isAdministration}
      />
      {isAdministration && administration.length > 1 ? (
        <nav className={classes.second} aria-label="Administration">
          {administration.map((place) => (
            <PlaceLink key={place.to} place={place} waiting={waiting[place.to]} />
          ))}
        </nav>
      ) : null}
    </>
  );
}

interface RowProps {
  readonly waiting: Waiting;
  readonly work: readonly Place[];
  readonly administration: readonly Place[];
  readonly isAdministration: boolean;
}

function TopRow(props: RowProps) {
  const showShortcuts = useShortcutsHelp();
  return (
    <header className={classes.header}>
      <PhoneMenu {...props} />
      <Link to="/" className={classes.brand} aria-label="Leadglass">
        <Mark />
        <span>Leadglass</span>
      </Link>
      <Places {...props} />
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

function Places({ waiting, work, administration, isAdministration }: RowProps) {
  const [first] = administration;
  return (
    <nav className={classes.places} aria-label="Pages">
      {work.map((place) => (
        <PlaceLink key={place.to} place={place} waiting={waiting[place.to]} />
      ))}
      {first === undefined ? null : (
        <Link to={first.to} className={classes.place} aria-current={isAdministration ? "true" : undefined}>
          Administration
          {isAdministration ? null : <Badge of={together(administration, waiting)} />}
        </Link>
      )}
    </nav>
  );
}

function PlaceLink({ place, waiting }: { readonly place: Place; readonly waiting: Count | undefined }) {
  return (
    <Link
      to={place.to}
      className={classes.place}
      activeOptions={{ exact: place.to === "/", includeSearch: false }}
      activeProps={{ "aria-current": "page" }}
    >
      {place.label}
      <Badge of={waiting} />
    </Link>
  );
}

function together(places: readonly Place[], waiting: Waiting): Count | undefined {
  const found = places.flatMap(({ to }) => waiting[to] ?? []);
  if (found.length === 0) return undefined;
  return {
    count: found.reduce((sum, { count }) => sum + count, 0),
    title: found.map(({ title }) => title).join(", "),
  };
}

function Badge({ of }: { readonly of: Count | undefined }) {
  if (of === undefined) return null;
  return (
    <span className={classes.count} title={of.title}>
      {of.count}
    </span>
  );
}

function PhoneMenu({ waiting, work, administration }: RowProps) {
  const navigate = useNavigate();
  const item = (place: Place) => (
    <Menu.Item key={place.to} py={12} onClick={() => void navigate({ to: place.to })}>
      {place.label} <Badge of={waiting[place.to]} />
    </Menu.Item>
  );
  return (
    <Menu position="bottom-start" width={220}>
      <Menu.Target>
        <Burger size="sm" aria-label="Pages" className={classes.narrow} />
      </Menu.Target>
      <Menu.Dropdown>
        {work.map(item)}
        {administration.length === 0 ? null : <Menu.Label>Administration</Menu.Label>}
        {administration.map(item)}
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
  const navigate = useNavigate();
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
          {session.data?.account.name} · {roleList(session.data?.account.roles ?? [])}
        </Menu.Label>
        <Menu.Item leftSection={<IconUser size={16} />} onClick={() => void navigate({ to: "/account" })}>
          My account
        </Menu.Item>
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
