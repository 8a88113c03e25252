import { driverNamed } from "../harness/drivers/drivers.js";
import { ratesFromCapacity } from "../harness/sweep/capacity.js";
import { type Checked, checkTargets } from "../harness/sweep/check.js";
import { trialSeconds } from "../harness/sweep/estimate.js";
import { type ReadyVersion, readyVersion } from "../harness/sweep/other-version.js";
import { misfitOfPlan, withOtherVersion } from "../harness/sweep/plan.js";
import type { SweepResult } from "../harness/sweep/result.js";
import { createResultFile } from "../harness/sweep/store.js";
import { beginSweep, type NextBlocks } from "../harness/sweep/sweep.js";
import { type ServerScript, serveScript } from "../harness/sweep/trial.js";
import { usageError } from "../shared/errors.js";
import { packageRoot } from "../shared/package-root.js";
import { describeApplication, pathToMeasure } from "./describe-application.js";
import { checkOpenFiles } from "./open-files.js";
import { outputFolder } from "./output-folder.js";
import { appStyleOf, handlersFile, leavesLengthOpen, planOf } from "./sweep-plan.js";
import { trafficOf, withRequest } from "./sweep-traffic.js";
import { untilNarrow } from "./sweep-until.js";
import { text, wholeNumber } from "./values/options.js";

export const DEFAULT_TRIAL_TIMEOUT_S = 300;

type Values = Readonly<Record<string, unknown>>;

/** A sweep whose file is there, without a trial. */
export interface BegunSweep {
  readonly file: string;
  readonly result: SweepResult;
  readonly checked: Checked;
  /** What a user must know before the first trial, a sentence each. */
  readonly notes: readonly string[];
  /** Starts the servers of its cores. */
  readonly serverScript: ServerScript;
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
  const argv = withRequest(flags);
  const path = argv["path"] ?? (argv["requests-file"] === undefined ? await defaultPath(argv) : "/");
  const { traffic, notes } = await trafficOf(argv, path === undefined ? "/" : text("path", path));
  const asked = planOf({ ...argv, path }, traffic);
  checkOpenFiles(Math.max(...asked.concurrencies), asked.threads);
  if (asked.driver !== undefined) await driverNamed(asked.driver).version();
  const name = text("name", flags["name"] ?? "cores");
  if (!/^\w[\w.-]*$/.test(name)) {
    throw usageError(`--name may have letters, digits, "_", and after the first also "." and "-", not "${name}"`);
  }
  const out = flags["out"] === undefined ? undefined : text("out", flags["out"]);
  const other = await otherVersionOf(flags["against"], signal);
  try {
    const whole = other === null ? asked : withOtherVersion(asked, other.version);
    const misfit = misfitOfPlan(whole);
    if (misfit !== null) throw usageError(`--against asks for too much: ${misfit}`);
    const { serverScript = serveScript } = other ?? {};
    const checked = await checkTargets(whole, timeoutMs, signal, serverScript);
    const plan = leavesLengthOpen(whole, argv) ? { ...whole, seconds: trialSeconds(checked.probes) } : whole;
    const result = beginSweep({ name, command, plan, packageFolder: packageRoot }, checked);
    const file = await createResultFile(outputFolder("results", out), result);
    return { file, result, checked, notes, serverScript };
  } catch (error) {
    other?.remove();
    throw error;
  }
}

/** The version that `--against` names, made ready; null without it. It is removed when this process ends. */
export async function otherVersionOf(against: unknown, signal: AbortSignal): Promise<ReadyVersion | null> {
  if (against === undefined) return null;
  return await readyVersion(text("against", against), packageRoot, signal);
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
