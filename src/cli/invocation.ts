import { existsSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { packageRoot } from "../shared/package-root.js";

/**
 * How this process was called, and where its user stands: in loopool's own checkout, whose commands are scripts of npm, or in a project that
 * has loopool installed.
 */

/** Where the process runs. */
interface Surroundings {
  readonly packageRoot: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const here = (): Surroundings => ({ packageRoot, cwd: process.cwd(), environment: process.env });

/** Whether the user stands in loopool's own checkout. What npm installs has no sources. */
export function isOwnCheckout({ packageRoot, cwd }: Surroundings = here()): boolean {
  const isBelow = cwd === packageRoot || cwd.startsWith(`${packageRoot}${sep}`);
  return isBelow && existsSync(join(packageRoot, "src", "cli"));
}

/**
 * The folder where the user stands. npm runs the scripts of our checkout in its root, and says in INIT_CWD where it was called; a variable of
 * that name that another package's script has set is not meant for us.
 */
export function userFolder(surroundings: Surroundings = here()): string {
  const { packageRoot, cwd, environment } = surroundings;
  const isOurScript =
    environment["npm_package_json"] === join(packageRoot, "package.json") &&
    environment["npm_lifecycle_script"]?.includes("cli/main.js") === true &&
    cwd === packageRoot;
  const folder = environment["INIT_CWD"];
  const isInCheckout = folder !== undefined && isOwnCheckout({ ...surroundings, cwd: folder });
  return isOurScript && isInCheckout ? folder : cwd;
}

/** A command of loopool as the user can type it, like "sweep --quick": `npm run sweep -- --quick`, or `npx loopool sweep --quick`. */
export function called(command: string, isOwn = isOwnCheckout()): string {
  if (!isOwn) return `npx loopool ${command}`;
  const [, name = command, args = ""] = /^(\S+) (.+)$/s.exec(command) ?? [];
  return `npm run ${name}${args === "" ? "" : ` -- ${args}`}`;
}

/** Folders that results and reports go to where none is named, relative to where the user stands. */
export interface OutputFolders {
  readonly results: string;
  readonly reports: string;
}

/** bench/results and reports in our checkout; in a project two folders of `loopool`, one folder that its repository can ignore. */
export function outputFolders(surroundings: Surroundings = here()): OutputFolders {
  if (!isOwnCheckout(surroundings)) return { results: join("loopool", "results"), reports: join("loopool", "reports") };
  const inCheckout = (...path: string[]): string =>
    relative(surroundings.cwd, resolve(surroundings.packageRoot, ...path));
  return { results: inCheckout("bench", "results"), reports: inCheckout("reports") };
}
