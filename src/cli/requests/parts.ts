import { parseStatuses, type StatusRange } from "../../harness/load/request/status.js";
import { usageError } from "../../shared/errors.js";

/** The parts of a request. Each function throws a usage error that begins with `where`: the flag, or the place in a file. */

export type HeaderField = readonly [name: string, value: string];

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Written in lower case these are a slip, not another method. */
const USUAL: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]);

export function methodOf(where: string, raw: unknown): string {
  const method = typeof raw === "string" ? raw : "";
  if (!TOKEN.test(method)) throw usageError(`${where} must be the name of a method, like POST, not "${String(raw)}"`);
  const usual = method.toUpperCase();
  if (usual === "CONNECT" || usual === "TRACE") {
    throw usageError(
      `${where} ${usual} asks for a tunnel or an echo, which is no response to measure: use another method`,
    );
  }
  return USUAL.has(usual) ? usual : method;
}

export function statusesOf(where: string, raw: unknown): readonly StatusRange[] {
  const ranges = parseStatuses(String(raw));
  if (ranges !== null) return ranges;
  throw usageError(`${where} must be statuses from 200 on, like 2xx,404 or 200-204, not "${String(raw)}"`);
}

/** A field on one line, of a name that the generator does not write itself. */
export function headerField(where: string, raw: string): HeaderField {
  const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\u0080-\u00ff]*)$/.exec(raw);
  if (match === null) throw usageError(`${where} "${raw.replace(/[\r\n]/g, "⏎")}" is not "Name: value" on one line`);
  const [, name, value] = match as unknown as readonly [string, string, string];
  if (/^(host|connection|content-length|transfer-encoding)$/i.test(name)) {
    throw usageError(`${where} ${name} is written by the generator: leave it out`);
  }
  return [name, value];
}
