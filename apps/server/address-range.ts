import { isIPv4 } from "node:net";

/** The range that one customer of a provider has at least: /24 of IPv4, /64 of IPv6. Who has one address has its neighbours. */
export function rangeOf(address: string): string {
  const four = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (isIPv4(four)) return `${four.split(".").slice(0, 3).join(".")}.0/24`;
  const [bare = ""] = address.split("%");
  const [head = "", tail] = bare.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  if (tail !== undefined) while (groups.length + after.length < 8) groups.push("0");
  const all = [...groups, ...after].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${all.join(":")}::/64`;
}
