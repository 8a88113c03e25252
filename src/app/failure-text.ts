import { spawnSync } from "node:child_process";
import { inspect } from "node:util";

/** Why a module could not be imported: what was thrown, where, and what to do, in one line. Never throws. */
export function failureText(thrown: unknown, file: string): string {
  try {
    if (!(thrown instanceof Error)) return oneLine(inspect(thrown, { breakLength: Infinity }));
    // The first paragraph: Node adds who required whom.
    const message = oneLine(String(thrown.message).split("\nRequire stack:")[0]!);
    const compiler = compilerText(message, file);
    if (compiler !== null) return `${compiler}${remedyFor(thrown, message)}`;
    const place = message.includes(file) ? "" : placeOf(thrown, file);
    return `${message}${place === "" ? "" : ` at ${place}`}${remedyFor(thrown, message)}`;
  } catch {
    return "it threw something that cannot be printed";
  }
}

function oneLine(text: string): string {
  return text
    .replace(/[?&](?:tsx-)?namespace=[\w-]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** esbuild's first error: it calls each file .ts, and counts columns from 0. */
function compilerText(message: string, file: string): string | null {
  const [, path, line, column, text] =
    /^Transform failed with \d+ errors?: (\S+?):(\d+):(\d+): ERROR: (.*)$/.exec(message) ?? [];
  if (path === undefined) return null;
  const isFile = path === file.replace(/\.[mc]?tsx?$/, ".ts");
  return `${text} at ${isFile ? file : path}:${line}:${Number(column) + 1}`;
}

/** The line of a stack or of a syntax error that is the user's: no part of Node or of a package. */
const USERS_LINE = /(?:file:\/\/)?(\/(?!.*\/node_modules\/)[^\s():?]*)(?:\?[^\s:)]*)?:(\d+)(?::(\d+))?/;

function placeOf(error: Error, file: string): string {
  const lines = String(error.stack).split("\n");
  // Not what is below the user's own: loopool's import of it.
  const end = lines.findIndex((line) => /node:internal\/modules|ModuleJob/.test(line));
  const found = lines.slice(0, end === -1 ? lines.length : end).find((line) => USERS_LINE.test(line));
  const text = found ?? (error instanceof SyntaxError ? checked(file) : "");
  const [, path, line, column] = USERS_LINE.exec(text) ?? [];
  return path === undefined ? "" : `${path}:${line}${column === undefined ? "" : `:${column}`}`;
}

/** Of a syntax error in an ES module the stack does not say where it is; Node does when it checks the file. */
function checked(file: string): string {
  return spawnSync(process.execPath, ["--check", file], { encoding: "utf8", timeout: 5000 }).stderr ?? "";
}

function remedyFor(error: Error, message: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
    const isPackage = /Cannot find (?:package|module) '(?![./])/.test(message);
    return isPackage ? ": install it there (npm install)" : ": correct the path";
  }
  if (/Top-level await is currently not supported/.test(message)) {
    return ': its package.json makes it CommonJS; set "type": "module" there, or name it .mts';
  }
  return "";
}
