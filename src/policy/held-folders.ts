/** What becomes of the folders of a phone in quarantine that hold no mail. */

/**
 * `hold`: they stay on the phone as they are; what is entered there waits on the phone and goes up after release.
 * `allow`: they are synchronised as if there were no quarantine. `wipe`: they are emptied like mail, and come back after it.
 */
export const folderTreatments = ["hold", "allow", "wipe"] as const;
export type FolderTreatment = (typeof folderTreatments)[number];

/** The kinds of folders that an operator can tell apart. Drafts and the outbox are mail that was written, and always held. */
export interface HeldFolders {
  readonly calendar: FolderTreatment;
  readonly contacts: FolderTreatment;
  readonly tasks: FolderTreatment;
  readonly notes: FolderTreatment;
}

export const allHeld: HeldFolders = { calendar: "hold", contacts: "hold", tasks: "hold", notes: "hold" };
