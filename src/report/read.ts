import { readFile } from "node:fs/promises";
import { latencyOf } from "../drivers/latency.js";
import type { GeneratorResult } from "../drivers/result.js";
import { noErrors } from "../load/run-result.js";
import { messageOf, usageError } from "../shared/errors.js";
import type { SweepResult } from "../sweep/result.js";

type Kind = "string" | "number" | "boolean" | "object" | "array" | "string?" | "object?" | "number?";

/** The fields a report reads, with their kinds; "?" allows null. */
const shapes = {
  sweep: {
    name: "string",
    command: "string",
    startedAt: "string",
    finishedAt: "string?",
    plan: "object",
    environment: "object",
    trials: "array",
  },
  plan: {
    cores: "array",
    concurrencies: "array",
    requests: "number",
    warmupRequests: "number",
    trials: "number",
    path: "string",
    keepAlive: "boolean",
    seed: "number",
    workers: "number",
    handlers: "string?",
    pinning: "object",
  },
  twin: { name: "string", of: "string" },
  until: { halfWidth: "number", maxTrials: "number", maxSeconds: "number" },
  stopped: { code: "string", widest: "number?" },
  pinning: { server: "string?", generator: "string?", reason: "string" },
  environment: {
    cpuModel: "string",
    cores: "number",
    memoryBytes: "number",
    platform: "string",
    kernel: "string",
    node: "string",
    v8: "string",
    uv: "string",
    uws: "string",
    loopool: "string",
    commit: "string",
    openFilesLimit: "number?",
    loadAverage: "number",
  },
  trial: {
    core: "string",
    concurrency: "number",
    block: "number",
    run: "object?",
    server: "object?",
    failure: "string?",
  },
  run: {
    concurrency: "number",
    keepAlive: "boolean",
    requested: "number",
    sent: "number",
    completed: "number",
    errors: "object",
    keepAliveResponses: "number?",
    peakConnections: "number?",
    elapsedSeconds: "number",
    latency: "object",
    generator: "object",
  },
  server: {
    requests: "number",
    cpuUserMicros: "number",
    cpuSystemMicros: "number",
    elapsedMicros: "number",
    peakRssBytes: "number",
    eventLoopUtilization: "number",
  },
} as const satisfies Record<string, Record<string, Kind>>;

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** Throws the name of the first field that is missing or of another kind. */
function check(value: unknown, where: string, shape: Readonly<Record<string, Kind>>): void {
  if (kindOf(value) !== "object") throw new TypeError(`${where} is no object`);
  for (const [field, kind] of Object.entries(shape)) {
    const found = kindOf((value as Record<string, unknown>)[field]);
    const allowed = kind.endsWith("?") ? [kind.slice(0, -1), "null"] : [kind];
    if (!allowed.includes(found)) throw new TypeError(`${where}.${field} is ${found}, not ${allowed.join(" or ")}`);
  }
}

/** A histogram that was damaged in the file would give percentiles all the same. */
function checkLatencies({ latency }: GeneratorResult, where: string): void {
  try {
    latencyOf(latency.total);
  } catch (error) {
    throw new TypeError(`${where}.latency.total: ${messageOf(error)}`);
  }
}

function checkSweep(sweep: SweepResult): void {
  check(sweep, "result", shapes.sweep);
  check(sweep.plan, "plan", shapes.plan);
  check(sweep.plan.pinning, "plan.pinning", shapes.pinning);
  if (sweep.plan.twin !== undefined) check(sweep.plan.twin, "plan.twin", shapes.twin);
  if (sweep.plan.until !== undefined) check(sweep.plan.until, "plan.until", shapes.until);
  if (sweep.stopped !== undefined) check(sweep.stopped, "stopped", shapes.stopped);
  check(sweep.environment, "environment", shapes.environment);
  if (sweep.plan.cores.length === 0 || sweep.plan.concurrencies.length === 0)
    throw new TypeError("plan names no cells");
  for (const [index, trial] of sweep.trials.entries()) {
    check(trial, `trials[${index}]`, shapes.trial);
    if (trial.run !== null) {
      check(trial.run, `trials[${index}].run`, shapes.run);
      checkLatencies(trial.run, `trials[${index}].run`);
    }
    if (trial.server !== null) check(trial.server, `trials[${index}].server`, shapes.server);
  }
}

/**
 * Reads a stored sweep. Throws a usage error that names the file and what is wrong with it: missing, not JSON, another schema,
 * or a field that a report needs is not there.
 */
export async function readSweep(file: string): Promise<SweepResult> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw usageError(`cannot read ${file}: ${messageOf(error)}; name a result that a sweep wrote to bench/results`);
  });
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch (error) {
    throw usageError(`${file} is not JSON (${messageOf(error)}): name a result that a sweep wrote to bench/results`);
  }
  const schema = kindOf(stored) === "object" ? (stored as { schema?: unknown }).schema : undefined;
  if (schema !== "loopool-sweep/1") {
    throw usageError(
      `${file} is no sweep result: its schema is ${JSON.stringify(schema) ?? "missing"}, not "loopool-sweep/1"`,
    );
  }
  const sweep = stored as SweepResult;
  try {
    checkSweep(sweep);
  } catch (error) {
    throw usageError(`${file} is not a whole sweep result: ${messageOf(error)}; run the sweep again`);
  }
  return completed(sweep);
}

/** A result of an older version lacks the classes that it did not tell apart, and open loops: it has none of these. */
function completed(sweep: SweepResult): SweepResult {
  const trials = sweep.trials.map(({ run, ...trial }) => ({
    ...trial,
    rate: trial.rate ?? null,
    run: run && { ...run, errors: { ...noErrors(), ...run.errors } },
  }));
  return { ...sweep, trials };
}
