import type * as Uws from "uWebSockets.js";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { LoopoolError, messageOf } from "../../shared/errors.js";

/** The native library and its version. */
export interface LoadedUws {
  readonly uws: typeof Uws & { readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number };
  readonly version: string;
}

/** Which release of µWebSockets.js has a binary for which module version of Node (`process.versions.modules`). */
const packages: Readonly<Record<string, string>> = {
  "115": "uWebSockets.js", // Node 20
  "127": "uWebSockets.js", // Node 22
  "131": "uWebSockets.js", // Node 23
  "137": "uWebSockets.js-next", // Node 24
  "147": "uWebSockets.js-next", // Node 26
};

const REMEDY = "serve with --adapter node, or use Node 20 or 22 (on Linux with glibc 2.38 or newer also 24 and 26)";

/** What µWS takes beyond the limit on heads: a head that is somewhat too long gets an answer that says so and is counted. */
const SPARE_HEAD_BYTES = 8 * 1024;

/**
 * Loads µWebSockets.js: the only place that does. It takes heads a little longer than `maxHeadBytes`, of the first call in a process.
 * Throws a LoopoolError that names the Node versions with a binary.
 */
export async function loadUws(maxHeadBytes: number): Promise<LoadedUws> {
  const name = packages[process.versions.modules];
  const here = `Node ${process.versions.node} on ${process.platform} ${process.arch}`;
  if (name === undefined) {
    throw new LoopoolError("NO_UWS_BINARY", `uWebSockets.js has no binary for ${here}: ${REMEDY}`);
  }
  try {
    const require = createRequire(import.meta.url);
    // µWS reads this once, when its binary is loaded, and takes 4096 bytes without it (HttpParser.h).
    process.env["UWS_HTTP_MAX_HEADERS_SIZE"] = String(maxHeadBytes + SPARE_HEAD_BYTES);
    const uws = require(name) as LoadedUws["uws"];
    // The package exports no manifest, so it is read from beside its main file.
    const manifest = readFileSync(join(dirname(require.resolve(name)), "package.json"), "utf8");
    return { uws, version: (JSON.parse(manifest) as { version: string }).version };
  } catch (error) {
    // µWS' own message lists the Node versions it knows; what the loader said of the binary is its last line.
    const cause = messageOf(error).trim().split("\n").at(-1);
    throw new LoopoolError(
      "NO_UWS_BINARY",
      `the binary of uWebSockets.js for ${here} does not load (${cause}): ${REMEDY}; after a change of Node run "npm ci" again`,
      1,
      { cause: error },
    );
  }
}
