import { messageOf } from "../../shared/errors.js";
import { listeningIn } from "../listening-line.js";
import { type Child, startChild } from "./child.js";
import { type PhaseMeans, phases, type ServerAccounting } from "./result.js";

/** A server that runs as a process of its own, seen from outside: its one line on standard output and its /stats.json. */
export interface ServerProcess {
  readonly url: string;
  /** Rejects with how the server ended when it no longer answers; it is stopped then. */
  readStats(): Promise<ServerReading>;
  /** Asks it to drain and end; kills it if it does not. */
  stop(): Promise<void>;
  /** The last that it wrote to standard error so far, in one line. */
  lastWords(): string;
  /** Resolves when it has ended, with how, in words, and the last that it wrote. */
  readonly ended: Promise<string>;
}

/** One reading of /stats.json: counters since the server's start. */
export interface ServerReading {
  /** Requests received, this one included. */
  readonly requests: number;
  readonly shed: number;
  readonly handlerErrors: number;
  readonly aborted: number;
  readonly cpuUserMicros: number;
  readonly cpuSystemMicros: number;
  readonly uptimeMicros: number;
  readonly peakRssBytes: number;
  readonly eventLoop: { readonly activeMs: number; readonly idleMs: number; readonly delayMaxMs: number };
  /** Sums over the requests measured so far. */
  readonly phases: Readonly<Record<(typeof phases)[number], { readonly count: number; readonly sumMicros: number }>>;
  readonly uws: string;
  readonly iterationsPerMicro: number;
}

const STOP_TIMEOUT_MS = 5000;

/**
 * Starts a server, by a script and its arguments, and waits for its line. It must take --port and --host as `serve` does. Throws an Error with what it wrote to standard error when it ends before.
 */
export async function startServerProcess(
  script: readonly string[],
  cpus: string | null,
  signal: AbortSignal,
): Promise<ServerProcess> {
  const child = startChild([...script, "--port", "0", "--host", "127.0.0.1"], cpus, signal);
  const url = await listeningUrl(child);
  const stop = async (): Promise<void> => {
    child.process.kill("SIGTERM");
    const timer = setTimeout(() => child.process.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await child.ended;
    clearTimeout(timer);
  };
  return {
    url,
    async readStats() {
      try {
        return await readStats(url, signal);
      } catch (error) {
        // The connection fails before we hear that the process ended: wait for that, its last words say why.
        await stop();
        throw new Error(`${url}/stats.json cannot be read (${causeOf(error)}); the server ${await child.ended}`);
      }
    },
    stop,
    lastWords: child.lastWords,
    ended: child.ended,
  };
}

function listeningUrl(child: Child): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.process.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      const line = listeningIn(output);
      if (line !== null) resolve(line.url);
    });
    child.ended.then((how) => reject(new Error(`before it listened the server ${how}`)));
  });
}

async function readStats(url: string, signal: AbortSignal): Promise<ServerReading> {
  // A connection of its own: it must not be one of those that are measured, nor stay open.
  const response = await fetch(`${url}/stats.json`, { headers: { Connection: "close" }, signal });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const stats = (await response.json()) as Record<string, unknown>;
  const eventLoop = stats["eventLoop"] as Record<string, unknown> | undefined;
  const measured = stats["phases"] as Record<string, Record<string, unknown>> | undefined;
  const numbers = [
    "requests",
    "shed",
    "handlerErrors",
    "aborted",
    "cpuUserMicros",
    "cpuSystemMicros",
    "uptimeMicros",
    "peakRssBytes",
    "iterationsPerMicro",
  ];
  const missing = [
    ...numbers.filter((name) => typeof stats[name] !== "number"),
    ...["activeMs", "idleMs", "delayMaxMs"].filter((name) => typeof eventLoop?.[name] !== "number"),
    ...phases.filter((name) => typeof measured?.[name]?.["sumMicros"] !== "number"),
    ...(typeof stats["uws"] === "string" ? [] : ["uws"]),
  ];
  if (missing.length > 0) throw new Error(`it lacks ${missing.join(", ")}`);
  return stats as unknown as ServerReading;
}

/** fetch says "fetch failed" of everything; the reason is in its cause. */
function causeOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}

/** What happened between two readings. The second reading's own request is not counted. */
export function accountingBetween(before: ServerReading, after: ServerReading): ServerAccounting {
  const activeMs = after.eventLoop.activeMs - before.eventLoop.activeMs;
  const idleMs = after.eventLoop.idleMs - before.eventLoop.idleMs;
  return {
    requests: after.requests - before.requests - 1,
    shed: after.shed - before.shed,
    handlerErrors: after.handlerErrors - before.handlerErrors,
    aborted: after.aborted - before.aborted,
    cpuUserMicros: after.cpuUserMicros - before.cpuUserMicros,
    cpuSystemMicros: after.cpuSystemMicros - before.cpuSystemMicros,
    elapsedMicros: after.uptimeMicros - before.uptimeMicros,
    peakRssBytes: after.peakRssBytes,
    eventLoopUtilization: activeMs + idleMs > 0 ? activeMs / (activeMs + idleMs) : 0,
    eventLoopDelayMaxMs: after.eventLoop.delayMaxMs,
    phases: phaseMeans(before, after),
  };
}

function phaseMeans(before: ServerReading, after: ServerReading): PhaseMeans | null {
  const count = after.phases.wait.count - before.phases.wait.count;
  if (count === 0) return null;
  const mean = (name: keyof PhaseMeans): number =>
    (after.phases[name].sumMicros - before.phases[name].sumMicros) / count;
  return { wait: mean("wait"), handler: mean("handler"), back: mean("back"), write: mean("write") };
}
