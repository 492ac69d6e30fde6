/**
 * How each operation says that it failed. Clients read the refusal of the operation that they asked for, and take anything
 * else for a broken server; so each of them has its own shape here, as the schema of EWS (messages.xsd) has it. What is not
 * in this table is answered with a fault.
 */

export type AnswerShape =
  /** `ResponseMessages` with one message per thing asked for; one error stands for all of them. */
  | { readonly kind: "messages"; readonly message: string; readonly holds: string | undefined }
  /** The answer is the message itself. */
  | { readonly kind: "direct" }
  /** One `ResponseMessage`. */
  | { readonly kind: "single" }
  /** One `FreeBusyResponse` for each mailbox, in their order. */
  | { readonly kind: "availability" };

export interface Operation {
  /** The element in the Body of the answer. */
  readonly response: string;
  readonly shape: AnswerShape;
}

/** By the element that an error has to hold as well, because the schema demands it or Exchange always writes it. */
const withMessages: readonly (readonly [holds: string | undefined, operations: readonly string[]])[] = [
  [
    "Folders",
    [
      "GetFolder",
      "CreateFolder",
      "UpdateFolder",
      "MoveFolder",
      "CopyFolder",
      "CreateFolderPath",
      "CreateManagedFolder",
    ],
  ],
  ["Items", ["GetItem", "CreateItem", "UpdateItem", "MoveItem", "CopyItem", "ArchiveItem"]],
  ["Attachments", ["GetAttachment", "CreateAttachment"]],
  ["TimeZoneDefinitions", ["GetServerTimeZones"]],
  [
    undefined,
    [
      "FindItem",
      "DeleteItem",
      "SendItem",
      "UploadItems",
      "ExportItems",
      "MarkAllItemsAsRead",
      "FindFolder",
      "DeleteFolder",
      "EmptyFolder",
      "DeleteAttachment",
      "SyncFolderHierarchy",
      "SyncFolderItems",
      "Subscribe",
      "Unsubscribe",
      "GetEvents",
      "GetStreamingEvents",
      "ResolveNames",
      "ExpandDL",
      "ConvertId",
      "GetUserConfiguration",
      "CreateUserConfiguration",
      "UpdateUserConfiguration",
      "DeleteUserConfiguration",
      "ApplyConversationAction",
      "GetConversationItems",
      "GetClientAccessToken",
      "SearchMailboxes",
    ],
  ],
];

/** Only those in which nothing else is demanded. */
const direct = [
  "FindConversation",
  "FindPeople",
  "GetMailTips",
  "GetDelegate",
  "AddDelegate",
  "UpdateDelegate",
  "RemoveDelegate",
  "GetServiceConfiguration",
  "GetInboxRules",
  "UpdateInboxRules",
  "GetRoomLists",
  "GetRooms",
  "GetSharingMetadata",
  "GetSharingFolder",
  "RefreshSharingFolder",
] as const;

/** By the name of the element in the Body of the request, which for three of them is not that of the operation. */
const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ...withMessages.flatMap(([holds, names]) =>
    names.map((name): [string, Operation] => [
      name,
      { response: `${name}Response`, shape: { kind: "messages", message: `${name}ResponseMessage`, holds } },
    ]),
  ),
  ...direct.map((name): [string, Operation] => [name, { response: `${name}Response`, shape: { kind: "direct" } }]),
  ["GetUserOofSettingsRequest", { response: "GetUserOofSettingsResponse", shape: { kind: "single" } }],
  ["SetUserOofSettingsRequest", { response: "SetUserOofSettingsResponse", shape: { kind: "single" } }],
  ["GetUserAvailabilityRequest", { response: "GetUserAvailabilityResponse", shape: { kind: "availability" } }],
]);

export function operationOf(element: string | undefined): Operation | undefined {
  return element === undefined ? undefined : operations.get(element);
}

export function isAnsweredForEachMailbox(element: string): boolean {
  return operations.get(element)?.shape.kind === "availability";
}
