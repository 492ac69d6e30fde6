import assert from "node:assert/strict";
import { test } from "node:test";
import { appIdsOf, writtenAppIdsOf } from "../../src/policy/app-ids.ts";
import { aCampaign } from "../support/records.ts";

const banning = (name: string, ids: readonly string[], mode: "enforce" | "paused" | "retracted" = "enforce") =>
  aCampaign({ mode, requirements: [{ kind: "absent", name, versions: undefined, ids: new Map([["ios", ids]]) }] });

test("apps of campaigns that are or may come into force, in small letters and as they are written", () => {
  const campaigns = [
    banning("WhatsApp", ["net.whatsapp.WhatsApp", "com.b"]),
    banning("Paused", ["com.A", "com.b"], "paused"),
    banning("Taken back", ["com.gone"], "retracted"),
    aCampaign({ requirements: [] }),
  ];
  assert.deepEqual(appIdsOf({ campaigns }), ["com.a", "com.b", "net.whatsapp.whatsapp"]);
  assert.deepEqual(writtenAppIdsOf({ campaigns }), ["com.A", "com.b", "net.whatsapp.WhatsApp"]);
});
