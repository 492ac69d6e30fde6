import assert from "node:assert/strict";
import { test } from "node:test";
import { appIdsOf, writtenAppIdsOf } from "../../src/policy/app-ids.ts";
import { aCampaign, aPolicy } from "../support/records.ts";

test("the apps that rules ask about are those of every campaign that may still hold a phone", () => {
  const banning = (id: string, app: string, mode: "enforce" | "shadow" | "paused" | "retracted") =>
    aCampaign({
      id,
      mode,
      requirements: [
        { kind: "enrolled" },
        {
          kind: "absent",
          name: app,
          versions: undefined,
          ids: new Map([
            ["ios", [app]],
            ["android", [app, "a.both"]],
          ]),
        },
      ],
    });
  const campaigns = [
    banning("1", "Com.Example.Enforced", "enforce"),
    banning("2", "com.example.shadow", "shadow"),
    banning("3", "com.example.paused", "paused"),
    banning("4", "com.example.retracted", "retracted"),
  ];
  assert.deepEqual(appIdsOf(aPolicy({ campaigns })), [
    "a.both",
    "com.example.enforced",
    "com.example.paused",
    "com.example.shadow",
  ]);
  // For those who compare with case.
  assert.deepEqual(writtenAppIdsOf(aPolicy({ campaigns })), [
    "Com.Example.Enforced",
    "a.both",
    "com.example.paused",
    "com.example.shadow",
  ]);
});
