import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LoopoolError, usageError } from "../shared/errors.js";
import type { Metrics } from "../shared/stats/metrics.js";
import { terminalJson } from "../shared/terminal-text.js";
import { type ListeningAddress, mirrorFolder, mirrorPath } from "../stats-mirror/format.js";
import { type IntervalMetrics, intervalBetween } from "../stats-mirror/interval.js";
import { livePorts } from "../stats-mirror/leftovers.js";
import { mirroredMetrics, readMirror } from "../stats-mirror/reader.js";
import type { Command } from "./command.js";
import { called } from "./invocation.js";
import { whenOutputIsLost } from "./output.js";
import { exitCodeOf } from "./signals.js";
import { statsView } from "./stats-view.js";
import { text, wholeNumber, withValues } from "./values/options.js";

const DEFAULT_PORT = 9090;
const DEFAULT_INTERVAL_S = 1;
/** A mirror that is this many times its interval old is not being written: the view says so. */
const OLD_AFTER_INTERVALS = 10;
/** Intervals in the sparkline. */
const HISTORY = 30;

const options = {
  port: { describe: `port of the server on this machine [default: ${DEFAULT_PORT}]` },
  unix: { describe: "or the path of its Unix-domain socket" },
  interval: { describe: `seconds between two readings [default: ${DEFAULT_INTERVAL_S}]` },
} as const;

/** `loopool stats`: what a server on this machine does now, read from its shared memory and not through its port. */
export const statsCommand: Command = {
  options: (yargs) =>
    yargs
      .options(withValues(options))
      .option("json", {
        describe: "one line of JSON for each reading, as in /stats.json",
        type: "boolean",
        default: false,
      })
      .option("once", { describe: "one reading, then end", type: "boolean", default: false })
      .example(called("stats"), "the server on port 9090, live; Ctrl-C ends it")
      .example(called("stats --port 8080 --once --json"), "one reading for a script"),
  handler: stats,
};

async function stats(argv: Readonly<Record<string, unknown>>): Promise<void> {
  const listeningAddress = listeningAddressOf(argv);
  const intervalMs = seconds("interval", argv["interval"] ?? String(DEFAULT_INTERVAL_S)) * 1000;
  const once = argv["once"] === true;
  const screen = argv["json"] === true ? null : new Screen(process.stdout, process.stdout.isTTY && !once);
  endQuietly(screen);

  let last: Metrics | null = null;
  const rates: number[] = [];
  for (;;) {
    const { metrics, note } = await read(listeningAddress, last?.pid);
    const interval: IntervalMetrics | null = last === null ? null : intervalBetween(last, metrics);
    if (interval !== null) rates.push(interval.requestsPerSecond);
    if (rates.length > HISTORY) rates.shift();
    if (screen === null) process.stdout.write(`${terminalJson(metrics)}\n`);
    else screen.show([...statsView(metrics, interval, rates), ...note]);
    if (once) return;
    last = metrics;
    await delay(intervalMs);
  }
}

function listeningAddressOf(argv: Readonly<Record<string, unknown>>): ListeningAddress {
  if (argv["unix"] === undefined) return wholeNumber("port", argv["port"] ?? DEFAULT_PORT, 1, 65535);
  if (argv["port"] !== undefined) throw usageError("--unix and --port are two servers: leave one out");
  return resolve(text("unix", argv["unix"]));
}

/** `watched` is the pid of the server that was read before: its end is told as such. */
async function read(
  listeningAddress: ListeningAddress,
  watched: number | undefined,
): Promise<{ readonly metrics: Metrics; readonly note: readonly string[] }> {
  try {
    const reading = await readMirror(mirrorPath(listeningAddress));
    const ageMs = performance.timeOrigin + performance.now() - reading.state.details.takenAtMs;
    const isOld = ageMs > reading.description.intervalMs * OLD_AFTER_INTERVALS;
    const note = isOld
      ? ["", `These metrics are ${(ageMs / 1000).toFixed(1)} s old: the server does not write new ones.`]
      : [];
    return { metrics: mirroredMetrics(reading), note };
  } catch (error) {
    if (!(error instanceof LoopoolError)) throw error;
    const isGone = error.code === "MIRROR_ABSENT" || error.code === "MIRROR_STALE";
    if (isGone && watched !== undefined) {
      throw new LoopoolError("SERVER_ENDED", `the server with pid ${watched} has ended`);
    }
    if (error.code !== "MIRROR_ABSENT") throw error;
    const where = typeof listeningAddress === "number" ? `port ${listeningAddress}` : listeningAddress;
    throw new LoopoolError(error.code, `no server shows its stats for ${where} (${error.message})${others()}`);
  }
}

/** Where else one could look. */
function others(): string {
  const ports = livePorts(mirrorFolder());
  if (ports.length === 0) return `: start one with "${called("serve")}", or name its port with --port`;
  return `: name another port with --port; servers are at ${ports.join(", ")}`;
}

/** Writes each view over the one before, on a terminal; one after the other elsewhere. */
class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #isLive: boolean;
  #lines = 0;

  constructor(stream: NodeJS.WriteStream, isLive: boolean) {
    this.#stream = stream;
    this.#isLive = isLive;
    if (isLive) stream.write("\x1b[?25l");
  }

  show(lines: readonly string[]): void {
    if (!this.#isLive) {
      this.#stream.write(`${lines.join("\n")}\n\n`);
      return;
    }
    // Longer lines would wrap, taller views scroll, and the next view would not find its place.
    // A terminal that does not know its size says 0.
    const columns = this.#stream.columns || 80;
    const rows = this.#stream.rows || 24;
    const fitting = lines.slice(0, rows - 1).map((line) => `${line.slice(0, columns - 1)}\x1b[K\n`);
    this.#stream.write(`${this.#lines > 0 ? `\x1b[${this.#lines}A` : ""}${fitting.join("")}\x1b[J`);
    this.#lines = fitting.length;
  }

  /** Leaves the terminal as it was. */
  end(): void {
    if (this.#isLive) this.#stream.write("\x1b[?25h");
  }
}

/** Ctrl-C is how a live view ends, and so is the end of the program that it is piped into: neither is a failure. */
function endQuietly(screen: Screen | null): void {
  process.once("exit", () => screen?.end());
  process.once("SIGINT", () => process.exit(0));
  process.once("SIGTERM", () => process.exit(0));
  whenOutputIsLost((exitCode) => process.exit(exitCode === exitCodeOf("SIGPIPE") ? 0 : exitCode));
}

function seconds(flag: string, raw: unknown): number {
  const value = Number(text(flag, raw));
  if (value >= 0.1 && value <= 3600) return value;
  throw usageError(`--${flag} must be a number of seconds from 0.1 to 3600, not "${String(raw)}"`);
}
