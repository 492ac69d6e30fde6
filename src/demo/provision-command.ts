/** Provision (MS-ASPROV): the phone is shown a policy, says that it keeps to it, and gets a key that proves it. */
import { child, element, has } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import { answerDocument, field, type Answer, type Office, type PhoneRequest } from "./phone-request.ts";

const POLICY_TYPE = "MS-EAS-Provisioning-WBXML";

const OK = "1";
const PROTOCOL_ERROR = "2";
const NO_POLICY = "2";
const TYPE_UNKNOWN = "3";
const KEY_WRONG = "5";

export function provisionCommand(request: PhoneRequest, { provisioning, devices }: Office): Answer {
  const { device, root } = request;
  const information = root === undefined ? undefined : child(root, "Settings:DeviceInformation");
  if (information !== undefined) device.information = information;
  const known =
    information === undefined ? [] : [element("Settings:DeviceInformation", element("Settings:Status", OK))];
  if (!provisioning) return answerProvision(OK, [...known, policies(element("Provision:Status", NO_POLICY))]);

  const list = root === undefined ? undefined : child(root, "Provision:Policies");
  const policy = list === undefined ? undefined : child(list, "Provision:Policy");
  if (policy === undefined) return answerProvision(PROTOCOL_ERROR, known);
  if (field(policy, "Provision:PolicyType") !== POLICY_TYPE) {
    return answerProvision(OK, [...known, policies(element("Provision:Status", TYPE_UNKNOWN))]);
  }
  if (!has(policy, "Provision:PolicyKey")) {
    device.temporaryPolicyKey = devices.issuePolicyKey(device);
    const key = element("Provision:PolicyKey", String(device.temporaryPolicyKey));
    return answerProvision(OK, [...known, policies(element("Provision:Status", OK), key, policyData())]);
  }
  if (field(policy, "Provision:PolicyKey") !== String(device.temporaryPolicyKey)) {
    return answerProvision(OK, [...known, policies(element("Provision:Status", KEY_WRONG))]);
  }
  // 1 is "applied", 2 "partly", 4 "somebody else manages this phone"; 3 is "not", and such a phone gets no key.
  const applied = ["1", "2", "4"].includes(field(policy, "Provision:Status") ?? "");
  if (!applied) return answerProvision(OK, [...known, policies(element("Provision:Status", KEY_WRONG))]);
  device.temporaryPolicyKey = undefined;
  device.policyKey = devices.issuePolicyKey(device);
  const key = element("Provision:PolicyKey", String(device.policyKey));
  return answerProvision(OK, [...known, policies(element("Provision:Status", OK), key)]);
}

function answerProvision(status: string, parts: readonly Element[]): Answer {
  return answerDocument("Provision:Provision", element("Provision:Status", status), parts);
}

function policies(...parts: readonly Element[]): Element {
  return element(
    "Provision:Policies",
    element("Provision:Policy", element("Provision:PolicyType", POLICY_TYPE), parts),
  );
}

function policyData(): Element {
  return element(
    "Provision:Data",
    element(
      "Provision:EASProvisionDoc",
      element("Provision:DevicePasswordEnabled", "1"),
      element("Provision:AlphanumericDevicePasswordRequired", "0"),
      element("Provision:PasswordRecoveryEnabled", "0"),
      element("Provision:RequireStorageCardEncryption", "0"),
      element("Provision:AttachmentsEnabled", "1"),
      element("Provision:MinDevicePasswordLength", "6"),
      element("Provision:MaxInactivityTimeDeviceLock", "300"),
      element("Provision:MaxDevicePasswordFailedAttempts", "10"),
      element("Provision:AllowSimpleDevicePassword", "0"),
      element("Provision:AllowCamera", "1"),
      element("Provision:RequireDeviceEncryption", "1"),
      element("Provision:AllowBrowser", "1"),
    ),
  );
}

/** What a phone must hear that has not provisioned: the number of the status, or undefined where it may go on. */
export function provisioningDemand(
  command: string,
  { device, query }: PhoneRequest,
  provisioning: boolean,
): number | undefined {
  if (!provisioning || command === "Provision") return undefined;
  if (device.policyKey === undefined) return NOT_PROVISIONED;
  // A Ping carries no policy key (MS-ASPROV 3.1.5.1), so having been given one is enough.
  if (command === "Ping" || query.policyKey === device.policyKey) return undefined;
  return query.policyKey === undefined || query.policyKey === 0 ? NOT_PROVISIONED : KEY_INVALID;
}

const NOT_PROVISIONED = 142;
const KEY_INVALID = 144;
