/** The commands of ActiveSync: their codes in a base64 query (MS-ASHTTP 2.2.1.1.1.1.2) and the root of their documents. */
import type { Tag } from "./code-pages.ts";
import type { TagName } from "./tag-codes.ts";

interface CommandFacts {
  /** Undefined: has no code, so it only comes in a plain query. */
  readonly code: number | undefined;
  /** Undefined: carries no WBXML in any version. */
  readonly root: Tag | undefined;
}

const table = {
  Sync: { code: 0, root: "AirSync:Sync" },
  SendMail: { code: 1, root: "ComposeMail:SendMail" },
  SmartForward: { code: 2, root: "ComposeMail:SmartForward" },
  SmartReply: { code: 3, root: "ComposeMail:SmartReply" },
  GetAttachment: { code: 4, root: undefined },
  FolderSync: { code: 9, root: "FolderHierarchy:FolderSync" },
  FolderCreate: { code: 10, root: "FolderHierarchy:FolderCreate" },
  FolderDelete: { code: 11, root: "FolderHierarchy:FolderDelete" },
  FolderUpdate: { code: 12, root: "FolderHierarchy:FolderUpdate" },
  MoveItems: { code: 13, root: "Move:MoveItems" },
  GetItemEstimate: { code: 14, root: "GetItemEstimate:GetItemEstimate" },
  MeetingResponse: { code: 15, root: "MeetingResponse:MeetingResponse" },
  Search: { code: 16, root: "Search:Search" },
  Settings: { code: 17, root: "Settings:Settings" },
  Ping: { code: 18, root: "Ping:Ping" },
  ItemOperations: { code: 19, root: "ItemOperations:ItemOperations" },
  Provision: { code: 20, root: "Provision:Provision" },
  ResolveRecipients: { code: 21, root: "ResolveRecipients:ResolveRecipients" },
  ValidateCert: { code: 22, root: "ValidateCert:ValidateCert" },
  Find: { code: undefined, root: "Find:Find" },
} as const satisfies Record<string, CommandFacts>;

export type CommandName = keyof typeof table;

/** What a request asks for. `Unknown` covers the commands that only versions before 2.5 had, and those yet to come. */
export type Command = CommandName | "Unknown";

const byName: ReadonlyMap<string, CommandName> = new Map(names().map((name) => [name.toLowerCase(), name]));
const byCode: ReadonlyMap<number, CommandName> = new Map(
  names().flatMap((name) => {
    const { code } = table[name];
    return code === undefined ? [] : [[code, name] as const];
  }),
);

function names(): CommandName[] {
  return Object.keys(table).filter((name): name is CommandName => name in table);
}

export function commandNamed(name: string): Command {
  return byName.get(name.toLowerCase()) ?? "Unknown";
}

export function commandCoded(code: number): Command {
  return byCode.get(code) ?? "Unknown";
}

export function rootOf(command: CommandName): Tag | undefined {
  return table[command].root;
}

/** Every root that belongs to a command which is known. */
export const rootsOfCommands: ReadonlySet<TagName | undefined> = new Set<TagName | undefined>(names().map(rootOf));
