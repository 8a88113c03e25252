import type { AppStyle } from "../shared/app-style.js";
import type { Handler } from "../shared/handlers/handler.js";
import { fetchStyle } from "./adapters/fetch/fetch-style.js";
import { nodeStyle } from "./adapters/node/node-style.js";
import { type Exports, exportsOf } from "./exports.js";
import { failureText } from "./failure-text.js";
import { ImportFailure, importModule } from "./import-module.js";
import { inTime } from "./life-cycle.js";
import { type Capture, captureListening } from "./listening.js";
import { listenerOfServer, type Recognised, recognise } from "./recognise.js";

/** A user's module, loaded in this thread. */
export interface Application {
  /** What it is taken for, in words: "fetch style". */
  readonly style: string;
  /** Handlers by path, not checked yet, or the handler of all paths. */
  readonly serves: { readonly byPath: unknown } | { readonly all: Handler };
  /** What it exports, for its life cycle. */
  readonly exports: Exports;
}

export interface ApplicationOptions {
  /** Absolute path. */
  readonly file: string;
  /** What it is to be taken for; null: what it looks like. */
  readonly style: AppStyle | null;
  /** Of the URLs that its requests have. */
  readonly scheme: "http" | "https";
  /** For the import, and for what follows it until it listens. */
  readonly timeoutMs: number;
}

/** What can be exported, for who exports something else. */
const REMEDY =
  'export default an application (Hono, Express, Fastify, Koa), a function (request) => Response or (req, res) => void, or export an object "handlers" with a function for each path';

/** What is wrong with a module that could not be loaded or used; continues the name of its file. */
export function whyNotLoaded(error: unknown, file: string): string {
  return error instanceof ImportFailure ? error.message : ` cannot be imported: ${failureText(error, file)}`;
}

/** Imports a user's module and finds out how it is called. Throws ImportFailure, or what the module throws when it is looked at. */
export async function loadApplication(options: ApplicationOptions): Promise<Application> {
  const { file, style, timeoutMs } = options;
  const busy = await activityAtRest();
  const capture = captureListening();
  try {
    const exports = exportsOf(await importModule(file, timeoutMs));
    const recognised = await recognise(exports, style);
    if (recognised !== null) {
      await ready(recognised, timeoutMs);
      return { exports, ...served(recognised, options) };
    }
    const mayListen = style === null || style === "listen";
    if (mayListen) await untilListening(capture, busy, timeoutMs);
    if (!mayListen || capture.server === null) throw nothing(exports, style, capture);
    const listener = { style: "node", ...listenerOfServer(capture.server) } as const;
    return { exports, ...served(listener, options), style: "Node style, by the server that it starts" };
  } finally {
    capture.end();
  }
}

async function ready(recognised: Recognised, timeoutMs: number): Promise<void> {
  if (recognised.style !== "node" || recognised.ready === null) return;
  await inTime(Promise.resolve(recognised.ready()), timeoutMs, `it was not ready after ${timeoutMs / 1000} s`);
}

function served(recognised: Recognised, { scheme }: ApplicationOptions): Pick<Application, "style" | "serves"> {
  switch (recognised.style) {
    case "fetch":
      return { style: "fetch style", serves: { all: fetchStyle(recognised.fetch, scheme) } };
    case "node":
      return { style: "Node style", serves: { all: nodeStyle(recognised.listener, scheme) } };
    case "handlers":
      return { style: "handlers by path", serves: { byPath: recognised.handlers } };
  }
}

function nothing({ names }: Exports, style: AppStyle | null, { unusable }: Capture): ImportFailure {
  if (unusable !== null) {
    return new ImportFailure(
      ` starts a server of ${unusable}, whose requests are not those of HTTP/1.1: start one of node:http, or ${REMEDY}`,
    );
  }
  const has = names.length === 0 ? "nothing" : names.map((name) => JSON.stringify(name)).join(", ");
  const wanted = style === null ? "" : ` as --app-style ${style}`;
  return new ImportFailure(` cannot be served${wanted}: it exports ${has} and starts no server: ${REMEDY}`);
}

/** How often it is looked whether the module still does something. */
const LOOK_MS = 20;

/**
 * An application may connect to something before it listens, without a promise that could be awaited: waits as long as more is going on in this
 * thread than before the import.
 */
function untilListening(capture: Capture, before: number, timeoutMs: number): Promise<void> {
  const latestMs = performance.now() + timeoutMs;
  return new Promise((resolve) => {
    const done = (): void => {
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(() => {
      // Its own timer is one of them.
      if (activity() <= before + 1 || performance.now() > latestMs) done();
    }, LOOK_MS);
    capture.whenCaptured(done);
  });
}

/** Without what is only just ending. */
async function activityAtRest(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  return activity();
}

function activity(): number {
  return process.getActiveResourcesInfo().length;
}
