/** The commands by which a phone is asked (Apple's protocol for device management), and how their answers are known again. */
import { randomBytes } from "node:crypto";
import { writePlist } from "../../plist/write-plist.ts";
import type { PlistDictionary, PlistValue } from "../../plist/value.ts";
import type { Question } from "./asked-ids.ts";

/** `asked`: about single apps. `all`: the list of apps. `device`: what it is, and its id of ActiveSync. */
const commandKinds = ["asked", "device", "all"] as const;
export type CommandKind = (typeof commandKinds)[number];

export interface Command {
  readonly id: string;
  readonly requestType: string;
  /** The property list that goes to the phone. */
  readonly plist: string;
}

const requestTypes: Readonly<Record<CommandKind, string>> = {
  asked: "InstalledApplicationList",
  device: "DeviceInformation",
  all: "InstalledApplicationList",
};

export function requestTypeOf(kind: CommandKind): string {
  return requestTypes[kind];
}

/** Those that no right or kind of enrolment forbids are answered, the others are missing in the answer. */
const queries = [
  "EASDeviceIdentifier",
  "OSVersion",
  "SupplementalOSVersionExtra",
  "BuildVersion",
  "ModelName",
  "ProductName",
  "SerialNumber",
  "IsSupervised",
];
/** Named one by one: without, a phone works out all there are, and some take it long. */
const items = ["Identifier", "ShortVersion", "Version", "Name", "Installing"];

/**
 * In the order in which a phone is to work on them: the short question that decides about its mail comes first.
 * Without ids there is no such question: an empty list of ids would ask about all apps.
 */
export function commandsFor({ digest, identifiers }: Question, wantsWholeList: boolean): readonly Command[] {
  return [
    ...(identifiers.length === 0
      ? []
      : [command("asked", digest, ["Identifiers", identifiers], ["ManagedAppsOnly", false], ["Items", items])]),
    command("device", digest, ["Queries", queries]),
    ...(wantsWholeList ? [command("all", digest, ["ManagedAppsOnly", false], ["Items", items])] : []),
  ];
}

function command(kind: CommandKind, digest: string, ...more: readonly (readonly [string, PlistValue])[]): Command {
  const id = `postern-${kind}-${digest}-${randomBytes(12).toString("hex")}`;
  const requestType = requestTypes[kind];
  const body: PlistDictionary = new Map([["RequestType", requestType], ...more]);
  return {
    id,
    requestType,
    plist: writePlist(
      new Map<string, PlistValue>([
        ["CommandUUID", id],
        ["Command", body],
      ]),
    ),
  };
}

const idGrammar = /^postern-(?<kind>[a-z]+)-(?<digest>[0-9a-f]{16})-[0-9a-f]{24}$/;

/** Undefined: the command was somebody else's. */
export function readCommandId(id: string): { readonly kind: CommandKind; readonly digest: string } | undefined {
  const { kind: word, digest = "" } = idGrammar.exec(id)?.groups ?? {};
  const kind = commandKinds.find((each) => each === word);
  return kind === undefined ? undefined : { kind, digest };
}
