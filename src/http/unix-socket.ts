import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import type { UnixConfig } from "../shared/config.js";
import { LoopoolError, messageOf } from "../shared/errors.js";

/**
 * Listens on a Unix-domain socket: `bind` makes one at the path that it is given, and rejects where it cannot. It gets its name when its
 * permissions are set, so that nobody comes in before. One that a server has left there that has ended is replaced. Returns how to take it
 * away, unless its name then stands for another one: libuv would take that too, were it bound to the name itself, and µWS removes
 * whatever it finds. Throws a LoopoolError: UNIX_IN_USE where a server listens, UNIX_TAKEN where the file is no socket, UNIX_REFUSED
 * where the system says no.
 */
export async function listenUnix(
  { path, mode }: UnixConfig,
  bind: (path: string) => Promise<unknown>,
): Promise<() => void> {
  let folder: string | undefined;
  try {
    await makeWay(path);
    // Nobody else may enter a folder that mkdtemp makes.
    folder = mkdtempSync(join(dirname(path), ".loopool-"));
    const bound = join(folder, "s");
    await bind(bound);
    chmodSync(bound, mode);
    const { ino } = lstatSync(bound);
    renameSync(bound, path);
    return () => {
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) unlinkSync(path);
    };
  } catch (error) {
    if (error instanceof LoopoolError) throw error;
    throw new LoopoolError(
      "UNIX_REFUSED",
      `--unix ${path} cannot be listened on (${messageOf(error)}): name a path in a folder that this user may write to`,
    );
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
}

/** Removes what a server has left that has ended. */
async function makeWay(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new LoopoolError(
      "UNIX_TAKEN",
      `--unix ${path} is there and is no socket: name another path, or remove it yourself`,
    );
  }
  const code = await connectError(path);
  if (code === null) {
    throw new LoopoolError("UNIX_IN_USE", `a server listens on --unix ${path}: name another path, or stop it`);
  }
  if (code === "ECONNREFUSED") unlinkSync(path);
  else if (code !== "ENOENT") throw new Error(`there is a socket, and connecting to it fails with ${code}`);
}

/** null: somebody accepts connections. */
function connectError(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(null);
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? "an unknown error"));
  });
}
