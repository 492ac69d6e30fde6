/** The protocol versions, and what a phone has to do differently in each of them. */

export const protocolVersions = ["2.5", "12.0", "12.1", "14.0", "14.1", "16.0", "16.1"] as const;
export type ProtocolVersion = (typeof protocolVersions)[number];

export interface Dialect {
  readonly version: ProtocolVersion;
  /** The base64 query exists from 12.1 (MS-ASHTTP 2.2.1.1.1). */
  readonly base64Query: boolean;
  /** A Collection in Sync names its Class up to 12.0. */
  readonly classInSync: boolean;
  /** A Sync without a body repeats the one before, from 12.1. */
  readonly emptySync: boolean;
  /** How a Sync says how long it may wait for news. */
  readonly syncWait: "none" | "minutes" | "seconds";
  /** Bodies in AirSyncBase elements, wished for with BodyPreference; before 12.0 in the Email page, cut by Truncation. */
  readonly airSyncBase: boolean;
  /** SendMail as a WBXML document; before 14.0 the message itself is the request. */
  readonly composeMail: boolean;
  readonly itemOperations: boolean;
  /** How the phone introduces itself. */
  readonly deviceInformation: "none" | "settings" | "provision";
  readonly policyType: "MS-WAP-Provisioning-XML" | "MS-EAS-Provisioning-WBXML";
  /** What a Collection of GetItemEstimate holds, and in which order. */
  readonly estimate: "class-and-filter" | "options";
  /** Drafts are synchronised, and events are spelled anew, from 16.0. */
  readonly sixteen: boolean;
}

export function dialectOf(version: ProtocolVersion): Dialect {
  const age = protocolVersions.indexOf(version);
  const since = (first: ProtocolVersion): boolean => age >= protocolVersions.indexOf(first);
  return {
    version,
    base64Query: since("12.1"),
    classInSync: !since("12.1"),
    emptySync: since("12.1"),
    syncWait: since("14.0") ? "seconds" : since("12.1") ? "minutes" : "none",
    airSyncBase: since("12.0"),
    composeMail: since("14.0"),
    itemOperations: since("12.0"),
    deviceInformation: since("14.1") ? "provision" : since("12.0") ? "settings" : "none",
    policyType: since("12.0") ? "MS-EAS-Provisioning-WBXML" : "MS-WAP-Provisioning-XML",
    estimate: since("14.0") ? "options" : "class-and-filter",
    sixteen: since("16.0"),
  };
}

export function isProtocolVersion(text: string): text is ProtocolVersion {
  return protocolVersions.some((version) => version === text);
}

/** The newest version that both sides speak: what every client chooses after OPTIONS. */
export function newestCommon(announced: readonly string[]): ProtocolVersion | undefined {
  return protocolVersions.findLast((version) => announced.includes(version));
}
