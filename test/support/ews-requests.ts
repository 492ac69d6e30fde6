/** Requests to EWS as mail programs send them: each writes its envelope, its prefixes and its white space in its own way. */
export interface EwsRequest {
  readonly operation: string;
  /** Whose it is. */
  readonly from: string;
  readonly version: string | undefined;
  readonly body: string;
}

const types = "http://schemas.microsoft.com/exchange/services/2006/types";
const messages = "http://schemas.microsoft.com/exchange/services/2006/messages";
const soap = "http://schemas.xmlsoap.org/soap/envelope/";

/** Outlook for Mac and the managed API of Exchange: everything is declared on the envelope, `m` and `t`. */
export function asOutlookForMac(version: string, content: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:m="${messages}" xmlns:t="${types}" xmlns:soap="${soap}">
  <soap:Header>
    <t:RequestServerVersion Version="${version}" />
    <t:MailboxCulture>en-US</t:MailboxCulture>
    <t:TimeZoneContext><t:TimeZoneDefinition Id="W. Europe Standard Time" /></t:TimeZoneContext>
  </soap:Header>
  <soap:Body>
    ${content}
  </soap:Body>
</soap:Envelope>`;
}

/** macOS: default namespaces, declared where they are needed, all on one line. */
function asAppleMail(version: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><S:Envelope xmlns:S="${soap}"><S:Header><RequestServerVersion xmlns="${types}" Version='${version}'></RequestServerVersion></S:Header><S:Body>${content}</S:Body></S:Envelope>`;
}

export const ewsRequests: readonly EwsRequest[] = [
  {
    operation: "GetFolder",
    from: "Outlook for Mac",
    version: "Exchange2013_SP1",
    body: asOutlookForMac(
      "Exchange2013_SP1",
      `<m:GetFolder><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id="inbox" /></m:FolderIds></m:GetFolder>`,
    ),
  },
  {
    operation: "SyncFolderHierarchy",
    from: "Outlook for Mac",
    version: "V2017_07_11",
    body: asOutlookForMac(
      "V2017_07_11",
      `<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape></m:SyncFolderHierarchy>`,
    ),
  },
  {
    operation: "SyncFolderItems",
    from: "Apple Mail",
    version: "Exchange2010_SP2",
    body: asAppleMail(
      "Exchange2010_SP2",
      `<SyncFolderItems xmlns="${messages}"><ItemShape><BaseShape xmlns="${types}">IdOnly</BaseShape></ItemShape><SyncFolderId><FolderId xmlns="${types}" Id="AAMk=" ChangeKey="AQ=="/></SyncFolderId><MaxChangesReturned>512</MaxChangesReturned></SyncFolderItems>`,
    ),
  },
  {
    operation: "FindItem",
    from: "Apple Calendar",
    version: "Exchange2007_SP1",
    body: asAppleMail(
      "Exchange2007_SP1",
      `<FindItem xmlns="${messages}" Traversal="Shallow"><ItemShape><BaseShape xmlns="${types}">IdOnly</BaseShape></ItemShape><CalendarView StartDate="2026-11-01T00:00:00Z" EndDate="2026-12-01T00:00:00Z"/><ParentFolderIds><DistinguishedFolderId xmlns="${types}" Id="calendar"/></ParentFolderIds></FindItem>`,
    ),
  },
  {
    operation: "GetItem",
    from: "Thunderbird",
    version: "Exchange2013_SP1",
    body: `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="${soap}" xmlns:t="${types}"><soap:Header><t:RequestServerVersion Version="Exchange2013_SP1"/></soap:Header><soap:Body><GetItem xmlns="${messages}"><ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:IncludeMimeContent>true</t:IncludeMimeContent></ItemShape><ItemIds><t:ItemId Id="a"/><t:ItemId Id="b"/></ItemIds></GetItem></soap:Body></soap:Envelope>`,
  },
  {
    operation: "CreateItem",
    from: "Evolution",
    version: "Exchange2010_SP1",
    body: `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="${soap}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><SOAP-ENV:Header><types:RequestServerVersion xmlns:types="${types}" Version="Exchange2010_SP1"/></SOAP-ENV:Header><SOAP-ENV:Body xmlns:messages="${messages}"><messages:CreateItem xmlns:types="${types}" MessageDisposition="SendAndSaveCopy"><messages:SavedItemFolderId><types:DistinguishedFolderId Id="sentitems"/></messages:SavedItemFolderId><messages:Items><types:Message><types:MimeContent>U3ViamVjdDogeA0KDQp5DQo=</types:MimeContent></types:Message></messages:Items></messages:CreateItem></SOAP-ENV:Body></SOAP-ENV:Envelope>`,
  },
  {
    operation: "SendItem",
    from: "Outlook for Mac",
    version: "Exchange2010",
    body: asOutlookForMac(
      "Exchange2010",
      `<m:SendItem SaveItemToFolder="true"><m:ItemIds><t:ItemId Id="AAMk&amp;" ChangeKey="CQ" /></m:ItemIds></m:SendItem>`,
    ),
  },
  {
    operation: "GetAttachment",
    from: "a script of years ago, which names no version",
    version: undefined,
    body: `<soap:Envelope xmlns:soap="${soap}"><soap:Body><GetAttachment xmlns="${messages}"><AttachmentIds><AttachmentId xmlns="${types}" Id="x"/></AttachmentIds></GetAttachment></soap:Body></soap:Envelope>`,
  },
  {
    operation: "Subscribe",
    from: "Outlook for Mac",
    version: "Exchange2016",
    body: asOutlookForMac(
      "Exchange2016",
      `<!-- all folders --><m:Subscribe><m:StreamingSubscriptionRequest SubscribeToAllFolders="true"><t:EventTypes><t:EventType>NewMailEvent</t:EventType></t:EventTypes></m:StreamingSubscriptionRequest></m:Subscribe>`,
    ),
  },
  {
    operation: "GetEvents",
    from: "a room panel",
    version: "Exchange2007",
    body: asOutlookForMac(
      "Exchange2007",
      `<m:GetEvents><m:SubscriptionId>FwBt</m:SubscriptionId><m:Watermark>AQ</m:Watermark></m:GetEvents>`,
    ),
  },
  {
    operation: "GetStreamingEvents",
    from: "Outlook for Mac",
    version: "Exchange2013",
    body: asOutlookForMac(
      "Exchange2013",
      `<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>JgBt</t:SubscriptionId></m:SubscriptionIds><m:ConnectionTimeout>29</m:ConnectionTimeout></m:GetStreamingEvents>`,
    ),
  },
  {
    operation: "FindFolder",
    from: "eM Client",
    version: "V2018_01_08",
    body: asOutlookForMac(
      "V2018_01_08",
      `<m:FindFolder Traversal="Deep"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:ParentFolderIds><t:DistinguishedFolderId Id="msgfolderroot"><t:Mailbox><t:EmailAddress>alice@corp.example</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId></m:ParentFolderIds></m:FindFolder>`,
    ),
  },
  {
    operation: "ResolveNames",
    from: "Outlook for Mac, on behalf of somebody",
    version: "Exchange2013",
    body: asOutlookForMac(
      "Exchange2013",
      `<m:ResolveNames ReturnFullContactData="true" SearchScope="ActiveDirectory"><m:UnresolvedEntry>carol</m:UnresolvedEntry></m:ResolveNames>`,
    ).replace(
      "<t:MailboxCulture>",
      "<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>ceo@corp.example</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation><t:MailboxCulture>",
    ),
  },
  {
    operation: "GetUserAvailability",
    from: "Outlook, which asks about two people",
    version: "Exchange2010",
    body: asOutlookForMac(
      "Exchange2010",
      `<m:GetUserAvailabilityRequest><t:TimeZone><Bias xmlns="${types}">-60</Bias></t:TimeZone><m:MailboxDataArray>${["bob", "carol"].map((name) => `<t:MailboxData><t:Email><t:Address>${name}@corp.example</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData>`).join("")}</m:MailboxDataArray></m:GetUserAvailabilityRequest>`,
    ),
  },
  {
    operation: "GetUserOofSettings",
    from: "Outlook",
    version: "Exchange2007_SP1",
    body: asOutlookForMac(
      "Exchange2007_SP1",
      `<m:GetUserOofSettingsRequest><t:Mailbox><t:Address>alice@corp.example</t:Address></t:Mailbox></m:GetUserOofSettingsRequest>`,
    ),
  },
  {
    operation: "GetServiceConfiguration",
    from: "Outlook",
    version: "Exchange2015",
    body: asOutlookForMac(
      "Exchange2015",
      `<m:GetServiceConfiguration><m:RequestedConfiguration><m:ConfigurationName>MailTips</m:ConfigurationName></m:RequestedConfiguration></m:GetServiceConfiguration>`,
    ),
  },
];

export function ewsRequest(operation: string): EwsRequest {
  const found = ewsRequests.find((request) => request.operation === operation);
  if (found === undefined) throw new Error(`no request for ${operation}`);
  return found;
}
