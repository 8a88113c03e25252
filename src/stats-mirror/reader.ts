import type { Stats } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { LoopoolError } from "../shared/errors.js";
import { type Metrics, type MetricsSource, metricsOf } from "../shared/stats/metrics.js";
import {
  FORMAT_VERSION,
  MAX_BODY_BYTES,
  type MirrorDescription,
  type MirrorState,
  ownLayouts,
  STATE_HEAD_BYTES,
  stateChecksum,
} from "./format.js";
import { foreignMirror, jsonOrNull, readAt, withMirror } from "./open.js";
import { type ProcessIdentity, stateOf } from "./process-identity.js";
import { descriptionOf, isCount, isDetails } from "./validate.js";

/** What a reader finds in a mirror. */
export interface MirrorReading {
  readonly description: MirrorDescription;
  readonly state: MirrorState;
}

/** A state takes its writer well under a millisecond, unless its thread has to wait for a CPU: half a second of looks in vain is no such wait. */
const MAX_LOOKS = 100;
const BETWEEN_LOOKS_MS = 5;

/**
 * Reads a whole state, looking again while one is being written. Throws a LoopoolError: MIRROR_ABSENT without a file, MIRROR_FOREIGN for
 * a file that is no mirror, MIRROR_STALE when its server has ended, MIRROR_VERSION when another version of loopool wrote what
 * this one cannot read, MIRROR_TORN when no look found a whole state.
 */
export async function readMirror(path: string, pause = () => delay(BETWEEN_LOOKS_MS)): Promise<MirrorReading> {
  for (let look = 1; ; look++) {
    const found = lookAt(path);
    if (found.state !== null) return { description: found.description, state: found.state };
    if (look === MAX_LOOKS) break;
    await pause();
  }
  throw new LoopoolError(
    "MIRROR_TORN",
    `${path} is being written whenever it is looked at (${MAX_LOOKS} times): try again, or ask /stats.json`,
  );
}

/** The metrics, computed as the server computes its own. */
export function mirroredMetrics({ description, state }: MirrorReading): Metrics {
  const { process, core, takenAtMs } = state.details;
  const source: MetricsSource = {
    facts: description.facts,
    takenAtMs,
    stats: state.stats.buffer as ArrayBuffer,
    phases: state.phases.buffer as ArrayBuffer,
    process,
    core,
  };
  return metricsOf(source);
}

/** Whose file this is, as any version can tell. */
export interface MirrorHolder {
  readonly process: ProcessIdentity;
  /** Of the file: the same as long as it is the same one. */
  readonly stat: Stats;
}

/** null when there is no file. Throws MIRROR_FOREIGN. */
export function readHolder(path: string): MirrorHolder | null {
  return withMirror(path, ({ holder, stat }) => ({ process: holder, stat }));
}

interface Look {
  readonly description: MirrorDescription;
  /** null: not whole. */
  readonly state: MirrorState | null;
}

/** Opens the name anew each time: a server that was started again has a new file under it. */
function lookAt(path: string): Look {
  const found = withMirror(path, (mirror): Look => {
    const { file, holder, version, stateStart } = mirror;
    if (stateOf(holder) === "ended") {
      throw new LoopoolError(
        "MIRROR_STALE",
        `${path} was left by a server that has ended (pid ${holder.pid}): the next server that starts here removes it`,
      );
    }
    if (version !== FORMAT_VERSION) throw otherVersion(path);
    const description = descriptionOf(mirror);
    if (description === null) throw foreignMirror(path);
    if (!isReadable(description)) throw otherVersion(path);
    return { description, state: readState(file, path, stateStart, description) };
  });
  if (found === null) throw new LoopoolError("MIRROR_ABSENT", `there is no ${path}`);
  return found;
}

function otherVersion(path: string): LoopoolError {
  return new LoopoolError(
    "MIRROR_VERSION",
    `${path} was written by another version of loopool: use that one to read it`,
  );
}

/** Counters that we do not know may come between; those that we know must be there, and the histograms the same. */
function isReadable({ statsLayout, phasesLayout }: MirrorDescription): boolean {
  const own = ownLayouts;
  return (
    own.statsLayout.fields.every((name) => statsLayout.fields.includes(name)) &&
    own.statsLayout.firstStatus === statsLayout.firstStatus &&
    own.statsLayout.statuses === statsLayout.statuses &&
    own.phasesLayout.counters === phasesLayout.counters &&
    own.phasesLayout.cellsPerDoubling === phasesLayout.cellsPerDoubling &&
    areSame(own.phasesLayout.recorded, phasesLayout.recorded)
  );
}

function areSame(own: readonly string[], theirs: readonly string[]): boolean {
  return own.length === theirs.length && own.every((name, listeningAddress) => name === theirs[listeningAddress]);
}

/** null: not whole, or not any more. Says yes only to what the checksum proves. Throws MIRROR_FOREIGN for a whole one that is no state. */
function readState(file: number, path: string, stateStart: number, description: MirrorDescription): MirrorState | null {
  const before = readAt(file, stateStart, STATE_HEAD_BYTES);
  if (before.byteLength < STATE_HEAD_BYTES) return null;
  const sequence = before.readDoubleLE(0);
  const bodyBytes = before.readUInt32LE(8);
  if (sequence % 2 !== 0 || bodyBytes > MAX_BODY_BYTES) return null;
  const bytes = readAt(file, stateStart, STATE_HEAD_BYTES + bodyBytes);
  const after = readAt(file, stateStart, 8);
  if (bytes.byteLength < STATE_HEAD_BYTES + bodyBytes || bytes.readUInt32LE(8) !== bodyBytes) return null;
  if (after.byteLength < 8 || bytes.readDoubleLE(0) !== sequence || after.readDoubleLE(0) !== sequence) return null;
  if (stateChecksum(bytes) !== bytes.readUInt32LE(12)) return null;
  const state = decodeBody(bytes.subarray(STATE_HEAD_BYTES), description);
  if (state === null) throw foreignMirror(path);
  return state;
}

/** null for what no server has written. */
function decodeBody(body: Buffer, { statsBytes, phasesBytes, statsLayout }: MirrorDescription): MirrorState | null {
  const details = jsonOrNull(body.toString("utf8", statsBytes + phasesBytes));
  if (body.byteLength < statsBytes + phasesBytes || !isDetails(details)) return null;
  const stats = floats(body.subarray(0, statsBytes));
  const phases = floats(body.subarray(statsBytes, statsBytes + phasesBytes));
  if (!stats.every(isCount) || !phases.every(isCount)) return null;
  return { stats: relaid(stats, statsLayout), phases, details };
}

function floats(bytes: Buffer): Float64Array {
  return new Float64Array(Uint8Array.from(bytes).buffer);
}

/** The counters as this version lays them out: by their names. */
function relaid(counters: Float64Array, theirs: MirrorDescription["statsLayout"]): Float64Array {
  const own = ownLayouts.statsLayout;
  if (own.slotCounters === theirs.slotCounters && areSame(own.fields, theirs.fields)) return counters;
  const slots = counters.length / theirs.slotCounters;
  const result = new Float64Array(slots * own.slotCounters);
  const places = own.fields.map((name) => theirs.fields.indexOf(name));
  for (let slot = 0; slot < slots; slot++) {
    const from = slot * theirs.slotCounters;
    const to = slot * own.slotCounters;
    places.forEach((listeningAddress, field) => {
      result[to + field] = counters[from + listeningAddress]!;
    });
    const statuses = from + theirs.fields.length;
    result.set(counters.subarray(statuses, statuses + theirs.statuses), to + own.fields.length);
  }
  return result;
}
