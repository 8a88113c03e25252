import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { LoopoolError } from "../../shared/errors.js";
import { installedFile } from "../drivers/installed.js";
import { runTool } from "../drivers/process.js";
import { type ProfileLoad, profileServer } from "./profiled-server.js";

// Beside this file and with its extension, so that sources and build both work.
const endsWithStdin = new URL(`./ends-with-stdin${extname(import.meta.url)}`, import.meta.url).href;

const INSTALL = "npm install --save-dev clinic";
/** clinic asks once whether it may send statistics of its use. */
const ASKS_NOTHING = { NO_INSIGHT: "1" };
const COLLECTED = ".clinic-flame";

/** An HTML file, and the requests answered while it was sampled. */
export interface FlameGraph {
  readonly html: string;
  readonly answered: number;
}

/**
 * The main thread of a loaded server as a flame graph by clinic, which is left in `scratch`, an empty folder. Throws a LoopoolError when clinic
 * is not installed (NO_TOOL) or fails, and as profileServer does.
 */
export async function flameGraph(
  server: readonly string[],
  load: ProfileLoad,
  scratch: string,
  signal: AbortSignal,
): Promise<FlameGraph> {
  const clinic = [process.execPath, clinicFile(), "flame", "--open=false"];
  const command = [
    ...clinic,
    "--collect-only",
    `--dest=${scratch}`,
    "--",
    process.execPath,
    "--import",
    endsWithStdin,
    ...server,
  ];
  const { answered, share } = await profileServer({ command, environment: ASKS_NOTHING }, load, signal);
  const collected = join(
    scratch,
    only(scratch, (name) => name.endsWith(COLLECTED)),
  );
  keepLast(
    share,
    join(
      collected,
      only(collected, (name) => name.endsWith(`${COLLECTED}-samples`)),
    ),
  );
  const visualize = [...clinic, `--visualize-only=${collected}`];
  const { code, output, errors } = await runTool(
    { command: visualize, install: INSTALL, environment: ASKS_NOTHING, cpus: null },
    signal,
  );
  if (code !== 0) throw new LoopoolError("CLINIC", `it ended with code ${code}: ${(errors || output).trim()}`);
  return {
    html: join(
      scratch,
      only(scratch, (name) => name.endsWith(`${COLLECTED}.html`)),
    ),
    answered,
  };
}

function clinicFile(): string {
  const file = installedFile("clinic/bin.js");
  if (file === null) throw new LoopoolError("NO_TOOL", `clinic is not installed: ${INSTALL}`);
  return file;
}

function only(folder: string, wanted: (name: string) => boolean): string {
  const name = readdirSync(folder).find(wanted);
  if (name === undefined) throw new LoopoolError("CLINIC", "it wrote no file of the kind that is expected");
  return name;
}

/**
 * clinic samples from the start of the process, a few thousand times while the server's modules are loaded. Its samples have no times, but
 * V8 takes them at even intervals: those of the load are as large a share of all as its time is, and the last.
 */
function keepLast(share: number, file: string): void {
  const samples = JSON.parse(readFileSync(file, "utf8")) as unknown[];
  writeFileSync(file, JSON.stringify(samples.slice(Math.floor(samples.length * (1 - share)))));
}
