import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DriverOptions } from "./driver.js";

/** The request of a run as tools take it. */
export interface ToolRequest {
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | null;
}

/** A run's only kind of request: `checkDriverOptions` has refused several. */
export function requestOf({ kinds = [], headers }: Pick<DriverOptions, "kinds" | "headers">): ToolRequest {
  const [kind] = kinds;
  return {
    method: kind?.method ?? "GET",
    headers: [...headers, ...(kind?.headers ?? [])],
    body: kind?.body ?? null,
  };
}

/** Has the request's body in a file while a tool runs; null without one. */
export async function withBodyFile<T>(options: DriverOptions, run: (file: string | null) => Promise<T>): Promise<T> {
  const { body } = requestOf(options);
  if (body === null) return await run(null);
  const folder = await mkdtemp(join(tmpdir(), "loopool-body-"));
  try {
    const file = join(folder, "body");
    await writeFile(file, body, { mode: 0o600 });
    return await run(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
