import { connectorContract } from "../../contracts/connector.ts";
import type { FakeDevice } from "../../contracts/connector.ts";
import { anAppleMdmSite, apiKey, hmacKey, pathSecret } from "../../support/apple-mdm-site.ts";
import { answerOf, aSimulatedIphone, readCommand } from "../../support/simulated-iphone.ts";
import type { SimulatedIphone } from "../../support/simulated-iphone.ts";

const commandId = `postern-device-${"0".repeat(16)}-${"1".repeat(24)}`;
const askingCommand = readCommand(
  `<plist><dict><key>CommandUUID</key><string>${commandId}</string><key>RequestType</key><string>DeviceInformation</string><key>Queries</key><array><string>EASDeviceIdentifier</string><string>OSVersion</string></array></dict></plist>`,
);

function phoneOf({ id, easDeviceId, email, osVersion }: FakeDevice): SimulatedIphone {
  return aSimulatedIphone({ udid: id, easDeviceId, osVersion, urlParameters: { user: email } });
}

for (const kind of ["nanomdm", "micromdm"] as const) {
  connectorContract({
    name: kind,
    pageSize: 2,
    timeoutMs: 500,
    tells: ["easDeviceIds", "owner", "osVersion", "deviceAt"],
    has: ["refresh", "receiver"],
    // MicroMDM proves itself by the path alone, which the suite does not change.
    credential: kind === "nanomdm" ? "static" : "none",
    idOf: (number) => `00008030-${String(number).padStart(16, "0")}`,
    async start(t) {
      const devices: FakeDevice[] = [];
      const site = await anAppleMdmSite(t, { kind, settings: { ownerParameter: "user" } });
      const { fake } = site;
      return {
        devices,
        server: fake.server,
        secrets: [apiKey, hmacKey, pathSecret, "the-wrong-key"],
        connect(credential) {
          for (const device of devices) fake.knows(phoneOf(device));
          return site.connect(credential);
        },
        refreshed: (id) => fake.commandsOf(id).filter(({ requestType }) => requestType === "DeviceInformation").length,
        event(device) {
          const phone = phoneOf(device);
          const plist = answers.get(device.id) ?? "";
          const { body, headers } = fake.connectEvent(phone, commandId, "Acknowledged", plist, device.at);
          return { method: "POST", path: kind === "nanomdm" ? "" : `/${pathSecret}`, headers, body: Buffer.from(body) };
        },
      };
    },
  });
}

/** The suite speaks of its first phone only. */
const first: FakeDevice = {
  id: `00008030-${"1".padStart(16, "0")}`,
  easDeviceId: "APPL00000001",
  email: "person.1@corp.example",
  osVersion: "26.1",
  at: new Date(),
};
const answers = new Map([[first.id, (await answerOf(phoneOf(first), askingCommand)).plist]]);
