import { Button, Checkbox, Select, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { counted, type GrantView } from "#formats/api";
import { grantsQuery, useFacilities } from "../../api/access-queries.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { useShortcuts } from "../../shell/shortcuts.tsx";
import { placeKindLabel } from "../../words/role-words.ts";
import { Page } from "../page.tsx";
import rows from "../rows.module.css";
import { type GrantsFilter, grantsFilter } from "./access-views.ts";
import { FindBox, isFound } from "./find-box.tsx";
import { GiveGrant } from "./give-grant.tsx";
import { GrantRows } from "./grant-rows.tsx";
import classes from "./people.module.css";
import { RoleFilter } from "./role-filter.tsx";

const shortcuts = [
  { keys: "/", label: "Search by name" },
  { keys: "N", label: "Give a grant" },
];

/** Every grant there is, the newest first. */
export function GrantsPage() {
  const filter = useSearch({ from: "/grants", select: grantsFilter });
  const navigate = useNavigate({ from: "/grants" });
  const may = useMay();
  const [text, setText] = useState("");
  const [isGiving, setGiving] = useState(false);
  const grants = useQuery(grantsQuery(filter.ended === true));
  useHotkeys([["n", () => setGiving(may("grant.write"))]]);
  useShortcuts("Grants", shortcuts);
  const found = useMemo(() => (grants.data ?? []).filter(isShown(filter, text)), [grants.data, filter, text]);
  const show = (next: { [Key in keyof GrantsFilter]: unknown }) =>
    void navigate({ search: grantsFilter(next), replace: true });
  return (
    <Page title="Grants" about={grants.data && counted(found.length, "grant")}>
      <search className={classes.filters}>
        <FindBox text={text} onText={setText} label="Search grants by name" />
        <RoleFilter role={filter.role} onRole={(role) => show({ ...filter, role })} />
        <PlaceFilter place={filter.place} onPlace={(place) => show({ ...filter, place })} />
        <Checkbox
          classNames={{ label: classes.tall ?? "" }}
          label="Ended ones too"
          checked={filter.ended === true}
          onChange={(event) => show({ ...filter, ended: event.currentTarget.checked })}
        />
        {filter.who === undefined ? null : (
          <Button
            variant="default"
            size="compact-md"
            rightSection={<IconX size={14} aria-hidden />}
            onClick={() => show({ ...filter, who: undefined })}
            title="Show those of everybody"
          >
            {grants.data?.find(({ holder }) => holder === filter.who)?.holderName ?? "one person"}
          </Button>
        )}
        {may("grant.write") ? (
          <Button className={classes.push} onClick={() => setGiving(true)}>
            Give a grant
          </Button>
        ) : null}
      </search>
      {grants.error !== null && grants.data === undefined ? (
        <ProblemNote error={grants.error} onRetry={() => void grants.refetch()} />
      ) : grants.data === undefined ? (
        <div className={rows.empty}>Reading the grants…</div>
      ) : found.length === 0 ? (
        <div className={rows.empty}>
          <Text mb="xs">No grant matches.</Text>
          <Button
            variant="default"
            onClick={() => {
              setText("");
              show({});
            }}
          >
            Show all that hold
          </Button>
        </div>
      ) : (
        <GrantRows grants={found} withHolder label="Grants" />
      )}
      <GiveGrant opened={isGiving} onClose={() => setGiving(false)} />
    </Page>
  );
}

function isShown({ role, place, who }: GrantsFilter, text: string) {
  return (grant: GrantView): boolean => {
    const lies =
      place === undefined ||
      grant.place.kind === place ||
      (grant.place.kind === "facility" && grant.place.id === place);
    return (
      lies &&
      (role === undefined || grant.role === role) &&
      (who === undefined || grant.holder === who) &&
      isFound(grant.holderName, text)
    );
  };
}

function PlaceFilter({ place, onPlace }: { readonly place: string | undefined; onPlace(place: string | null): void }) {
  const facilities = useFacilities();
  const kinds = ["tenant", "facility", "patient", "study", "order"] as const;
  const data = [
    ...kinds.map((kind) => ({ value: kind as string, label: placeKindLabel(kind) })),
    ...facilities.map(({ id, name }) => ({ value: id, label: name })),
  ];
  return (
    <Select
      w={170}
      value={place ?? null}
      onChange={onPlace}
      data={data}
      placeholder="Any place"
      aria-label="Place"
      clearable
      clearButtonProps={{ "aria-label": "Any place" }}
    />
  );
}
