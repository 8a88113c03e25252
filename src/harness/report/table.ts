/** Text of a report's table, from outside or our own: whoever writes it out escapes it. `code` is set as such. */
export type Text = string | { readonly code: string };

/** A table of figures: its first column names the row. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly Text[])[];
}
