import type { AuditEvent } from "./audit-message.ts";

/** Facility 10, security and authorization (PS3.15 §A.6). */
const facility = 10;
/** RFC 5424 Table 2: notice for what was done, warning for the rest. */
const severities = { done: 5, refused: 4, failed: 4 } as const;

/** Names in the header of each message (RFC 5424 §6.2). */
export interface SyslogNames {
  /** Host name or address of this machine; what is not printable US-ASCII without blanks becomes `-`. */
  readonly hostname: string;
  readonly processId: number;
}

/** The syslog message (RFC 5424) of an XML audit message, with its length in octets in front (RFC 5425 §4.3). */
export function frameOf(xml: string, event: Pick<AuditEvent, "at" | "outcome">, names: SyslogNames): Buffer {
  const priority = facility * 8 + severities[event.outcome];
  const hostname = /^[\x21-\x7e]{1,255}$/.test(names.hostname) ? names.hostname : "-";
  const time = new Date(event.at).toISOString();
  const header = `<${priority}>1 ${time} ${hostname} leadglass ${names.processId} DICOM+RFC3881 - `;
  // The byte order mark says that what follows is UTF-8 (RFC 5424 §6.4).
  const message = Buffer.from(`${header}\u{feff}${xml}`);
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}
