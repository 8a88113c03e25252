import { setUpEnvironment } from "../app/environment.js";
import type { AppStyle } from "../shared/app-style.js";
import { importHandlers } from "../shared/dispatch/import-handlers.js";
import { messageOf } from "../shared/errors.js";

/** What the parent wants to know: one JSON argument. */
export interface Asked {
  readonly file: string;
  readonly style: AppStyle | null;
  readonly envFile: string | null;
}

/** What an application is, from the outside. */
export interface Described {
  /** What it is taken for, in words: "fetch style". */
  readonly style: string;
  /** The paths it has handlers for; null: it takes every path. */
  readonly paths: readonly string[] | null;
  /** What NODE_ENV is for it. */
  readonly nodeEnv: string;
}

/** What this process sends to its parent. */
export type Answer = { readonly described: Described } | { readonly error: string };

async function describe({ file, style, envFile }: Asked): Promise<Described> {
  setUpEnvironment(envFile);
  const { byPath, fallback, application } = await importHandlers(file, { style });
  return {
    style: application?.style ?? "",
    paths: fallback === null ? Object.keys(byPath) : null,
    nodeEnv: process.env["NODE_ENV"] ?? "",
  };
}

const answer: Answer = await describe(JSON.parse(process.argv[2]!) as Asked).then(
  (described) => ({ described }),
  (error: unknown) => ({ error: messageOf(error) }),
);
process.send?.(answer);
