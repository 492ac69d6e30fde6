/** Protocol versions, and what an answer must know about them. One table, so that a difference is named once. */
const protocolVersions = ["2.5", "12.0", "12.1", "14.0", "14.1", "16.0", "16.1"] as const;
export type ProtocolVersion = (typeof protocolVersions)[number];

export interface VersionFeatures {
  /** An empty body means "nothing has changed" in an answer to Sync, and "as before" in a request (MS-ASCMD 2.2.1.21). */
  readonly emptySync: boolean;
  /** `Class` stands in every Collection of an answer to Sync and GetItemEstimate. */
  readonly classInCollection: boolean;
  /** Failures are a Status of 101 and more in the document; before, they are HTTP statuses (MS-ASCMD 2.2.2). */
  readonly commonStatus: boolean;
  /** Mail is sent in a document; before, it is the body itself. */
  readonly sendMailDocument: boolean;
  /** Items carry ConversationId and ConversationIndex. */
  readonly conversations: boolean;
  /** Collections in which nothing has changed may be left out of an answer. */
  readonly leavesOutUnchanged: boolean;
}

export function featuresOf(version: ProtocolVersion): VersionFeatures {
  const rank = protocolVersions.indexOf(version);
  const from = (first: ProtocolVersion): boolean => rank >= protocolVersions.indexOf(first);
  return {
    emptySync: from("12.1"),
    classInCollection: !from("12.1"),
    commonStatus: from("14.0"),
    sendMailDocument: from("14.0"),
    conversations: from("14.0"),
    leavesOutUnchanged: from("14.0"),
  };
}

export function versionNamed(text: string): ProtocolVersion | undefined {
  return protocolVersions.find((version) => version === text);
}

/** The first byte of a base64 query (MS-ASHTTP 2.2.1.1.1.1.1): 121 for 12.1. Versions before have no such query. */
export function versionCoded(byte: number): ProtocolVersion | undefined {
  return byte < 121 ? undefined : protocolVersions.find((version) => Number(version.replace(".", "")) === byte);
}
