import type { SessionListing } from "#formats/api";
import { deviceName } from "../api/passkeys.ts";
import { Time } from "../words/time.tsx";
import { ActsHead, RowAct } from "./row-acts.tsx";
import rows from "./rows.module.css";

interface SessionRowsProps {
  readonly sessions: readonly SessionListing[];
  /** Whose they are, as the label of an act says; absent: one's own. */
  readonly name?: string;
  /** Absent: who looks may not end them. */
  readonly onEnd: ((session: SessionListing) => void) | undefined;
}

/** Where somebody is signed in; the session that looks is not ended here. */
export function SessionRows({ sessions, name, onEnd }: SessionRowsProps) {
  const of = name === undefined ? "" : ` of ${name}`;
  return (
    <div className={rows.wrap}>
      <table className={rows.table}>
        <thead>
          <tr>
            <th>Browser</th>
            <th>Address</th>
            <th className={rows.wide}>Since</th>
            <th>Last use</th>
            <ActsHead />
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <tr key={session.id}>
              <td title={session.userAgent}>{deviceName(session.userAgent)}</td>
              <td className={rows.mono}>{session.address}</td>
              <td className={rows.wide}>
                <Time at={session.createdAt} />
              </td>
              <td className={rows.plain}>{session.isThis ? "this one" : <Time at={session.lastSeenAt} />}</td>
              <td className={rows.right}>
                {session.isThis || onEnd === undefined ? null : (
                  <RowAct
                    label={`End the session${of} on ${deviceName(session.userAgent)}`}
                    onClick={() => onEnd(session)}
                  >
                    End
                  </RowAct>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
