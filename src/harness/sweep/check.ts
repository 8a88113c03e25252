import { LoopoolError, messageOf } from "../../shared/errors.js";
import { workSeconds } from "../drivers/rate.js";
import { type Asked, askOnce } from "../load/ask.js";
import { deadline } from "../load/deadline.js";
import type { LoadOptions } from "../load/request/options.js";
import { run } from "../load/run/run.js";
import { startCommandServer } from "./command-server.js";
import type { ServerFacts } from "./environment.js";
import { commandOf, externalTargetOf, isOurs } from "./plan.js";
import { eachKind, requestOptions, urlOf } from "./plan-options.js";
import type { StateDifference, SweepPlan } from "./result.js";
import { type ServerProcess, startServerProcess } from "./server-process.js";
import { answersOf, differenceOf, sequenceFor } from "./state-check.js";
import { type ServerScript, serveScript } from "./trial.js";

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
  /** Of every core and every command, in the order of the plan; servers that run already get no more than the one request. */
  readonly probes: readonly Probe[];
  /** To the first request of each kind, of every server. */
  readonly answers: readonly FirstAnswer[];
  /** Cores that answer otherwise than the first. */
  readonly stateDifferences: readonly StateDifference[];
}

/** What a server answered to its first request of a kind. */
export interface FirstAnswer {
  readonly name: string;
  readonly request: string;
  readonly status: number;
  readonly bodyBytes: number;
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
  const answers: FirstAnswer[] = [];
  const sequences: { readonly name: string; readonly answers: Awaited<ReturnType<typeof answersOf>> }[] = [];
  let facts = NO_SERVER;
  for (const { name, url } of plan.targets ?? []) {
    answers.push(
      ...(await askEach(requestOptions(plan, url), name, signal, limited, {
        said: `${name} does not answer at ${url}`,
        answered: `${name} answers ${url}`,
        remedy: `start it, or correct --target ${name}=URL`,
        code: "TARGET_NOT_READY",
      })),
    );
  }
  const compared = plan.handlers === null ? [] : plan.cores.filter((name) => isOurs(plan, name));
  const sequence = { value: sequenceFor(plan.workers, 0) };
  const started = plan.cores.filter((name) => externalTargetOf(plan, name) === undefined);
  // The base a second time: what its answers say only once is compared with nobody's.
  for (const [index, name] of [...started, ...(compared.length > 1 ? compared.slice(0, 1) : [])].entries()) {
    const isAgain = index === started.length;
    const beforeMs = performance.now();
    const server = await start(name, plan, limited, serverScript);
    try {
      const startMs = performance.now() - beforeMs;
      const options = requestOptions(plan, urlOf(plan, server.url));
      const askedMs = performance.now();
      const found = await askEach(options, name, signal, limited, {
        said: `${name} does not answer`,
        answered: `${name} answers`,
        remedy: remedyOf(plan, name),
        code: "PATH_NOT_SERVED",
        lastWords: () => wordsAtTheEnd(server),
      });
      if (compared.length > 1 && compared.includes(name)) {
        if (sequences.length === 0)
          sequence.value = sequenceFor(plan.workers, (performance.now() - askedMs) / found.length);
        sequences.push({ name, answers: await answersOf(options, sequence.value, limited) });
        signal.throwIfAborted();
      }
      if (isAgain) continue;
      answers.push(...found);
      if (facts === NO_SERVER && server.readStats !== undefined) facts = await server.readStats();
      probes.push({ name, startMs, ...(await probe(plan, options, limited)) });
      signal.throwIfAborted();
    } catch (error) {
      throw error instanceof LoopoolError || signal.aborted ? error : notStarted(error);
    } finally {
      await server.stop();
    }
  }
  return { facts, probes, answers, stateDifferences: differencesOf(sequences) };
}

/** Of each core to the first; the last sequence is the first core's, a second time. */
function differencesOf(
  sequences: readonly { readonly name: string; readonly answers: Awaited<ReturnType<typeof answersOf>> }[],
): readonly StateDifference[] {
  const [base, ...others] = sequences;
  const again = others.pop();
  if (base === undefined || again === undefined) return [];
  return others.flatMap(
    ({ name, answers }) => differenceOf({ core: name, base: base.name }, base.answers, again.answers, answers) ?? [],
  );
}

/** One request of each kind. */
async function askEach(
  options: LoadOptions,
  name: string,
  signal: AbortSignal,
  limited: AbortSignal,
  { said, answered, ...wording }: Wording,
): Promise<readonly FirstAnswer[]> {
  const answers: FirstAnswer[] = [];
  for (const one of eachKind(options)) {
    const request = one.kinds?.[0]?.name ?? `GET ${one.target.path}`;
    const asked = await askOnce(one, limited);
    signal.throwIfAborted();
    // A URL says what was asked for already.
    const what = wording.code === "TARGET_NOT_READY" && one.kinds === undefined ? "" : ` ${request}`;
    await checkAnswer(asked, { ...wording, said: `${said}${what}`, answered: `${answered}${what}` });
    answers.push({ name, request, status: asked.status!, bodyBytes: asked.bodyBytes });
  }
  return answers;
}

function remedyOf(plan: SweepPlan, name: string): string {
  if (commandOf(plan, name) !== undefined) return `correct --target-command ${name}=COMMAND, or name another request`;
  if (plan.traffic !== undefined)
    return "correct the handler, or the request; with --expect-status another status may be right";
  return plan.handlers === null ? "name another --path" : "correct the handler, or name another --path";
}

/** What a server said of a failure, and how it ended where it did so by itself. */
async function wordsAtTheEnd(server: StartedServer): Promise<string> {
  await server.stop();
  const how = await server.ended;
  return /^ended with code 0\b/.test(how) ? server.lastWords() : how;
}

/** A core of ours, or what a command has started: that keeps no stats. */
type StartedServer = Pick<ServerProcess, "url" | "stop" | "lastWords" | "ended"> &
  Partial<Pick<ServerProcess, "readStats">>;

async function start(
  name: string,
  plan: SweepPlan,
  signal: AbortSignal,
  serverScript: ServerScript,
): Promise<StartedServer> {
  const command = commandOf(plan, name);
  try {
    return command === undefined
      ? await startServerProcess(serverScript(name, plan, null), plan.pinning.server, signal)
      : await startCommandServer(command.command, plan.pinning.server, signal);
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

async function checkAnswer({ errorClass, status, text, connectFailure }: Asked, wording: Wording): Promise<void> {
  if (errorClass === null) return;
  const words = (await wording.lastWords?.()) ?? "";
  const server = words === "" ? "" : `; the server said: ${words}`;
  const body = text === "" ? "" : ` ("${text}")`;
  throw new LoopoolError(
    wording.code,
    status === null
      ? `${wording.said} (${errorClass}${errorClass === "connect-refused" || connectFailure === "" ? "" : `: ${connectFailure}`})${server}; no trial was run: ${wording.remedy}`
      : `${wording.answered} with status ${status}${body}, and only 2xx counts${server}; no trial was run: ${wording.remedy}`,
  );
}

/** An instant under full load. */
async function probe(
  plan: SweepPlan,
  asked: LoadOptions,
  signal: AbortSignal,
): Promise<Pick<Probe, "requestsPerSecond" | "meanLatencyMs">> {
  const concurrency = Math.max(...plan.concurrencies);
  const options = { ...asked, requests: Number.POSITIVE_INFINITY, durationMs: PROBE_MS, concurrency };
  const found = await run(options, signal);
  const { sum, count } = found.latency.total;
  return {
    requestsPerSecond: found.completed / workSeconds(found),
    meanLatencyMs: count === 0 ? 0 : sum / count / 1e6,
  };
}
