import type { SharedCache } from "../cache/shared-cache.js";
import { type HandlerResponse, isFileBody, isStreamBody, type StreamBody } from "../handlers/handler.js";
import { closeQuietly } from "../static/disk-file.js";

/** Lets go of what a response holds that is not sent: its pin on the cache of this thread, its open file, its stream. */
export function discard({ body, pin }: HandlerResponse, cache: SharedCache): void {
  if (pin !== undefined) cache.release(pin);
  closeFileOf(body);
  if (isStreamBody(body)) endStream(body);
}

/** No more of a stream is wanted. What its end throws, nobody is there for. */
export function endStream({ chunks }: StreamBody): void {
  try {
    chunks.return?.()?.then(undefined, nothing);
  } catch {}
}

const nothing = (): void => {};

/** Closes the open file that a body brings, if it brings one. */
export function closeFileOf(body: HandlerResponse["body"]): void {
  if (isFileBody(body)) closeQuietly(body.handle);
}
