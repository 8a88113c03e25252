import type { HttpResponse } from "uWebSockets.js";
import type { Core } from "../../core.js";
import type { ServerRequest } from "../../shared/handlers/request.js";
import type { Route } from "../../shared/handlers/route.js";
import { Counter } from "../../shared/stats/stats.js";
import { StreamedUpload, type Upload, WholeUpload } from "../upload.js";
import type { UwsReply, UwsState } from "./reply.js";

/**
 * Hands a request to the core with its body: when that is whole, or at once where the route reads it as a stream. Call it in µWS' own
 * handler. µWS closes the connection of a client that sends less than 160 KiB in 8 to 12 s (HttpContext.h), which aborts the request.
 */
export function submitWithBody(
  res: HttpResponse,
  { core, stats }: UwsState,
  request: ServerRequest,
  { stream }: Route,
  bytes: number | null,
  reply: UwsReply,
): void {
  const upload = stream ? streamed(res, request) : whole(core, request, bytes, reply);
  reply.upload = upload;
  res.onData((chunk, isLast) => {
    stats.add(Counter.requestBodyBytes, chunk.byteLength);
    upload.push(new Uint8Array(chunk), isLast);
  });
  if (stream) core.submit(request, reply);
}

/** The body of a request without one, for a handler that reads a stream. */
export function emptyStream(): StreamedUpload {
  return StreamedUpload.empty();
}

function streamed(res: HttpResponse, request: ServerRequest): Upload {
  const upload = new StreamedUpload({ pause: () => res.pause(), resume: () => res.resume() });
  request.stream = upload;
  return upload;
}

function whole(core: Core, request: ServerRequest, bytes: number | null, reply: UwsReply): Upload {
  const submit = (): void => {
    if (!reply.aborted) core.submit(request, reply);
  };
  // What is submitted later is in memory of its own: by then the chunks are not valid any more.
  const collector = reply.closes ? null : core.collectBody(request);
  const onWhole = (body: Uint8Array): void => {
    request.body = body;
    // Still within what µWS has read: see UwsReply.
    if (reply.closes) setImmediate(submit);
    else submit();
  };
  return new WholeUpload(bytes, onWhole, collector);
}
