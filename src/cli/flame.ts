import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type CpuProfile, topSelfTimes } from "../harness/profile/cpu-profile.js";
import { flameGraph } from "../harness/profile/flame-graph.js";
import type { ProfileLoad } from "../harness/profile/profiled-server.js";
import { profileThreads } from "../harness/profile/thread-profiles.js";
import { modes } from "../server.js";
import { LoopoolError, messageOf, usageError } from "../shared/errors.js";
import { oneLine } from "../shared/terminal-text.js";
import { withApplication, withApplicationArgument } from "./application-argument.js";
import type { Command } from "./command.js";
import { called } from "./invocation.js";
import { checkOpenFiles } from "./open-files.js";
import { defaultFolders, outputFolder } from "./output-folder.js";
import { exitCodeOf, onEndingSignal } from "./signals.js";
import { oneOf, text, wholeNumber, withValues } from "./values/options.js";

const defaults = {
  mode: "pool",
  path: "/",
  concurrency: 100,
  seconds: 5,
  workers: 1,
  out: defaultFolders.reports,
} as const;

const options = {
  mode: { describe: `core to profile: ${modes.join(", ")} [default: ${defaults.mode}]` },
  path: { describe: `path and query to request [default: ${defaults.path}]` },
  concurrency: { describe: `connections [default: ${defaults.concurrency}]` },
  seconds: { describe: `how long the load lasts, for each of the two profiles [default: ${defaults.seconds}]` },
  handlers: { describe: "your own application, a module, see docs/applications.md; with --path" },
  workers: { describe: `worker threads of the pool [default: ${defaults.workers}]` },
  out: { describe: `folder of the profiles [default: ${defaults.out}]` },
} as const;

const entry = fileURLToPath(new URL("./main.js", import.meta.url));
const TOP_FUNCTIONS = 8;
const PROFILE = ".cpuprofile";

/** `loopool flame`: a server under load as a flame graph, and a CPU profile of each of its threads. */
export const flameCommand: Command = {
  options: (yargs) =>
    withApplicationArgument(yargs)
      .options(withValues(options))
      .example(called("flame --mode pool"), "where the pool's threads spend their time on the 1 KiB page")
      .example(called("flame ./app.ts --path /render"), "your own application")
      .example(
        called("flame --mode reactor --path '/cpu?us=200' --seconds 10"),
        "the event loop with a handler that burns",
      ),
  handler: flame,
};

async function flame(given: Readonly<Record<string, unknown>>): Promise<void> {
  const argv = withApplication(given);
  const value = (name: keyof typeof options): unknown => argv[name] ?? (defaults as Record<string, unknown>)[name];
  const mode = oneOf("mode", value("mode"), modes);
  const handlers = argv["handlers"] === undefined ? null : resolve(text("handlers", argv["handlers"]));
  if (handlers !== null && argv["path"] === undefined) {
    throw usageError("--handlers needs --path: name the path of the handler to profile, like --path /render");
  }
  const load: ProfileLoad = {
    path: path("path", value("path")),
    concurrency: wholeNumber("concurrency", value("concurrency"), 1, 10_000),
    seconds: wholeNumber("seconds", value("seconds"), 1, 600),
  };
  const workers = wholeNumber("workers", value("workers"), 1, 256);
  const out = outputFolder("reports", argv["out"] === undefined ? undefined : text("out", argv["out"]));
  const folder = join(out, `${new Date().toISOString().slice(0, 10)}-flame-${mode}`);
  // The profiles are of the threads that serve.
  const settings = { config: "off", mirror: "off", mode, port: 0, host: "127.0.0.1", workers };
  const flags = Object.entries(settings).map(([name, setting]) => `--${name}=${setting}`);
  const server = [entry, "serve", ...flags, ...(handlers === null ? [] : [`--handlers=${handlers}`])];
  checkOpenFiles(load.concurrency);

  const interruption = new AbortController();
  let exitCode = 1;
  const stopListening = onEndingSignal((signal) => {
    exitCode = exitCodeOf(signal);
    interruption.abort();
  });
  const { signal } = interruption;
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder).filter((name) => name.endsWith(PROFILE))) rmSync(join(folder, name));
  const scratch = mkdtempSync(join(tmpdir(), "loopool-flame-"));
  try {
    // First: what it throws, a bad module or a path that is not served, is told as it is.
    await writeThreadProfiles(server, load, folder, signal);
    await writeFlameGraph(server, load, scratch, join(folder, "flame.html"), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    console.error("loopool: interrupted");
    process.exitCode = exitCode;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    stopListening();
  }
}

function path(flag: string, raw: unknown): string {
  const found = text(flag, raw);
  if (/^\/[!"$-~]*$/.test(found)) return found;
  throw usageError(`--${flag} must start with "/" and have no spaces and no "#", not "${found}"`);
}

/** clinic samples the main thread only. Where it cannot run, one line says so. */
async function writeFlameGraph(
  server: readonly string[],
  load: ProfileLoad,
  scratch: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { html, answered } = await flameGraph(server, load, scratch, signal);
    copyFileSync(html, file);
    console.log(`\nFlame graph of the main thread, ${answered.toLocaleString("en")} requests: ${oneLine(file)}`);
  } catch (error) {
    if (signal.aborted) throw error;
    const isAbsent = error instanceof LoopoolError && error.code === "NO_TOOL";
    const [reason] = messageOf(error).split("\n");
    console.log(
      `\nNo flame graph: ${oneLine(isAbsent ? String(reason) : `clinic failed on Node ${process.versions.node}: ${reason}`)}.`,
    );
  }
}

/** One .cpuprofile for each thread, main first, and the top of each as a table. */
async function writeThreadProfiles(
  server: readonly string[],
  load: ProfileLoad,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const answered = await profileThreads(server, load, folder, signal);
  console.log(`CPU profiles, ${answered.toLocaleString("en")} requests; open them in Chrome's DevTools or speedscope:`);
  const threadOf = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? 0);
  const names = readdirSync(folder).filter((name) => name.endsWith(PROFILE));
  for (const name of names.sort((a, b) => threadOf(a) - threadOf(b))) {
    const file = join(folder, name);
    console.log(`\n${oneLine(file)}, time in the function itself:`);
    const profile = JSON.parse(readFileSync(file, "utf8")) as CpuProfile;
    for (const { what, share } of topSelfTimes(profile, TOP_FUNCTIONS)) {
      console.log(`  ${(share * 100).toFixed(1).padStart(5)}%  ${oneLine(what)}`);
    }
  }
}
