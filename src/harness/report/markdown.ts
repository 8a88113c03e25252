import { oneLine } from "../../shared/terminal-text.js";
import type { Table } from "./table.js";

/** Pieces of GitHub-flavoured markdown. */

/**
 * Text from outside (paths, messages, names) as plain text: what markdown or HTML would read as markup is escaped, on one line. A tilde
 * that stands alone strikes nothing through.
 */
export function plain(text: string): string {
  return oneLine(text.replace(/\s+/g, " "))
    .replace(/[\\`*_|]|(?<=\S)~|~(?=\S)|\](?=[([])/g, "\\$&")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;");
}

/** Text from outside as a code span, fenced by more backticks than it holds (CommonMark 0.31, section 6.1). */
export function code(text: string): string {
  const line = oneLine(text.replace(/\s+/g, " "));
  const runs = line.match(/`+/g) ?? [];
  const fence = "`".repeat(1 + Math.max(0, ...runs.map((run) => run.length)));
  return runs.length === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}

/** A command from outside as a block to copy, fenced by more backticks than it holds (CommonMark 0.31, section 4.5). */
export function codeBlock(command: string): string {
  const line = oneLine(command.replace(/\s+/g, " "));
  const fence = "`".repeat(Math.max(3, ...(line.match(/`+/g) ?? []).map((run) => run.length + 1)));
  return `${fence}sh\n${line}\n${fence}`;
}

/** A relative path as the target of a link: parentheses would end it. */
export function target(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/").replaceAll("(", "%28").replaceAll(")", "%29");
}

/** A table whose first column is aligned to the left and all others to the right; padded, so that the source reads well too. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  // GFM reads a pipe as the end of a cell even within a code span.
  const cells = [header, ...rows].map((row) => row.map((cell) => cell.replace(/(?<!\\)\|/g, "\\|")));
  const widths = header.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? "").padEnd(width) : (row[column] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  const [head = [], ...body] = cells;
  return [line(head), rule, ...body.map(line)].join("\n");
}

/** A table of a report. */
export function markdownTable({ header, rows }: Table): string {
  return table(
    header.map(plain),
    rows.map((row) => row.map((text) => (typeof text === "string" ? plain(text) : code(text.code)))),
  );
}
