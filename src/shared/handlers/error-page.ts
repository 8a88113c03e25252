import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { ServerConfig } from "../config.js";
import { type HandlerResponse, HeaderBlock } from "./handler.js";
import { securityFields } from "./representation.js";

/**
 * The answer with the page of the site for its status, `404.html` or `500.html` in the root, or as it is where the site has none. The
 * page is read now, once: to say that something failed must not depend on the disk, nor on a descriptor being free.
 */
export function withErrorPage(
  answer: HandlerResponse,
  { root, files }: Pick<ServerConfig, "root" | "files">,
): HandlerResponse {
  const folder = realpathSync(root);
  const file = join(folder, `${answer.status}.html`);
  try {
    // A link could lead out of the root.
    if (realpathSync(file) !== file) return answer;
    return {
      status: answer.status,
      headers: new HeaderBlock({
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        ...securityFields("text/html", files),
      }),
      body: new Uint8Array(readFileSync(file)),
    };
  } catch {
    return answer;
  }
}
