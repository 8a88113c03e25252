import { readFileSync } from "node:fs";
import type { Fields, RequestKind } from "../../harness/load/request/kind.js";
import { placeholdersIn } from "../../harness/load/request/template.js";
import { messageOf, usageError } from "../../shared/errors.js";

/** What fills the templates of requests. Each function throws a usage error that names the file and the line. `where` names the flag. */

const MAX_ROWS = 1_000_000;
const NAME = /^[\w.-]+$/;

/** Rows of a CSV file with a header (RFC 4180), or of a file with a JSON object on each line. */
export function readFields(where: string, file: string): Fields {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    throw usageError(`${where} ${file} cannot be read: ${messageOf(error)}`);
  }
  const fields = content.trimStart().startsWith("{")
    ? jsonLines(`${where} ${file}`, content)
    : csv(`${where} ${file}`, content);
  const bad = fields.names.find((name) => !NAME.test(name));
  if (bad !== undefined)
    throw usageError(`${where} ${file}: a field's name has letters, digits, "_", "-" and ".", not "${bad}"`);
  if (fields.rows.length === 0) throw usageError(`${where} ${file} has no row: one is needed to fill a request`);
  if (fields.rows.length > MAX_ROWS) throw usageError(`${where} ${file} has more than ${MAX_ROWS} rows: use fewer`);
  return fields;
}

function jsonLines(where: string, content: string): Fields {
  let names: readonly string[] = [];
  const rows: string[][] = [];
  for (const [index, line] of content.split("\n").entries()) {
    if (line.trim() === "") continue;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch (error) {
      throw usageError(`${where}, line ${index + 1} is not JSON (${messageOf(error)}): write an object on each line`);
    }
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      throw usageError(`${where}, line ${index + 1} is no object: write one on each line`);
    }
    const values = row as Readonly<Record<string, unknown>>;
    if (rows.length === 0) names = Object.keys(values);
    const missing = names.find((name) => !Object.hasOwn(values, name));
    if (missing !== undefined)
      throw usageError(`${where}, line ${index + 1} has no "${missing}", which the first line has`);
    rows.push(names.map((name) => (typeof values[name] === "string" ? values[name] : JSON.stringify(values[name]))));
  }
  return { names, rows };
}

/** A field in quotes, "" for a quote inside, or one without; then what ends it. */
const CSV_FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

function csv(where: string, content: string): Fields {
  const records: string[][] = [];
  let record: string[] = [];
  const source = content.replace(/^\ufeff/, "");
  CSV_FIELD.lastIndex = 0;
  while (CSV_FIELD.lastIndex < source.length) {
    const found = CSV_FIELD.exec(source);
    if (found === null)
      throw usageError(
        `${where}, row ${records.length + 1} has a quote that does not belong there: double it, and quote the field`,
      );
    const [, quoted, plain = "", end] = found;
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") {
      // What ends with a comma has one more field, and it is empty.
      if (CSV_FIELD.lastIndex === source.length) record.push("");
      continue;
    }
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  if (record.length > 0) records.push(record);
  const [names = [], ...rows] = records;
  for (const [index, row] of rows.entries()) {
    if (row.length !== names.length) {
      throw usageError(`${where}, row ${index + 2} has ${row.length} fields, and the header has ${names.length}`);
    }
  }
  return { names, rows };
}

/** Every {{name}} must be a field; a value in a header field must fit on its line. */
export function checkPlaceholders(
  where: string,
  kinds: readonly RequestKind[],
  headers: readonly (readonly [string, string])[],
  fields: Fields | null,
): void {
  // Without fields braces are a text like any other.
  if (fields === null) return;
  const known = new Set(fields.names);
  for (const kind of kinds) {
    const inHeaders = [...headers, ...kind.headers].flatMap(([, value]) => placeholdersIn(value));
    const body = kind.body === null ? "" : Buffer.from(kind.body).toString("latin1");
    const unknown = [...placeholdersIn(kind.path), ...inHeaders, ...placeholdersIn(body)].find(
      (name) => !known.has(name),
    );
    if (unknown !== undefined) {
      throw usageError(`${where}: {{${unknown}}} of ${kind.name} is none of the fields ${fields.names.join(", ")}`);
    }
    for (const name of inHeaders) {
      const column = fields.names.indexOf(name);
      const row = fields.rows.findIndex((values) => !/^[\t -~\u0080-\u00ff]*$/.test(values[column] ?? ""));
      if (row !== -1) {
        throw usageError(
          `${where}: row ${row + 1} of "${name}" cannot stand in a header field: use printable characters on one line`,
        );
      }
    }
  }
}
