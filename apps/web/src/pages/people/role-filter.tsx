import { Select } from "@mantine/core";
import { type Role, roles } from "#formats/api";
import { roleLabel } from "../../words/role-words.ts";

export interface RoleFilterProps {
  readonly role: Role | undefined;
  onRole(role: Role | undefined): void;
  readonly among?: readonly Role[];
}

export function RoleFilter({ role, onRole, among = roles }: RoleFilterProps) {
  return (
    <Select
      w={190}
      value={role ?? null}
      onChange={(value) => onRole((value ?? undefined) as Role | undefined)}
      data={among.map((value) => ({ value, label: roleLabel(value) }))}
      placeholder="Any role"
      aria-label="Role"
      clearable
      clearButtonProps={{ "aria-label": "Any role" }}
    />
  );
}
