import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { PeopleView } from "#formats/api";
import { accessChanged } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime, relativeTime } from "../../words/moments.ts";
import { roleList } from "../../words/role-words.ts";
import { useNow } from "../../words/time.tsx";
import { ActsHead, RowAct } from "../row-acts.tsx";
import rows from "../rows.module.css";

/** Whose one-use link still holds. */
export function Invitations({ invitations }: { readonly invitations: PeopleView["invitations"] }) {
  const may = useMay();
  const now = useNow();
  const queries = useQueryClient();
  const withdraw = useMutation({
    mutationFn: (name: string) => call<void>("DELETE", "/api/accounts", { name }),
    onSettled: () => accessChanged(queries),
  });
  const open = invitations.filter(({ endsAt }) => endsAt > now);
  if (open.length === 0)
    return <div className={rows.empty}>Nobody. Who is invited is shown here until the link is used or over.</div>;
  return (
    <div className={rows.wrap}>
      <table className={rows.table}>
        <thead>
          <tr>
            <th>Name</th>
            <th>Roles</th>
            <th>The link ends</th>
            <ActsHead />
          </tr>
        </thead>
        <tbody>
          {open.map(({ name, roles, endsAt }) => (
            <tr key={name}>
              <td>{name}</td>
              <td>{roleList(roles)}</td>
              <td className={rows.plain}>
                <time dateTime={new Date(endsAt).toISOString()} title={exactTime(endsAt)}>
                  {relativeTime(endsAt, now)}
                </time>
              </td>
              <td className={rows.right}>
                {may("account.remove") ? (
                  <RowAct
                    loading={withdraw.isPending && withdraw.variables === name}
                    onClick={() => withdraw.mutate(name)}
                    label={`Withdraw the invitation of ${name}`}
                  >
                    Withdraw
                  </RowAct>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {withdraw.isError ? <ProblemNote error={withdraw.error} /> : null}
    </div>
  );
}
