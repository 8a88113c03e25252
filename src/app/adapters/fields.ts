import type { StreamBody } from "../../shared/handlers/handler.js";

/** What frames a message, and what concerns one connection: an application may say it, the server decides it. */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  "content-length",
  "transfer-encoding",
  "trailer",
  "connection",
  "keep-alive",
  "upgrade",
  "date",
]);

/** Whether a header field, its name in lower case, is the server's to write. */
export function isOfTheServer(name: string): boolean {
  return OF_THE_SERVER.has(name);
}

/** The number in a Content-Length; null where there is none. */
export function contentLengthOf(value: unknown): number | null {
  const text = String(value);
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** The body of the answer to a HEAD: what a GET would have said of its length, or nothing. */
export function headBody(length: number | null): StreamBody {
  const chunks = { next: async () => ({ done: true, value: undefined }) as const };
  return length === null ? { chunks } : { chunks, bytes: length };
}
