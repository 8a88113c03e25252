import { isUtf8 } from "node:buffer";
import { usageError } from "../../shared/errors.js";
import type { LoadOptions } from "../load/request/options.js";
import type { Driver, DriverOptions } from "./driver.js";

/**
 * Throws a usage error that names the flag where a tool cannot do what it is asked: nothing is left out in silence. `warmUp` is what
 * --warmup asks for, if anything.
 */
export function checkDriverOptions(
  driver: Driver,
  options: LoadOptions & Pick<DriverOptions, "threads">,
  warmUp: LoadOptions | null,
): void {
  const { name, capabilities } = driver;
  const cannot = (flag: string, what: string): never => {
    throw usageError(`--driver ${name} cannot ${what}: leave out --${flag}, or use loopool's own generator`);
  };
  const [kind, ...others] = options.kinds ?? [];
  if (others.length > 0) cannot("requests-file", "send several kinds of request");
  if (kind !== undefined && kind.body !== null && !capabilities.binaryBodies && !isUtf8(kind.body)) {
    cannot("body-file", "send a body that is not text in UTF-8");
  }
  if ((options.fields ?? null) !== null) cannot("fields", "fill requests from a file");
  if (kind !== undefined && kind.body === null && !includes(capabilities.methods, kind.method)) {
    cannot("method", `send ${kind.method}${includes(capabilities.bodies, kind.method) ? " without a body" : ""}`);
  }
  if (kind !== undefined && kind.body !== null && !includes(capabilities.bodies, kind.method)) {
    cannot(capabilities.bodies.length === 0 ? "body" : "method", `send a body with ${kind.method}`);
  }
  if (kind !== undefined && kind.statuses !== null)
    cannot("expect-status", "take another status than 2xx for a success");
  if (options.target.socketPath) cannot("unix-socket", "connect to a Unix-domain socket");
  if (options.target.tls) cannotReach(name, options.target.url);
  if ((options.rate ?? null) !== null) cannot("rate", "send at fixed times and count latency from these");
  if (options.bodySha256 === "") cannot("verify", "compare bodies by hash");
  if ((options.bodySha256 ?? null) !== null) cannot("sha256", "compare bodies by hash");
  if (options.byFirstByte) cannot("by-first-byte", "tell latencies apart by the first byte");
  if ((options.localAddress ?? null) !== null) cannot("local-address", "be given an address to connect from");
  if (!options.keepAlive && !capabilities.newConnections)
    cannot("no-keep-alive", "make a new connection for every request");
  if ((options.threads ?? 1) > 1 && !capabilities.threads) cannot("threads", "send from more than one thread");
  checkEnd(driver, options);
  if (warmUp !== null) checkEnd(driver, warmUp, "warmup");
  checkStep(driver, "timeout", options.timeoutMs, capabilities.timeoutStepMs);
}

function includes(methods: "all" | readonly string[], method: string): boolean {
  return methods === "all" || methods.includes(method);
}

function cannotReach(name: string, url: string): never {
  throw usageError(`--driver ${name} is used with http:// only, not ${url}: use loopool's own generator`);
}

function checkEnd(driver: Driver, { requests, durationMs = null }: LoadOptions, warmUp?: "warmup"): void {
  const { name, capabilities } = driver;
  const counted = Number.isFinite(requests);
  const asked = durationMs === null ? "requests" : counted ? "either" : "duration";
  if (!capabilities.ends.includes(asked)) {
    const remedies = {
      requests: `--driver ${name} cannot stop after a number of requests: give ${warmUp ? '--warmup in seconds, like "2s"' : "--duration"}`,
      duration: `--driver ${name} cannot stop after a time: give ${warmUp ? "--warmup as a number" : "--requests"}`,
      either: `--driver ${name} takes either --requests or --duration, not both: leave out one`,
    };
    throw usageError(remedies[asked]);
  }
  if (durationMs !== null) checkStep(driver, warmUp ?? "duration", durationMs, capabilities.durationStepMs);
}

function checkStep({ name }: Driver, flag: string, valueMs: number, stepMs: number): void {
  if (valueMs % stepMs === 0) return;
  throw usageError(`--driver ${name} takes --${flag} in steps of ${stepMs / 1000} s, not ${valueMs / 1000} s`);
}
