import { NO_FIELDS, NO_HEADERS } from "../../src/shared/handlers/handler.js";
import { type RequestHead, ServerRequest } from "../../src/shared/handlers/request.js";

/** A GET as a core is given it, but for what is said. */
export function requestOf(path: string, rest: Partial<RequestHead> = {}): ServerRequest {
  return new ServerRequest({ method: "GET", path, query: "", headers: NO_HEADERS, fields: NO_FIELDS, ...rest });
}
