import { readFile } from "node:fs/promises";
import { messageOf, usageError } from "../../shared/errors.js";
import { countsOf, isHistogram } from "../load/histogram/histogram.js";
import { noErrors } from "../load/result/run-result.js";
import { misfitOfPlan } from "../sweep/plan.js";
import type { SweepResult } from "../sweep/result.js";
import { misfitOf } from "./schema.js";

const SCHEMA = "loopool-sweep/3";
/** Version 1 stored histograms in another form, which the schema describes too; version 2 had other names for two parts of a plan. */
const OLDER = ["loopool-sweep/1", "loopool-sweep/2"];

/**
 * Reads a stored sweep. Throws a usage error that names the file and what is wrong with it: missing, not JSON, another schema or another
 * version of it, a place inside it that is not as the schema says, or a histogram that contradicts itself.
 */
export async function readSweep(file: string): Promise<SweepResult> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw usageError(`cannot read ${file}: ${messageOf(error)}; name a result that a sweep wrote`);
  });
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch (error) {
    throw usageError(`${file} is not JSON (${messageOf(error)}): name a result that a sweep wrote`);
  }
  const schema = typeof stored === "object" ? (stored as { schema?: unknown } | null)?.schema : undefined;
  if (schema !== SCHEMA && !OLDER.includes(schema as string)) {
    const version = typeof schema === "string" && schema.startsWith("loopool-sweep/");
    throw usageError(
      version
        ? `${file} is a sweep result of another version, "${schema}": this loopool reads ${[...OLDER, SCHEMA].map((name) => `"${name}"`).join(", ")}; use the loopool that wrote it, or run the sweep again`
        : `${file} is no sweep result: its schema is ${JSON.stringify(schema) ?? "missing"}, not "${SCHEMA}"`,
    );
  }
  if (schema !== SCHEMA) renamePlan(stored);
  const misfit =
    (await misfitOf(SCHEMA, stored)) ?? damagedPlan(stored as SweepResult) ?? damagedHistogram(stored as SweepResult);
  if (misfit !== null) throw usageError(`${file} is not a whole sweep result: ${misfit}; run the sweep again`);
  return completed(stored as SweepResult);
}

/** Names of a plan before version 3. */
const FORMER_NAMES = { front: "adapter", twin: "control" } as const;

/** Gives what an older version stored in a plan its present name. A name that is no longer known is left for the schema to find. */
export function renamePlan(stored: unknown): void {
  const plan = (stored as { plan?: unknown } | null)?.plan;
  if (typeof plan !== "object" || plan === null) return;
  const keys = plan as Record<string, unknown>;
  for (const [former, name] of Object.entries(FORMER_NAMES)) {
    if (!Object.hasOwn(keys, former) || Object.hasOwn(keys, name)) continue;
    keys[name] = keys[former];
    delete keys[former];
  }
}

function damagedPlan({ plan }: SweepResult): string | null {
  const misfit = misfitOfPlan(plan);
  return misfit === null ? null : `plan: ${misfit}`;
}

/** A histogram that was damaged in the file would give percentiles all the same. */
export function damagedHistogram({ trials }: Pick<SweepResult, "trials">): string | null {
  for (const [index, { run }] of trials.entries()) {
    if (run === null) continue;
    const { latency, openLoop, totalByFirstByte } = run;
    const kinds = Object.fromEntries((run.kinds ?? []).map(({ name, total }) => [name, total]));
    for (const [place, histograms] of Object.entries({ latency, openLoop, totalByFirstByte, kinds })) {
      // Only the first is in every result.
      for (const [name, stored] of Object.entries(histograms ?? {})) {
        if (typeof stored !== "object" || !isHistogram(stored)) continue;
        try {
          countsOf(stored);
        } catch (error) {
          return `trials[${index}].run.${place}.${name}: ${messageOf(error)}`;
        }
      }
    }
  }
  return null;
}

/**
 * A result of an older version lacks the classes that it did not tell apart, and open loops: it has none of these. A sweep that is resumed goes
 * on in the present version.
 */
function completed(sweep: SweepResult): SweepResult {
  const trials = sweep.trials.map(({ run, ...trial }) => ({
    ...trial,
    rate: trial.rate ?? null,
    run: run && { ...run, errors: { ...noErrors(), ...run.errors } },
  }));
  return { ...sweep, schema: SCHEMA, trials };
}
