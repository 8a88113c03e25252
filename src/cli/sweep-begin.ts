import { driverNamed } from "../harness/drivers/drivers.js";
import { ratesFromCapacity } from "../harness/sweep/capacity.js";
import { checkTargets, type Probe } from "../harness/sweep/check.js";
import { trialSeconds } from "../harness/sweep/estimate.js";
import type { SweepResult } from "../harness/sweep/result.js";
import { createResultFile } from "../harness/sweep/store.js";
import { beginSweep, type NextBlocks } from "../harness/sweep/sweep.js";
import { usageError } from "../shared/errors.js";
import { packageRoot } from "../shared/package-root.js";
import { describeApplication, pathToMeasure } from "./describe-application.js";
import { checkOpenFiles } from "./open-files.js";
import { outputFolder } from "./output-folder.js";
import { appStyleOf, handlersFile, leavesLengthOpen, planOf } from "./sweep-plan.js";
import { untilNarrow } from "./sweep-until.js";
import { text, wholeNumber } from "./values/options.js";

export const DEFAULT_TRIAL_TIMEOUT_S = 300;

type Values = Readonly<Record<string, unknown>>;

/** A sweep whose file is there, without a trial. */
export interface BegunSweep {
  readonly file: string;
  readonly result: SweepResult;
  readonly probes: readonly Probe[];
}

/**
 * Makes the plan that the flags ask for, asks each server once, and makes the file of the result; `command` is how the result tells to make it
 * again. Throws a usage error that names the flag and what is allowed, and a LoopoolError where a server does not answer.
 */
export async function beginNew(
  flags: Values,
  command: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<BegunSweep> {
  const asked = planOf({ ...flags, path: flags["path"] ?? (await defaultPath(flags)) });
  checkOpenFiles(Math.max(...asked.concurrencies), asked.threads);
  if (asked.driver !== undefined) await driverNamed(asked.driver).version();
  const name = text("name", flags["name"] ?? "cores");
  if (!/^\w[\w.-]*$/.test(name)) {
    throw usageError(`--name may have letters, digits, "_", and after the first also "." and "-", not "${name}"`);
  }
  const out = flags["out"] === undefined ? undefined : text("out", flags["out"]);
  const checked = await checkTargets(asked, timeoutMs, signal);
  const plan = leavesLengthOpen(asked, flags) ? { ...asked, seconds: trialSeconds(checked.probes) } : asked;
  const result = beginSweep({ name, command, plan, packageFolder: packageRoot }, checked);
  return { file: await createResultFile(outputFolder("results", out), result), result, probes: checked.probes };
}

/** What a trial may take, ms. */
export function trialTimeoutOf(raw: unknown): number {
  return wholeNumber("trial-timeout", raw ?? DEFAULT_TRIAL_TIMEOUT_S, 1, 86_400) * 1000;
}

/** How a begun sweep finds out what is to be done after its plan: more blocks, rates, or nothing. */
export function nextBlocksOf(begun: SweepResult): NextBlocks {
  return begun.plan.until === undefined ? ratesFromCapacity : untilNarrow(begun);
}

/** What is measured where no --path was given: with handlers of the user's own never a page of ours. */
async function defaultPath({ handlers, "app-style": style }: Values): Promise<string | undefined> {
  if (handlers === undefined) return undefined;
  const file = handlersFile(text("handlers", handlers));
  return pathToMeasure(file, await describeApplication(file, style === undefined ? {} : { style: appStyleOf(style) }));
}
