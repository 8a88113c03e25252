import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import type { UnixConfig } from "../shared/config.js";
import { LoopoolError, messageOf } from "../shared/errors.js";

/** Until its mode is set, nobody but the owner may connect. */
const OWNER_ONLY = 0o177;

/**
 * Makes way for a Unix-domain socket: one that a server has left there that has ended is removed. Throws a LoopoolError: UNIX_IN_USE where a
 * server listens, UNIX_TAKEN where the file is no socket, UNIX_REFUSED where the system says no.
 */
export async function makeWay(path: string): Promise<void> {
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
    throw new LoopoolError(
      "UNIX_IN_USE",
      `a server listens on --unix ${path}: name another path, or stop it (ss -lxp src ${path} shows it)`,
    );
  }
  try {
    if (code !== "ECONNREFUSED") throw new Error(`connecting to it fails with ${code}`);
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new LoopoolError(
      "UNIX_REFUSED",
      `--unix ${path} is a socket that cannot be replaced (${messageOf(error)}): remove it, or name another path`,
    );
  }
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

/** Calls `bind`, which makes the socket before it returns. */
export function bindForOwner<T>(bind: () => T): T {
  const before = process.umask(OWNER_ONLY);
  try {
    return bind();
  } finally {
    process.umask(before);
  }
}

/** Opens a socket to those who may use it. Returns how to take it away, unless its name then stands for another one. */
export function openToOthers({ path, mode }: UnixConfig): () => void {
  chmodSync(path, mode);
  const { ino } = lstatSync(path);
  return () => {
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) unlinkSync(path);
  };
}
