import {
  COPIED_BODY_BYTES,
  type HandlerRequest,
  type HandlerResponse,
  HeaderBlock,
  NO_HEADERS,
  NOT_SNIFFED,
  textResponse,
} from "../handlers/handler.js";
import { type ByteRange, byteRange } from "./byte-range.js";
import { CONDITION_FIELDS, evaluateConditions, ifRangeHolds } from "./conditions.js";
import type { CachedFile, FileCache, LargeFile } from "./file-cache.js";

/** The request header fields that an answer with a file depends on. */
export const FILE_FIELDS = ["accept-encoding", "range", ...CONDITION_FIELDS] as const;

const PRECONDITION_FAILED = textResponse(412, "412 Precondition Failed");

/** What a GET or HEAD of this representation is answered with: 200, 206, 304, 412 or 416. Takes the file over, and its pin with it. */
export function fileResponse(
  { method, headers }: HandlerRequest,
  found: CachedFile | LargeFile,
  cache: FileCache,
): HandlerResponse {
  const { representation } = found;
  if (headers === NO_HEADERS) return whole(found);
  const outcome = evaluateConditions(headers, representation);
  if (outcome !== "go on") {
    cache.giveBack(found);
    return outcome === "failed" ? PRECONDITION_FAILED : { status: 304, headers: representation.unchanged, body: "" };
  }
  // RFC 9110 §14.2: Range means something for GET only, and only after the preconditions.
  const field = method === "GET" ? headers["range"] : undefined;
  if (field === undefined) return whole(found);
  const ifRange = headers["if-range"];
  if (ifRange !== undefined && !ifRangeHolds(ifRange, representation)) return whole(found);
  const totalBytes = found.kind === "file" ? found.body.byteLength : found.bytes;
  const range = byteRange(field, totalBytes);
  if (range === undefined) return whole(found);
  if (range === "unsatisfiable") {
    cache.giveBack(found);
    return notSatisfiable(totalBytes);
  }
  return part(found, range, totalBytes, cache);
}

function whole(found: CachedFile | LargeFile): HandlerResponse {
  const headers = found.representation.ok;
  if (found.kind === "large") {
    const { file, bytes, handle } = found;
    return { status: 200, headers, body: { file, bytes, handle } };
  }
  const { body, pin } = found;
  // A body that is still being sent when the handler has long returned takes its pin along.
  if (pin === null || body.byteLength <= COPIED_BODY_BYTES) return { status: 200, headers, body };
  return { status: 200, headers, body, pin };
}

/** RFC 9110 §15.3.7: all fields that the 200 would have, and where the part belongs. */
function part(
  found: CachedFile | LargeFile,
  { offset, bytes }: ByteRange,
  totalBytes: number,
  cache: FileCache,
): HandlerResponse {
  const contentRange = `bytes ${offset}-${offset + bytes - 1}/${totalBytes}`;
  const headers = found.representation.ok.with("Content-Range", contentRange);
  if (found.kind === "large") {
    const { file, handle } = found;
    return { status: 206, headers, body: { file, bytes, offset, handle } };
  }
  const body = found.body.subarray(offset, offset + bytes);
  if (found.pin !== null && bytes > COPIED_BODY_BYTES) return { status: 206, headers, body, pin: found.pin };
  if (found.pin === null || found.body.byteLength <= COPIED_BODY_BYTES) return { status: 206, headers, body };
  const own = Uint8Array.from(body);
  cache.giveBack(found);
  return { status: 206, headers, body: own };
}

/** RFC 9110 §15.5.17. */
function notSatisfiable(totalBytes: number): HandlerResponse {
  return {
    status: 416,
    headers: new HeaderBlock({
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Range": `bytes */${totalBytes}`,
      ...NOT_SNIFFED,
    }),
    body: "416 Range Not Satisfiable\n",
  };
}
