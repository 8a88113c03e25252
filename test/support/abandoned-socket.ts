import { spawn } from "node:child_process";
import { once } from "node:events";

/** Leaves a Unix-domain socket at `path` whose process was killed: the file is there, and nobody listens. */
export async function abandonSocket(path: string): Promise<void> {
  const listens = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("listens"))`;
  const child = spawn(process.execPath, ["--eval", listens], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
}
