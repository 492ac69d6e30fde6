/** What may come of an id that no source knows, by what it calls itself and by what its person carries. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { decodeManaged } from "../../src/inventory/managed-document.ts";
import type { ManagedDevice } from "../../src/inventory/managed.ts";
import { bindingForStranger } from "../../src/inventory/strangers.ts";
import type { Platform } from "../../src/policy/device.ts";
import { inventoryNow } from "../support/inventory.ts";
import { deviceId } from "../support/records.ts";

function phoneOf(platform: Platform | undefined): ManagedDevice {
  const fields = new Map([
    ["heardAt", inventoryNow.toISOString()],
    ["enrolment", JSON.stringify({ enrolled: true })],
    ["parts", JSON.stringify(platform === undefined ? {} : { platform })],
  ]);
  const device = decodeManaged({ source: "jamf", sourceDeviceId: "17" }, fields, new Set());
  assert.ok(device !== undefined);
  return device;
}

const rows: readonly (readonly [deviceType: string, program: string, fits: readonly (Platform | undefined)[]])[] = [
  ["iPhone", "Apple-iPhone18C1/2301.85", ["ios", "ipados", undefined]],
  ["iPad", "Apple-iPad14C3/2301.85", ["ios", "ipados", undefined]],
  ["SamsungDevice", "Android-SAMSUNG-SM-S921B/101.14", ["android", undefined]],
  ["Android", "Android-Mail/2026", ["android", undefined]],
  ["Outlook", "Outlook-iOS-Android/1.0", ["ios", "ipados", "android", undefined]],
  ["", "", ["ios", "ipados", "android", undefined]],
];
const platforms = ["ios", "ipados", "android", "macos", "windows", "other", undefined] as const;

suite("an app that calls itself", () => {
  for (const [deviceType, program, fitting] of rows) {
    test(`"${deviceType}" "${program}" can be on ${fitting.map((each) => each ?? "a phone of an unknown kind").join(", ")}`, () => {
      const stranger = { id: deviceId("ABC"), account: "alice", deviceType, program };
      const found = platforms.filter(
        (platform) =>
          bindingForStranger(
            stranger,
            [phoneOf(platform)],
            { selfRegistration: "allow", outlookMobile: "refuse" },
            true,
          ).kind === "bind",
      );
      assert.deepEqual(found, fitting);
    });
  }
});
