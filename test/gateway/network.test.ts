/** Whose an address is: clients are counted by it, so nobody may have as many as they like. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { networkOf } from "../../src/gateway/network.ts";

suite("an address belongs to a network", () => {
  const cases: readonly (readonly [address: string, network: string])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
    ["1:2:3:4:5:6:192.0.2.1", "1:2:3:4::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["", ""],
    ["no address", "no address"],
  ];
  for (const [address, network] of cases)
    test(`${address} to ${network}`, () => assert.equal(networkOf(address), network));
});
