import { join } from "node:path";
import type { HandlerContext } from "../handlers/context.js";
import {
  BadRequest,
  type Handler,
  type HandlerRequest,
  type HandlerResponse,
  NO_HEADERS,
  PLAIN_TEXT,
  textResponse,
} from "../handlers/handler.js";
import { Counter } from "../stats/stats.js";
import { preferredCoding } from "./codings.js";
import { keyOf } from "./disk-file.js";
import { errorPage } from "./error-page.js";
import { type CachedFile, FileCache, type Found, type LargeFile } from "./file-cache.js";
import { FILE_FIELDS, fileResponse } from "./file-response.js";
import { SiteRoot } from "./site-root.js";

const INDEX = "index.html";

const TOO_MANY_OPEN: HandlerResponse = {
  status: 503,
  headers: PLAIN_TEXT.with("Retry-After", "1"),
  body: "503 Service Unavailable: too many open files\n",
};

type Answer = HandlerResponse | Promise<HandlerResponse>;

/**
 * Files under the root, and the index page of a folder: GET and HEAD as RFC 9110 has them, with preconditions, ranges, and the codings
 * that lie beside a file. Answers from memory at once, from the disk later.
 */
export function staticFiles({ shared, stats, cache: sharedCache, loading }: HandlerContext): Handler {
  const { config } = shared;
  const root = new SiteRoot(config.root);
  const cache = new FileCache(root, config.files, sharedCache, loading, stats);
  const notFoundPage = errorPage(textResponse(404, "404 Not Found"), root, config.files);
  const notFound = async (): Promise<HandlerResponse> => (await notFoundPage).current();
  /** Request path → file, for paths that are in the cache: a hit decodes and joins nothing. */
  const known = new Map<string, string>();

  const respond = (request: HandlerRequest, file: string, found: Found): Answer => {
    switch (found.kind) {
      case "file":
      case "large":
        return selected(request, file, found);
      case "folder":
        return toSlash(request);
      case "nothing":
        return notFound();
      case "too many open":
        stats.add(Counter.limitFiles, 1);
        return TOO_MANY_OPEN;
    }
  };
  /** Answers with the file, or with the one in the coding that the client prefers. */
  const selected = (request: HandlerRequest, file: string, found: CachedFile | LargeFile): Answer => {
    const { codings } = found.representation;
    const accepted = request.headers["accept-encoding"];
    const coding = codings.length === 0 ? undefined : preferredCoding(accepted, codings);
    if (coding === undefined) return fileResponse(request, found, cache);
    cache.giveBack(found);
    const key = keyOf(file, coding);
    const hit = cache.get(key);
    if (hit !== undefined) return fileResponse(request, hit, cache);
    return cache.read(key).then(async (coded) => {
      if (coded.kind === "file" || coded.kind === "large") return fileResponse(request, coded, cache);
      // It has gone since the file was looked at.
      const plain = await cache.read(file);
      return plain.kind === "file" || plain.kind === "large"
        ? fileResponse(request, plain, cache)
        : respond(request, file, plain);
    });
  };

  const files: Handler = (request) => {
    const { path } = request;
    const knownFile = known.get(path);
    if (knownFile !== undefined) {
      const hit = cache.get(knownFile);
      if (hit !== undefined) {
        return request.headers === NO_HEADERS ? fileResponse(request, hit, cache) : selected(request, knownFile, hit);
      }
    }
    const relative = servablePath(path);
    if (relative === undefined) return notFound();
    const file = join(root.path, relative.endsWith("/") ? relative + INDEX : relative);
    // Another thread may have read it.
    const found = knownFile === file ? undefined : cache.get(file);
    if (found !== undefined) {
      remember(known, path, file);
      return selected(request, file, found);
    }
    return cache.read(file).then((read) => {
      if (read.kind === "file") remember(known, path, file);
      else known.delete(path);
      return respond(request, file, read);
    });
  };
  return Object.assign(files, { headers: FILE_FIELDS });
}

/** A folder is asked for with its slash, so that what its page refers to is found. */
function toSlash({ path, query }: HandlerRequest): HandlerResponse {
  // One leading slash only: "//host/" would send the client to another server.
  const location = `/${path.replace(/^\/+/, "")}/${query === "" ? "" : `?${query}`}`;
  // What no URI may have as it is (RFC 3986 §2) may come all the same, and a field's value may not have it either.
  const uri = location.replace(/[^!-~]+/g, encodeURIComponent);
  const headers = PLAIN_TEXT.with("Location", uri);
  return { status: 301, headers, body: "301 Moved Permanently\n" };
}

/** Ways to write the paths of one site are few, but a client could try to invent more: start again rather than grow. */
const MAX_KNOWN_PATHS = 10_000;

function remember(known: Map<string, string>, path: string, file: string): void {
  if (known.size >= MAX_KNOWN_PATHS) known.clear();
  known.set(path, file);
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
