import { join } from "node:path";
import type { FileRules, ServerConfig } from "../config.js";
import { type HandlerResponse, HeaderBlock } from "../handlers/handler.js";
import { openBelow, readStart } from "./disk-file.js";
import { securityFields } from "./representation.js";
import { SiteRoot } from "./site-root.js";

/** An answer with the page of the site for its status. */
export interface ErrorPage {
  /** As it is now: looks nothing up before it returns, so that a failure can be told whatever the disk does. */
  now(): HandlerResponse;
  /** As of a second ago at most. Never rejects. */
  current(): Promise<HandlerResponse>;
}

/**
 * The answer with the page of the site for its status, `404.html` or `500.html` in the root, or as it is where the site has none. The
 * page is read beforehand, once for each folder that the root leads to: to say that something failed must not depend on the disk, nor on
 * a descriptor being free.
 */
export async function errorPage(answer: HandlerResponse, root: SiteRoot, files: FileRules): Promise<ErrorPage> {
  let folder = await root.folder();
  let page = await pageOf(answer, root, files);
  const current = async (): Promise<HandlerResponse> => {
    try {
      const now = await root.folder();
      if (now !== folder) {
        page = await pageOf(answer, root, files);
        folder = now;
      }
    } catch {
      // The root is gone, and its last page is all there is.
    }
    return page;
  };
  return { now: () => page, current };
}

/**
 * The same as a response that may be kept and sent again and again. It is the page of where the root led when it was last sent, if that is
 * more than a second ago.
 */
export async function withErrorPage(
  answer: HandlerResponse,
  { root, files }: Pick<ServerConfig, "root" | "files">,
): Promise<HandlerResponse> {
  const page = await errorPage(answer, new SiteRoot(root), files);
  return {
    status: answer.status,
    get headers() {
      page.current();
      return page.now().headers;
    },
    get body() {
      return page.now().body;
    },
  };
}

async function pageOf(answer: HandlerResponse, root: SiteRoot, files: FileRules): Promise<HandlerResponse> {
  try {
    const handle = await openBelow(root, join(root.path, `${answer.status}.html`));
    if (handle === null) return answer;
    try {
      const found = await handle.stat();
      if (!found.isFile()) return answer;
      const { body } = await readStart(handle, found.size);
      const headers = new HeaderBlock({
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        ...securityFields("text/html", files),
      });
      return { status: answer.status, headers, body };
    } finally {
      await handle.close();
    }
  } catch {
    return answer;
  }
}
