import { MAX_BODY_BYTES, type MirrorDescription, type MirrorDetails } from "./format.js";
import type { OpenMirror } from "./open.js";

/**
 * Whether what a mirror says is what a server of this version could have written. Sizes and places are within their bounds then, and every
 * figure is a finite number, so that a reader need not doubt them. Fields that are not known here are let through.
 */

/** Largest that a figure can sensibly be: beyond it JavaScript writes numbers with an exponent. */
const MAX_COUNT = 1e21;
const MAX_TEXT = 4096;
const MAX_NAMES = 4096;
const MAX_SLOT_COUNTERS = 2 ** 16;
const MAX_WORKERS = 4096;
/** Objects within objects: what is nested deeper could not be written out as JSON either. */
const MAX_DEPTH = 8;

type Fields = Readonly<Record<string, unknown>>;

/** Of a mirror that names this version: null where it is not the description of one. */
export function descriptionOf({ description }: OpenMirror): MirrorDescription | null {
  return isFields(description) && isShallow(description) && isDescription(description)
    ? (description as unknown as MirrorDescription)
    : null;
}

function isDescription({
  listeningAddress,
  facts,
  intervalMs,
  statsBytes,
  phasesBytes,
  statsLayout,
  phasesLayout,
}: Fields): boolean {
  if (!isFields(statsLayout) || !isFields(phasesLayout)) return false;
  const { fields, firstStatus, statuses, slotCounters } = statsLayout;
  const { recorded, counters, cellsPerDoubling } = phasesLayout;
  return (
    (isWhole(listeningAddress, 0, 65535) || isText(listeningAddress)) &&
    isFacts(facts) &&
    isCount(intervalMs) &&
    intervalMs > 0 &&
    isNames(fields) &&
    isWhole(firstStatus, 0, MAX_SLOT_COUNTERS) &&
    isWhole(statuses, 0, MAX_SLOT_COUNTERS) &&
    isWhole(slotCounters, fields.length + statuses, MAX_SLOT_COUNTERS) &&
    isWhole(statsBytes, 0, MAX_BODY_BYTES) &&
    statsBytes % (8 * Math.max(1, slotCounters)) === 0 &&
    isNames(recorded) &&
    isWhole(counters, 1, MAX_BODY_BYTES) &&
    isWhole(cellsPerDoubling, 1, MAX_BODY_BYTES) &&
    isWhole(phasesBytes, 0, MAX_BODY_BYTES) &&
    phasesBytes === 8 * recorded.length * counters
  );
}

function isFacts(facts: unknown): boolean {
  return (
    isFields(facts) &&
    [facts["mode"], facts["adapter"], facts["node"], facts["uws"]].every(isText) &&
    isWhole(facts["pid"], 1, 2 ** 31 - 1) &&
    isCount(facts["startedAtMs"]) &&
    isCount(facts["iterationsPerMicro"])
  );
}

/** Whether this is what a state ends with. */
export function isDetails(details: unknown): details is MirrorDetails {
  if (!isFields(details) || !isShallow(details)) return false;
  const { takenAtMs, process, core } = details;
  return (
    isCount(takenAtMs) &&
    isFields(process) &&
    [process["cpuUserMicros"], process["cpuSystemMicros"], process["peakRssBytes"]].every(isCount) &&
    isFields(core) &&
    (core["queued"] === null || isCount(core["queued"])) &&
    Array.isArray(core["workerStates"]) &&
    core["workerStates"].length <= MAX_WORKERS &&
    core["workerStates"].every(isWorker)
  );
}

function isWorker(value: unknown): boolean {
  return (
    isFields(value) &&
    isWhole(value["worker"], 0, MAX_WORKERS) &&
    isText(value["state"]) &&
    (value["forMs"] === null || isCount(value["forMs"])) &&
    (value["on"] === null || isText(value["on"])) &&
    isCount(value["handled"])
  );
}

/** Not NaN, and so far from infinite that sums are finite too. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= MAX_COUNT;
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MAX_NAMES && value.every(isText);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isShallow(value: unknown, depth = MAX_DEPTH): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1));
}
