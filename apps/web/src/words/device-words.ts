import type { DeviceRight, DeviceView } from "#formats/api";

/** What a machine is for, and what it may do to be that. */
export const deviceUses: readonly {
  readonly use: string;
  readonly label: string;
  readonly may: readonly DeviceRight[];
}[] = [
  { use: "sends", label: "Sends images", may: ["store", "worklist"] },
  { use: "fetches", label: "Finds and fetches images", may: ["find", "retrieve"] },
  { use: "both", label: "Sends, finds and fetches", may: ["store", "find", "retrieve", "worklist"] },
  { use: "orders", label: "Sends orders and patient data (HL7)", may: ["orders", "patients"] },
  { use: "results", label: "Takes results and order status (HL7)", may: ["results", "status"] },
  {
    use: "messages",
    label: "Sends orders, takes results and status (HL7)",
    may: ["orders", "patients", "results", "status"],
  },
];

const rightWords: Readonly<Record<DeviceRight, string>> = {
  store: "sends",
  find: "finds",
  retrieve: "fetches",
  worklist: "asks for the worklist",
  notify: "is told what has come",
  orders: "sends orders",
  patients: "says who patients are",
  results: "takes results",
  status: "is told what becomes of orders",
};

/** One of `deviceUses`; "" for what the command alone can say. Whether it is told what has come is no use of its own. */
export function deviceUse(may: readonly DeviceRight[]): string {
  const does = may.filter((right) => right !== "notify");
  const same = deviceUses.find(
    (one) => one.may.length === does.length && does.every((right) => one.may.includes(right)),
  );
  return same?.use ?? "";
}

export function saysMay(may: readonly DeviceRight[]): string {
  const use = deviceUse(may);
  if (use !== "") return deviceUses.find((one) => one.use === use)?.label ?? "";
  const text = may.map((right) => rightWords[right]).join(", ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Where it takes images or messages; "" where it takes none. */
export function saysPort({ port, tls }: Pick<DeviceView, "port" | "tls">): string {
  if (port === 0) return "";
  return tls ? `${port}, TLS` : String(port);
}
