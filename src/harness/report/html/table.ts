import type { Table, Text } from "../table.js";
import { type Html, html } from "./markup.js";

/** Figures have units of a letter or two in their column's header at most; what holds longer words is text. */
const WORD = /[a-z]{3}/i;

/** The columns, by their index, whose cells are mostly words: they are set to the left. */
function wordColumns({ header, rows }: Table): ReadonlySet<number> {
  const words = (column: number): number =>
    rows.filter((row) => typeof row[column] === "object" || WORD.test(row[column] ?? "")).length;
  return new Set(header.flatMap((_, column) => (2 * words(column) > rows.length ? [column] : [])));
}

/** A figure and its interval, which stays in one piece where there is no room for both on one line. */
const ESTIMATE = /^([^[\]]+) (\[[^[\]]+\].*)$/;

function content(text: Text): Html {
  if (typeof text === "object") return html`<code>${text.code}</code>`;
  const [, value, interval] = ESTIMATE.exec(text) ?? [];
  return value === undefined || interval === undefined ? html`${text}` : html`${value} <span>${interval}</span>`;
}

/** A table with its caption, which can be scrolled sideways, by keyboard too, where it is wider than the page. */
export function tableMarkup(caption: string, table: Table): Html {
  const { header, rows } = table;
  const words = wordColumns(table);
  const side = (column: number): Html | null => (words.has(column) ? html` class="words"` : null);
  const head = header.map((name, column) =>
    name === "" ? html`<td></td>` : html`<th scope="col"${side(column)}>${name}</th>`,
  );
  const body = rows.map(
    ([first = "", ...rest]) =>
      html`<tr><th scope="row">${content(first)}</th>${rest.map((text, index) => html`<td${side(index + 1)}>${content(text)}</td>`)}</tr>\n`,
  );
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption><span>${caption}</span></caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>
</table></div>
`;
}
