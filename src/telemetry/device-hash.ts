/** A device in a log: always the same word for the same device, and no way back from the word to the id. */
import { createHmac } from "node:crypto";
import type { DeviceId } from "../policy/device.ts";

export type DeviceHash = (id: DeviceId) => string;

export function createDeviceHash(secret: Uint8Array): DeviceHash {
  return (id) => createHmac("sha256", secret).update(`log ${id}`).digest("hex").slice(0, 16);
}
