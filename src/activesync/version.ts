/** Protocol versions, and what an answer must know about them. One table, so that a difference is named once. */
export const protocolVersions = ["2.5", "12.0", "12.1", "14.0", "14.1", "16.0", "16.1"] as const;
export type ProtocolVersion = (typeof protocolVersions)[number];

export interface VersionFeatures {
  /** Bodies stand in AirSyncBase elements and messages have flags; before, in elements of Email (MS-ASEMAIL 2.2.2.10). */
  readonly airSyncBase: boolean;
  /** GetChanges has a value, and says yes where it is absent; before, it says yes by being there (MS-ASCMD 2.2.3.84). */
  readonly getChangesHasValue: boolean;
  /**
   * An empty body means "nothing has changed" in an answer to Sync, and "as before" in a request (MS-ASCMD 2.2.1.21); a Sync
   * may have a Status of its own, and a folder the Status 16.
   */
  readonly emptySync: boolean;
  /** How a Sync may say how long it waits for news: as Wait, and as HeartbeatInterval too. */
  readonly syncWait: "none" | "minutes" | "both";
  /** `Class` stands in every Collection of an answer to Sync and GetItemEstimate. */
  readonly classInCollection: boolean;
  /** Failures are a Status of 101 and more in the document; before, they are HTTP statuses (MS-ASCMD 2.2.2). */
  readonly commonStatus: boolean;
  /** Mail is sent in a document; before, it is the body itself. */
  readonly sendMailDocument: boolean;
  /** Items carry ConversationId and ConversationIndex. */
  readonly conversations: boolean;
  /** A body may come with the beginning of its text (MS-ASAIRS 2.2.2.35). */
  readonly preview: boolean;
  /** A message may be asked for as the part that its writer added (MS-ASAIRS 2.2.2.11). */
  readonly bodyPart: boolean;
  /** Collections in which nothing has changed may be left out of an answer. */
  readonly leavesOutUnchanged: boolean;
  /** The folder of drafts is synchronised in both directions. */
  readonly drafts: boolean;
}

export function featuresOf(version: ProtocolVersion): VersionFeatures {
  const rank = protocolVersions.indexOf(version);
  const from = (first: ProtocolVersion): boolean => rank >= protocolVersions.indexOf(first);
  return {
    airSyncBase: from("12.0"),
    getChangesHasValue: from("12.0"),
    emptySync: from("12.1"),
    syncWait: from("14.0") ? "both" : from("12.1") ? "minutes" : "none",
    classInCollection: !from("12.1"),
    commonStatus: from("14.0"),
    sendMailDocument: from("14.0"),
    conversations: from("14.0"),
    preview: from("14.0"),
    bodyPart: from("14.1"),
    leavesOutUnchanged: from("14.0"),
    drafts: from("16.0"),
  };
}

/** Commands that not every version has (MS-ASCMD 2.2.1); all others are in all of them. */
const lifetimes: ReadonlyMap<string, { readonly first: ProtocolVersion; readonly last: ProtocolVersion }> = new Map([
  ["ItemOperations", { first: "12.0", last: "16.1" }],
  ["Settings", { first: "12.0", last: "16.1" }],
  ["GetAttachment", { first: "2.5", last: "12.1" }],
  ["Find", { first: "16.1", last: "16.1" }],
]);

export function hasCommand(version: ProtocolVersion, command: string): boolean {
  const lifetime = lifetimes.get(command);
  if (lifetime === undefined) return true;
  const rank = protocolVersions.indexOf(version);
  return rank >= protocolVersions.indexOf(lifetime.first) && rank <= protocolVersions.indexOf(lifetime.last);
}

export function versionNamed(text: string): ProtocolVersion | undefined {
  return protocolVersions.find((version) => version === text);
}

/** The first byte of a base64 query (MS-ASHTTP 2.2.1.1.1.1.1): 121 for 12.1. Versions before have no such query. */
export function versionCoded(byte: number): ProtocolVersion | undefined {
  return byte < 121 ? undefined : protocolVersions.find((version) => Number(version.replace(".", "")) === byte);
}
