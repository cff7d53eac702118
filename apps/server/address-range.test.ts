import assert from "node:assert/strict";
import { test } from "node:test";
import { rangeOf } from "./address-range.ts";

test("addresses of one customer are one range", () => {
  const ranges: [string, string][] = [
    ["192.0.2.77", "192.0.2.0/24"],
    ["::ffff:192.0.2.1", "192.0.2.0/24"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:1:2:3::", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
  ];
  for (const [address, range] of ranges) assert.equal(rangeOf(address), range, address);
});
