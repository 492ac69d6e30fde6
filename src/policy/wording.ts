/** An operator's own words for one campaign, in one language. Text with places for data, never markup. */

/** The languages that a notice can be written in; BCP 47. */
export const languageTags = ["en", "de", "fr", "es", "ja", "zh-Hans"] as const;
export type LanguageTag = (typeof languageTags)[number];

/** What a place in a template can stand for. A closed list: whatever else stands in braces is a fault. */
export const placeholders = ["app", "deadline", "device", "helpUrl", "minimum", "organisation", "version"] as const;
export type Placeholder = (typeof placeholders)[number];

/** Cut into pieces when it was read: what is put into a place is never read again, so it cannot become another place. */
export type Template = readonly (string | { readonly place: Placeholder })[];

/** What is left out is said in the words that come with the program. */
export interface Wording {
  /** The campaign's title in this language. */
  readonly title: string | undefined;
  readonly subject: Template | undefined;
  readonly why: Template | undefined;
  readonly steps: readonly Template[] | undefined;
  readonly after: Template | undefined;
}
