/** What a person is told: once, in the language of the phone, in the words of somebody who wants to help. */
export interface Notice {
  /** Of everything a reader can see: the notice is delivered anew when this changes. */
  readonly digest: string;
  readonly from: { readonly name: string; readonly address: string };
  readonly subject: string;
  /** Plain text, lines end with "\r\n", under 2 KB. */
  readonly text: string;
  /** One whole page without network images, scripts or styles from elsewhere. */
  readonly html: string;
}
