import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** renameat2(2) with RENAME_EXCHANGE (2), which Node does not offer, through the C library; −100: relative to the working directory. */
const PYTHON = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
one, other = (name.encode() for name in sys.argv[1:3])
exchange = lambda: libc.renameat2(-100, one, -100, other, 2)
if exchange() != 0 or exchange() != 0: sys.exit(3)
print("exchanging", flush=True)
parent = os.getppid()
while os.getppid() == parent:
  for _ in range(1000): exchange()
`;

/** Without it: three renames, between which neither name is there. */
const NODE = `
const { renameSync } = require("node:fs");
const [one, other] = process.argv.slice(1);
console.log("exchanging");
const parent = process.ppid;
while (process.ppid === parent) {
  renameSync(one, one + ".spare");
  renameSync(other, one);
  renameSync(one + ".spare", other);
}
`;

/** A process that exchanges what two names stand for, again and again, until it is stopped or its parent is gone. */
export interface Exchanger {
  /** Whether both names are there at any moment, each with one or the other. */
  readonly isAtomic: boolean;
  stop(): Promise<void>;
}

/** Starts one; resolves when it is at work. The names are given back in either order. */
export async function startExchanger(one: string, other: string): Promise<Exchanger> {
  const isAtomic = spawnSync("python3", ["-c", "import ctypes; ctypes.CDLL(None).renameat2"]).status === 0;
  if (isAtomic) {
    const found = await begun(spawn("python3", ["-c", PYTHON, one, other]));
    if (found !== undefined) return { isAtomic, stop: () => ended(found) };
  }
  console.log("(no renameat2 through python3 here: the names are exchanged by three renames, not at once)");
  const child = await begun(spawn(process.execPath, ["-e", NODE, one, other]));
  if (child === undefined) throw new Error(`${one} and ${other} cannot be exchanged`);
  return { isAtomic: false, stop: () => ended(child) };
}

/** undefined: it cannot do it here. */
async function begun(child: ChildProcess): Promise<ChildProcess | undefined> {
  const first = await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
  return String(first[0]).startsWith("exchanging") ? child : undefined;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) throw new Error(`the exchange ended by itself, with code ${child.exitCode}`);
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
