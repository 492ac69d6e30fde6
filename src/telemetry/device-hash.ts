/** Devices and people in a log: always the same word for the same one, and no way back from the word. */
import { createHmac } from "node:crypto";
import type { DeviceId } from "../policy/device.ts";

export type DeviceHash = (id: DeviceId) => string;

/** A person in a log, in the same way. */
export function createPersonHash(secret: Uint8Array): (account: string) => string {
  return (account) => createHmac("sha256", secret).update(`log person ${account}`).digest("hex").slice(0, 16);
}

export function createDeviceHash(secret: Uint8Array): DeviceHash {
  return (id) => createHmac("sha256", secret).update(`log ${id}`).digest("hex").slice(0, 16);
}
