import { readFile } from "node:fs/promises";
import { messageOf, usageError } from "../../shared/errors.js";
import { damagedHistogram } from "../report/read.js";
import { misfitOf } from "../report/schema.js";
import { misfitOfPoints } from "./plan.js";
import type { BreakEvenResult } from "./result.js";

const SCHEMA = "loopool-break-even/1";

/**
 * Reads a stored break-even. Throws a usage error that names the file and what is wrong with it: missing, not JSON, of another kind, a place
 * inside it that is not as the schema says, or a histogram that contradicts itself.
 */
export async function readBreakEven(file: string): Promise<BreakEvenResult> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw usageError(`cannot read ${file}: ${messageOf(error)}; name a result that break-even wrote`);
  });
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch (error) {
    throw usageError(`${file} is not JSON (${messageOf(error)}): name a result that break-even wrote`);
  }
  const schema = typeof stored === "object" ? (stored as { schema?: unknown } | null)?.schema : undefined;
  if (schema !== SCHEMA) {
    throw usageError(
      `${file} is no result of break-even: its schema is ${JSON.stringify(schema) ?? "missing"}, not "${SCHEMA}"`,
    );
  }
  const misfit =
    (await misfitOf(SCHEMA, stored)) ??
    damagedPlan(stored as BreakEvenResult) ??
    damagedHistogram(stored as BreakEvenResult);
  if (misfit !== null) throw usageError(`${file} is not a whole result of break-even: ${misfit}; measure again`);
  return stored as BreakEvenResult;
}

/** What a schema cannot say. */
function damagedPlan({ plan, trials }: BreakEvenResult): string | null {
  const misfit = misfitOfPoints(plan);
  if (misfit !== null) return `plan: ${misfit}`;
  const strange = trials.findIndex(({ pass, core }) => plan.passes[pass] === undefined || !plan.cores.includes(core));
  return strange === -1 ? null : `trials[${strange}] is of no pass or core of the plan`;
}
