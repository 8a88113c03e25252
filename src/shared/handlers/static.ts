import { realpathSync } from "node:fs";
import { join } from "node:path";
import { type CachedFile, FileCache, type Found } from "../file-cache.js";
import type { HandlerContext } from "./context.js";
import {
  BadRequest,
  COPIED_BODY_BYTES,
  type Handler,
  type HandlerResponse,
  HeaderBlock,
  textResponse,
} from "./handler.js";

const NOT_FOUND = textResponse(404, "404 Not Found");
const INDEX = "index.html";

/** Files under the root, and the index page of a folder. Answers from memory at once, from the disk later. */
export function staticFiles({ shared, stats, cache: sharedCache, loading }: HandlerContext): Handler {
  const root = realpathSync(shared.config.root);
  const cache = new FileCache(root, sharedCache, loading, stats);
  /** A body that is still being sent when the handler has long returned takes its pin along. */
  const answer = ({ headers, body, pin }: CachedFile): HandlerResponse => {
    if (pin === null || body.byteLength <= COPIED_BODY_BYTES) return { status: 200, headers, body };
    return { status: 200, headers, body, pin };
  };
  /** Request path → file, for paths that are in the cache: a hit decodes and joins nothing. */
  const known = new Map<string, string>();

  return ({ path, query }) => {
    const knownFile = known.get(path);
    if (knownFile !== undefined) {
      const hit = cache.get(knownFile);
      if (hit !== undefined) return answer(hit);
    }
    const relative = servablePath(path);
    if (relative === undefined) return NOT_FOUND;
    const file = join(root, relative.endsWith("/") ? relative + INDEX : relative);
    // Another thread may have read it.
    const found = knownFile === file ? undefined : cache.get(file);
    if (found !== undefined) {
      remember(known, path, file);
      return answer(found);
    }
    return cache.read(file).then((found) => {
      if (found.kind === "file") remember(known, path, file);
      else known.delete(path);
      return respond(found, path, query);
    });
  };
}

/** Ways to write the paths of one site are few, but a client could try to invent more: start again rather than grow. */
const MAX_KNOWN_PATHS = 10_000;

function remember(known: Map<string, string>, path: string, file: string): void {
  if (known.size >= MAX_KNOWN_PATHS) known.clear();
  known.set(path, file);
}

function respond(found: Found, path: string, query: string): HandlerResponse {
  switch (found.kind) {
    case "file":
      return { status: 200, headers: found.headers, body: found.body };
    case "large":
      return { status: 200, headers: found.headers, body: { file: found.file, bytes: found.bytes } };
    case "folder": {
      // One leading slash only: "//host/" would send the client to another server.
      const location = `/${path.replace(/^\/+/, "")}/${query === "" ? "" : `?${query}`}`;
      const headers = new HeaderBlock({ Location: location, "Content-Type": "text/plain; charset=utf-8" });
      return { status: 301, headers, body: "301 Moved Permanently\n" };
    }
    case "nothing":
      return NOT_FOUND;
  }
}

/**
 * The decoded path, or undefined for what is never served: a folder above, a hidden file. Decodes once.
 * Throws BadRequest for what no file can be called.
 */
function servablePath(path: string): string | undefined {
  let decoded = path;
  if (path.includes("%")) {
    try {
      decoded = decodeURIComponent(path);
    } catch {
      throw new BadRequest("the path has a percent-encoding that is not valid UTF-8");
    }
  }
  if (decoded.includes("\0") || decoded.includes("\\"))
    throw new BadRequest("the path has a character that is not allowed");
  const hidden = decoded.split("/").some((segment) => segment.startsWith(".") && segment !== ".well-known");
  return hidden ? undefined : decoded;
}
