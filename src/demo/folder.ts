/** The folders of a mailbox, numbered and typed as ActiveSync does it (MS-ASCMD, Type of FolderSync). */

export type FolderClass = "Email" | "Calendar" | "Contacts" | "Tasks" | "Notes";

export interface Folder {
  readonly id: string;
  /** "0" is the root. */
  readonly parentId: string;
  readonly name: string;
  readonly type: number;
}

export const folderTypes = {
  inbox: 2,
  drafts: 3,
  deleted: 4,
  sent: 5,
  outbox: 6,
  tasks: 7,
  calendar: 8,
  contacts: 9,
  notes: 10,
  userMail: 12,
  userCalendar: 13,
  userContacts: 14,
  userTasks: 15,
  userNotes: 17,
} as const;

/** What every mailbox is born with. The ids are the same for everybody, as they are on Exchange: an id names no mailbox. */
export const firstFolders: readonly Folder[] = [
  { id: "1", parentId: "0", name: "Calendar", type: folderTypes.calendar },
  { id: "2", parentId: "0", name: "Contacts", type: folderTypes.contacts },
  { id: "3", parentId: "0", name: "Deleted Items", type: folderTypes.deleted },
  { id: "4", parentId: "0", name: "Drafts", type: folderTypes.drafts },
  { id: "5", parentId: "0", name: "Inbox", type: folderTypes.inbox },
  { id: "6", parentId: "0", name: "Outbox", type: folderTypes.outbox },
  { id: "7", parentId: "0", name: "Sent Items", type: folderTypes.sent },
  { id: "8", parentId: "0", name: "Tasks", type: folderTypes.tasks },
  { id: "9", parentId: "5", name: "Projects", type: folderTypes.userMail },
  { id: "10", parentId: "0", name: "Notes", type: folderTypes.notes },
];

export function folderClass({ type }: Folder): FolderClass {
  if (type === folderTypes.calendar || type === folderTypes.userCalendar) return "Calendar";
  if (type === folderTypes.contacts || type === folderTypes.userContacts) return "Contacts";
  if (type === folderTypes.notes || type === folderTypes.userNotes) return "Notes";
  if (type === folderTypes.tasks || type === folderTypes.userTasks) return "Tasks";
  return "Email";
}

/** Only what a person made may be renamed or deleted by a person. */
export function isUserFolder({ type }: Folder): boolean {
  return type >= folderTypes.userMail;
}
