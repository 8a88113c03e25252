import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Argv, CommandModule } from "yargs";
import { type CpuProfile, topSelfTimes } from "../profile/cpu-profile.js";
import { type ProfileLoad, profileServer } from "../profile/profiled-server.js";
import { modes } from "../server.js";
import { LoopoolError, messageOf } from "../shared/errors.js";
import { oneLine } from "../shared/terminal-text.js";
import { oneOf, text, wholeNumber, withValues } from "./options.js";

const defaults = { mode: "pool", path: "/", concurrency: 100, seconds: 5, workers: 1, out: "reports" } as const;

const options = {
  mode: { describe: `core to profile: ${modes.join(", ")} [default: ${defaults.mode}]` },
  path: { describe: `path and query to request [default: ${defaults.path}]` },
  concurrency: { describe: `connections [default: ${defaults.concurrency}]` },
  seconds: { describe: `how long the load lasts, for each of the two profiles [default: ${defaults.seconds}]` },
  workers: { describe: `worker threads of the pool [default: ${defaults.workers}]` },
  out: { describe: `folder of the profiles [default: ${defaults.out}]` },
} as const;

const entry = fileURLToPath(new URL("./main.js", import.meta.url));
const TOP_FUNCTIONS = 8;

/** `loopool flame`: a server under load as a flame graph, and a CPU profile of each of its threads. */
export const flameCommand: CommandModule = {
  command: "flame",
  describe: "profile a server under load: a flame graph by clinic, and a CPU profile of every thread",
  builder: (yargs: Argv) =>
    yargs
      .options(withValues(options))
      .example("$0 flame --mode pool", "where the pool's threads spend their time on the 1 KiB page")
      .example("$0 flame --mode reactor --path '/cpu?us=200' --seconds 10", "the event loop with a handler that burns"),
  handler: (argv) => flame(argv as Readonly<Record<string, unknown>>),
};

async function flame(argv: Readonly<Record<string, unknown>>): Promise<void> {
  const value = (name: keyof typeof options): unknown => argv[name] ?? defaults[name];
  const mode = oneOf("mode", value("mode"), modes);
  const load: ProfileLoad = {
    path: text("path", value("path")),
    concurrency: wholeNumber("concurrency", value("concurrency"), 1, 10_000),
    seconds: wholeNumber("seconds", value("seconds"), 1, 600),
  };
  const workers = wholeNumber("workers", value("workers"), 1, 256);
  const out = text("out", value("out"));
  const folder = join(out, `${new Date().toISOString().slice(0, 10)}-flame-${mode}`);
  const server = [
    entry,
    "serve",
    "--config=off",
    // The profiles are of the threads that serve.
    "--mirror=off",
    "--mode",
    mode,
    "--port",
    "0",
    "--host",
    "127.0.0.1",
    "--workers",
    String(workers),
  ];
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "loopool-flame-"));
  try {
    await clinicFlame(server, load, scratch, join(folder, "flame.html"));
    await threadProfiles(server, load, scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** clinic samples the main thread only. Where it cannot run, one line says so, and the profiles by thread are still made. */
async function clinicFlame(server: readonly string[], load: ProfileLoad, scratch: string, file: string): Promise<void> {
  let clinic: string;
  try {
    clinic = createRequire(import.meta.url).resolve("clinic/bin.js");
  } catch {
    console.log("No flame graph: clinic is not installed (npm install --include=dev).");
    return;
  }
  const command = [
    process.execPath,
    clinic,
    "flame",
    "--open=false",
    `--dest=${scratch}`,
    "--",
    process.execPath,
    ...server,
  ];
  try {
    const answered = await profileServer(command, { NO_INSIGHT: "1" }, load);
    const html = readdirSync(scratch).find((name) => name.endsWith(".clinic-flame.html"));
    if (html === undefined) throw new Error("clinic wrote no HTML file");
    copyFileSync(join(scratch, html), file);
    console.log(`Flame graph of the main thread, ${answered.toLocaleString("en")} requests: ${oneLine(file)}`);
  } catch (error) {
    console.log(
      `No flame graph: clinic failed on Node ${process.versions.node}: ${oneLine(messageOf(error).split("\n")[0] ?? "")}`,
    );
  }
}

/** One .cpuprofile for each thread, main first, and the top of each as a table. */
async function threadProfiles(
  server: readonly string[],
  load: ProfileLoad,
  scratch: string,
  folder: string,
): Promise<void> {
  const flags = ["--cpu-prof", `--cpu-prof-dir=${scratch}`];
  const answered = await profileServer([process.execPath, ...flags, ...server], {}, load);
  // Node names them CPU.<date>.<time>.<pid>.<thread>.<sequence>.cpuprofile; thread 0 is the main one.
  const profiles = readdirSync(scratch)
    .flatMap((name) => {
      const thread = /^CPU\.\d+\.\d+\.\d+\.(\d+)\.\d+\.cpuprofile$/.exec(name)?.[1];
      return thread === undefined ? [] : [{ name, thread: Number(thread) }];
    })
    .sort((a, b) => a.thread - b.thread);
  if (profiles.length === 0) throw new LoopoolError("NO_PROFILE", "node --cpu-prof wrote no profile");
  console.log(`CPU profiles, ${answered.toLocaleString("en")} requests; open them in Chrome's DevTools or speedscope:`);
  for (const { name, thread } of profiles) {
    const file = join(folder, thread === 0 ? "main.cpuprofile" : `worker-${thread}.cpuprofile`);
    const profile = JSON.parse(readFileSync(join(scratch, name), "utf8")) as CpuProfile;
    copyFileSync(join(scratch, name), file);
    console.log(`\n${oneLine(file)}, time in the function itself:`);
    for (const { what, share } of topSelfTimes(profile, TOP_FUNCTIONS)) {
      console.log(`  ${(share * 100).toFixed(1).padStart(5)}%  ${oneLine(what)}`);
    }
  }
}
