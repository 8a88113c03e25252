import { readdirSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import type { HandlerRequest, HandlerResult, HeaderValue } from "../shared/handlers/handler.js";
import { exportsOf } from "./exports.js";
import { importModule } from "./import-module.js";
import { hook, type Living } from "./life-cycle.js";

/** A response as plug-ins see it: they may change it, or return another one. */
export interface ShownResponse {
  status: number;
  headers: [name: string, value: HeaderValue][];
  body: HandlerResult["body"];
}

type Later<T> = T | PromiseLike<T>;

/** Code that runs around every request, in every thread. */
export interface Plugin extends Living {
  /** Names of the request header fields it reads, or all of them. */
  readonly headers: readonly string[] | "all";
  /** Before the handler; what it returns, if anything, is the answer. */
  readonly request: ((request: HandlerRequest) => Later<HandlerResult | undefined>) | null;
  /** After the handler. */
  readonly response: ((response: ShownResponse, request: HandlerRequest) => Later<HandlerResult | undefined>) | null;
}

const MODULES: ReadonlySet<string> = new Set([".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"]);

/** All modules that the paths name, a folder's in the order of their names. Throws an Error in one line that names the one that fails. */
export async function loadPlugins(paths: readonly string[], timeoutMs: number): Promise<readonly Plugin[]> {
  const plugins: Plugin[] = [];
  for (const path of paths) {
    for (const file of filesOf(path)) {
      try {
        plugins.push(pluginOf(file, await importModule(file, timeoutMs)));
      } catch (error) {
        throw new Error(`--plugin ${file}${(error as Error).message}`);
      }
    }
  }
  return plugins;
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const files = readdirSync(path)
    .filter((name) => MODULES.has(extname(name)) && !name.endsWith(".d.ts"))
    .sort()
    .map((name) => join(path, name));
  if (files.length === 0) throw new Error(`--plugin ${path} has no module: name a folder with .js or .ts files`);
  return files;
}

/** Its parts are exports, or properties of the default one. */
function pluginOf(file: string, module: unknown): Plugin {
  const exports = exportsOf(module);
  const name = exports.named("name") ?? basename(file);
  if (typeof name !== "string") throw new Error(': its "name" is not a text');
  const part = <T>(property: string): T | null => hook<T>("", property, exports.named(property));
  const plugin: Plugin = {
    name: `the plug-in ${name}`,
    file,
    headers: headersIn(exports.named("headers")),
    init: part("init"),
    close: part("close"),
    request: part("request"),
    response: part("response"),
  };
  if (plugin.init === null && plugin.request === null && plugin.response === null) {
    throw new Error(": it must export one of init, request and response, each a function");
  }
  return plugin;
}

function headersIn(headers: unknown): readonly string[] | "all" {
  if (headers === undefined) return [];
  if (headers === "all") return headers;
  const isList =
    Array.isArray(headers) && headers.every((name) => typeof name === "string" && name === name.toLowerCase());
  if (isList) return headers as string[];
  throw new Error(': its "headers" must be a list of field names in lower case, or "all"');
}
