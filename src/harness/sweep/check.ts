import { LoopoolError, messageOf } from "../../shared/errors.js";
import { workSeconds } from "../drivers/rate.js";
import { type Asked, askOnce } from "../load/ask.js";
import { deadline } from "../load/deadline.js";
import { type LoadOptions, targetOf as urlTarget } from "../load/options.js";
import { run } from "../load/run.js";
import type { ServerFacts } from "./environment.js";
import { externalTargetOf } from "./plan.js";
import type { SweepPlan } from "./result.js";
import { type ServerProcess, startServerProcess } from "./server-process.js";
import { type ServerScript, serveScript } from "./trial.js";

/** As long as `load` allows a request. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Long enough for a figure of the right size: it decides how long trials are, and is in no report. */
const PROBE_MS = 250;

/** What a short, unmeasured run against one core found, at the highest concurrency of the sweep. */
export interface Probe {
  readonly name: string;
  /** Successes; 0: none. */
  readonly requestsPerSecond: number;
  readonly meanLatencyMs: number;
  /** What its server took to start. */
  readonly startMs: number;
}

/** What is known before the first trial. */
export interface Checked {
  readonly facts: ServerFacts;
  /** Of every core, in the order of the plan; servers that are not ours get no more than the one request. */
  readonly probes: readonly Probe[];
}

/** What a sweep without a core of ours has instead. */
const NO_SERVER: ServerFacts = { uws: "not used", iterationsPerMicro: 1 };

/**
 * Asks every target and every core of a plan for its path, once, by the client that the trials use, and cores then for an instant as fast as
 * they can. Rejects with a LoopoolError when a server does not start or does not answer with success, since no trial would: it says the status
 * and what the server said about it.
 */
export async function checkTargets(
  plan: SweepPlan,
  timeoutMs: number,
  signal: AbortSignal,
  serverScript: ServerScript = serveScript,
): Promise<Checked> {
  const limited = deadline(signal, timeoutMs);
  try {
    return await checkEach(plan, signal, limited.signal, serverScript);
  } finally {
    limited.clear();
  }
}

async function checkEach(
  plan: SweepPlan,
  signal: AbortSignal,
  limited: AbortSignal,
  serverScript: ServerScript,
): Promise<Checked> {
  const probes: Probe[] = [];
  let facts = NO_SERVER;
  const isOurs = (name: string): boolean => externalTargetOf(plan, name) === undefined;
  for (const { name, url } of plan.targets ?? []) {
    const asked = await askOnce(optionsOf(plan, url), limited);
    signal.throwIfAborted();
    await checkAnswer(asked, {
      said: `${name} does not answer at ${url}`,
      answered: `${name} answers ${url}`,
      remedy: `start it, or correct --target ${name}=URL`,
      code: "TARGET_NOT_READY",
    });
  }
  for (const name of plan.cores.filter(isOurs)) {
    const beforeMs = performance.now();
    const server = await start(serverScript(name, plan, null), plan, limited);
    try {
      const startMs = performance.now() - beforeMs;
      const url = `${server.url}${plan.path}`;
      const asked = await askOnce(optionsOf(plan, url), limited);
      signal.throwIfAborted();
      await checkAnswer(asked, {
        said: `${name} does not answer GET ${plan.path}`,
        answered: `${name} answers GET ${plan.path}`,
        remedy: plan.handlers === null ? "name another --path" : "correct the handler, or name another --path",
        code: "PATH_NOT_SERVED",
        lastWords: () => wordsAtTheEnd(server),
      });
      if (facts === NO_SERVER) facts = await server.readStats();
      probes.push({ name, startMs, ...(await probe(plan, url, limited)) });
      signal.throwIfAborted();
    } catch (error) {
      throw error instanceof LoopoolError || signal.aborted ? error : notStarted(error);
    } finally {
      await server.stop();
    }
  }
  return { facts, probes };
}

/** What a server said of a failure, and how it ended where it did so by itself. */
async function wordsAtTheEnd(server: ServerProcess): Promise<string> {
  await server.stop();
  const how = await server.ended;
  return /^ended with code 0\b/.test(how) ? server.lastWords() : how;
}

async function start(script: readonly string[], plan: SweepPlan, signal: AbortSignal): Promise<ServerProcess> {
  try {
    return await startServerProcess(script, plan.pinning.server, signal);
  } catch (error) {
    throw notStarted(error);
  }
}

function notStarted(error: unknown): LoopoolError {
  return new LoopoolError("SERVER_NOT_STARTED", `no trial can be run: ${messageOf(error)}`);
}

/** How a failure is worded. */
interface Wording {
  /** Before the class of a request without a response. */
  readonly said: string;
  /** Before the status of a response. */
  readonly answered: string;
  readonly remedy: string;
  readonly code: string;
  /** What a server of ours wrote to standard error. */
  lastWords?(): Promise<string>;
}

async function checkAnswer({ errorClass, status, text }: Asked, wording: Wording): Promise<void> {
  if (errorClass === null) return;
  const words = (await wording.lastWords?.()) ?? "";
  const server = words === "" ? "" : `; the server said: ${words}`;
  const body = text === "" ? "" : ` ("${text}")`;
  throw new LoopoolError(
    wording.code,
    status === null
      ? `${wording.said} (${errorClass})${server}; no trial was run: ${wording.remedy}`
      : `${wording.answered} with status ${status}${body}, and only 2xx counts${server}; no trial was run: ${wording.remedy}`,
  );
}

/** An instant under full load. */
async function probe(
  plan: SweepPlan,
  url: string,
  signal: AbortSignal,
): Promise<Pick<Probe, "requestsPerSecond" | "meanLatencyMs">> {
  const concurrency = Math.max(...plan.concurrencies);
  const options = { ...optionsOf(plan, url), requests: Number.POSITIVE_INFINITY, durationMs: PROBE_MS, concurrency };
  const found = await run(options, signal);
  const { sum, count } = found.latency.total;
  return {
    requestsPerSecond: found.completed / workSeconds(found),
    meanLatencyMs: count === 0 ? 0 : sum / count / 1e6,
  };
}

function optionsOf({ keepAlive }: SweepPlan, url: string): LoadOptions {
  return {
    target: urlTarget(url),
    requests: 1,
    concurrency: 1,
    keepAlive,
    timeoutMs: REQUEST_TIMEOUT_MS,
    headers: [],
    byFirstByte: false,
  };
}
