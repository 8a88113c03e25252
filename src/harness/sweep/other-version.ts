import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { LoopoolError, messageOf, usageError } from "../../shared/errors.js";
import { commitOf } from "./environment.js";
import { otherCoreOf } from "./plan.js";
import type { OtherVersion } from "./result.js";
import { type ServerScript, serveScript } from "./trial.js";

/** Another version of loopool, ready to be run beside this one. */
export interface ReadyVersion {
  readonly version: OtherVersion;
  /** Starts its cores for those names of a plan that are its own, and ours for the others. */
  readonly serverScript: ServerScript;
  /** Removes what was made for it; nothing else needs it. Called when this process ends, too. */
  remove(): void;
}

/** What starts its servers, below the folder of its package.json. */
const MAIN = "dist/src/cli/main.js";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/**
 * Makes another version ready: a folder with a built loopool, which is used where it is; a file that `npm pack` made; or a commit of the checkout
 * in `packageFolder`, which is built in a temporary folder. The packages that it needs are those of `packageFolder` where it asks for the same ones,
 * or else are installed with npm. Throws a usage error for what is none of the three, and a LoopoolError where it cannot be built.
 */
export async function readyVersion(what: string, packageFolder: string, signal: AbortSignal): Promise<ReadyVersion> {
  const temporary = mkdtempSync(join(tmpdir(), "loopool-against-"));
  const remove = (): void => {
    rmSync(temporary, { recursive: true, force: true });
    process.off("exit", remove);
  };
  process.on("exit", remove);
  try {
    const found = await locate({ what, packageFolder, temporary, signal });
    const manifest = manifestOf(found.folder);
    if (manifest?.name !== "loopool" || !existsSync(join(found.folder, MAIN))) {
      throw usageError(
        `--against ${what}: there is no built loopool in it (${MAIN} with a package.json): name a folder in which "npm ci" has run, a file of "npm pack", or a commit`,
      );
    }
    const label = (found.label ?? manifest.version).replace(/[^\w.-]/g, "-");
    const { from, source } = found;
    const version = { from, source, label, sha256: sha256Of(join(found.folder, "dist/src")) };
    return { version, serverScript: await scriptOf(version, found.folder, signal), remove };
  } catch (error) {
    remove();
    signal.throwIfAborted();
    throw error;
  }
}

interface Wanted {
  readonly what: string;
  readonly packageFolder: string;
  readonly temporary: string;
  readonly signal: AbortSignal;
}

interface Found extends Pick<OtherVersion, "from" | "source"> {
  /** Of its package.json. */
  readonly folder: string;
  /** null: its version. */
  readonly label: string | null;
}

async function locate(wanted: Wanted): Promise<Found> {
  const path = resolve(wanted.what);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) {
    const commit = commitOf(path);
    return { from: "folder", source: path, folder: path, label: commit === "unknown" ? null : commit };
  }
  return stats === undefined ? await built(wanted) : await unpacked(wanted, path);
}

async function unpacked({ what, packageFolder, temporary, signal }: Wanted, file: string): Promise<Found> {
  await run("tar", ["-xzf", file, "-C", temporary], `--against ${what} cannot be unpacked`, signal);
  const folder = join(temporary, "package");
  const install = ["install", "--omit=dev", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"];
  await withPackages(folder, packageFolder, ["dependencies"], install, signal);
  return { from: "package", source: file, folder, label: null };
}

async function built({ what, packageFolder, temporary, signal }: Wanted): Promise<Found> {
  const neither = `--against ${what} is neither a folder nor a file`;
  if (commitOf(packageFolder) === "unknown") {
    throw usageError(`${neither}, and this loopool is no checkout whose commits could be built: name one of the two`);
  }
  const git = (...args: readonly string[]): Promise<string> =>
    run("git", ["-C", packageFolder, ...args], `commit ${what} cannot be read`, signal);
  const commit = await git("rev-parse", "--verify", "--end-of-options", `${what}^{commit}`).catch(() => {
    signal.throwIfAborted();
    throw usageError(`${neither}, nor a commit of ${packageFolder}`);
  });
  const label = await git("rev-parse", "--short", commit);
  const folder = join(temporary, "tree");
  const archive = join(temporary, "tree.tar");
  await git("archive", "--format=tar", "--prefix=tree/", `--output=${archive}`, commit);
  await run("tar", ["-xf", archive, "-C", temporary], `commit ${label} cannot be unpacked`, signal);
  const install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  await withPackages(folder, packageFolder, ["dependencies", "devDependencies"], install, signal);
  const compiler = join(folder, "node_modules/typescript/bin/tsc");
  await run(process.execPath, [compiler, "--project", folder], `commit ${label} cannot be built`, signal);
  return { from: "commit", source: commit, folder, label };
}

/** Gives a package what it depends on: the packages of `packageFolder` where both ask for the same ones, or else its own. */
async function withPackages(
  folder: string,
  packageFolder: string,
  kinds: readonly ("dependencies" | "devDependencies")[],
  install: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const asked = (of: string): string => {
    const manifest = manifestOf(of);
    return JSON.stringify(kinds.map((kind) => Object.entries(manifest?.[kind] ?? {}).sort()));
  };
  if (!existsSync(folder)) return;
  if (asked(folder) === asked(packageFolder)) symlinkSync(packagesOf(packageFolder), join(folder, "node_modules"));
  else await run("npm", install, `its packages cannot be installed in ${folder}`, signal, folder);
}

/** Where a package finds what it depends on: below it, or where it is itself installed. */
function packagesOf(folder: string): string {
  const packages = join(folder, "node_modules");
  return existsSync(join(packages, "yargs")) || dirname(folder) === folder ? packages : packagesOf(dirname(folder));
}

function manifestOf(folder: string): Manifest | null {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  } catch {
    return null;
  }
}

/** Of all code below a folder, names included: what a sweep that is resumed must find again. */
function sha256Of(folder: string): string {
  const hash = createHash("sha256");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  for (const name of names.sort())
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(folder, name)))
      .update("\0");
  return hash.digest("hex");
}

/** Flags that an older version may lack without being another server: it had no file of settings, and no choice of an adapter. */
const MAY_LACK: ReadonlySet<string> = new Set(["config=off", "adapter=uws"]);

/** Starts servers of the other version with the flags of ours, as far as it has them. */
async function scriptOf({ label }: OtherVersion, folder: string, signal: AbortSignal): Promise<ServerScript> {
  const main = join(folder, MAIN);
  const help = await run(process.execPath, [main, "serve", "--help"], `${label} does not start`, signal);
  const known = new Set(Array.from(help.matchAll(/--([a-z][a-z-]*)/g), ([, name]) => name!));
  const flagOf = (flag: string): readonly string[] => {
    const [, name = "", value = ""] = /^--([^=]+)=(.*)$/s.exec(flag) ?? [];
    if (known.has(name)) return [flag];
    if (name === "adapter" && known.has("front")) return [`--front=${value}`];
    if (MAY_LACK.has(`${name}=${value}`)) return [];
    throw new LoopoolError("VERSION_LACKS_FLAG", `${label} cannot be measured so: its "serve" has no --${name}`);
  };
  return (name, plan, iterationsPerMicro) => {
    const core = otherCoreOf(plan, name);
    if (core === null) return serveScript(name, plan, iterationsPerMicro);
    const [, command = "", ...flags] = serveScript(core, plan, iterationsPerMicro);
    return [main, command, ...flags.flatMap(flagOf)];
  };
}

/** What a program wrote to standard output, trimmed. Throws a LoopoolError that begins with `otherwise` where it failed. */
async function run(
  program: string,
  args: readonly string[],
  otherwise: string,
  signal: AbortSignal,
  cwd?: string,
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { signal, cwd, maxBuffer: 2 ** 26 });
    return stdout.trim();
  } catch (error) {
    signal.throwIfAborted();
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string };
    const [line] = `${stderr}\n${stdout}`.split("\n").filter((text) => text.trim() !== "");
    throw new LoopoolError("VERSION_NOT_READY", `${otherwise}: ${line ?? messageOf(error)}`);
  }
}
