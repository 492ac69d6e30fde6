/** Whose an address is, as far as an address says it: the unit in which clients are counted. */
import { isIP } from "node:net";

/**
 * An IPv4 address is one network. Of IPv6 everybody gets at least 64 bits to choose from (RFC 6177), so the first 64 are one.
 * Text that is no address is a network of its own.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  // A zone ("%eth0") names a link of this machine.
  const [bare = ""] = address.split("%");
  return isIP(bare) === 6 ? `${groupsOf(bare).slice(0, 4).join(":")}::/64` : address;
}

/** The eight groups of an IPv6 address without leading zeros. The last two may be written as IPv4, which changes none of the first four. */
function groupsOf(address: string): string[] {
  const [head = "", tail] = address.toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const written = before.length + after.length + (address.includes(".") ? 1 : 0);
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - written }, () => "0");
  return [...before, ...zeros, ...after].map((group) => group.replace(/^0+(?=.)/, ""));
}
