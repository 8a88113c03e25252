import type { Interval } from "../statistics/interval.js";
import type { Load } from "../sweep/plan.js";

/** How figures and text are written in a report. */

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A whole number with groups of three: 132,412. */
export function whole(value: number): string {
  return grouped.format(value);
}

/** Three significant digits, or all digits of the whole part: 0.0712, 0.710, 12.3, 1,234. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 99.95) return whole(value);
  return value === 0 ? "0" : value.toPrecision(3);
}

/** A share as a percentage without decimals: 97%. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return "–";
  return `${Math.round(share * 100)}%`;
}

/** By how much a ratio above 1 lies above it: 1.0234 is 2.3%. */
export function percentAbove(value: number): string {
  return `${((value - 1) * 100).toFixed(1)}%`;
}

/** "c=100", or in an open loop "c=100, 2,000/s"; where the CPUs vary also "c=100, 2 CPUs". */
export function loadText({ concurrency, rate, serverCpus }: Load): string {
  const cpus = serverCpus === undefined ? "" : `, ${counted(serverCpus, "CPU")}`;
  return rate === null ? `c=${concurrency}${cpus}` : `c=${concurrency}, ${whole(rate)}/s${cpus}`;
}

/** The same of several, each concurrency and rate: "c=10, 100 and 250". */
export function loadsText(loads: readonly Load[]): string {
  return loads.some(({ rate, serverCpus }) => rate !== null || serverCpus !== undefined)
    ? listed(loads.map((load) => `(${loadText(load)})`))
    : `c=${listed(loads.map(({ concurrency }) => concurrency))}`;
}

/** A tick of an axis: 120k, 1.5M, 0.2. */
export function tick(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

/** `value [low – high]`, or the value alone where there is no interval. */
export function estimate(value: number, interval: Interval | null, format: (value: number) => string): string {
  if (!Number.isFinite(value)) return "–";
  return interval === null ? format(value) : `${format(value)} [${format(interval.low)} – ${format(interval.high)}]`;
}

/**
 * A ratio and its interval with two decimals; with more where two would show a bound as 1.00 that is not 1, so that the figures never
 * contradict the verdict beside them.
 */
export function ratio(value: number, interval: Interval | null): { readonly value: string; readonly interval: string } {
  const bounds = interval === null ? [] : [interval.low, interval.high];
  let decimals = 2;
  while (decimals < 5 && bounds.some((bound) => bound !== 1 && Number(bound.toFixed(decimals)) === 1)) decimals++;
  const text = bounds.map((bound) => bound.toFixed(decimals)).join(", ");
  return { value: value.toFixed(decimals), interval: interval === null ? "" : `[${text}]` };
}

/** "a", "a and b", "a, b and c". */
export function listed(items: readonly (string | number)[], word = "and"): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? String(last) : `${items.slice(0, -1).join(", ")} ${word} ${last}`;
}

/** "1 trial", "2 trials". */
export function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** What a handler costs, with two significant digits: "0 µs", "38 µs", "1.2 ms". */
export function costText(micros: number): string {
  const [value, unit] = micros < 999.5 ? [micros, "µs"] : [micros / 1000, "ms"];
  return `${Number(value.toPrecision(2))} ${unit}`;
}
