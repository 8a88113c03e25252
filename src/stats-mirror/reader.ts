import { closeSync, constants, openSync, readSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { LoopoolError, messageOf } from "../shared/errors.js";
import { type Figures, type FiguresSource, figuresOf } from "../shared/figures.js";
import {
  FORMAT_VERSION,
  HEAD_BYTES,
  MAGIC,
  MAX_BODY_BYTES,
  MAX_DESCRIPTION_BYTES,
  type MirrorDescription,
  type MirrorDetails,
  type MirrorState,
  ownLayouts,
  STATE_HEAD_BYTES,
  stateChecksum,
} from "./format.js";
import { isRunning, type ProcessIdentity } from "./process-identity.js";

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

/** The figures, computed as the server computes its own. */
export function mirroredFigures({ description, state }: MirrorReading): Figures {
  const { process, core, takenAtMs } = state.details;
  const source: FiguresSource = {
    facts: description.facts,
    takenAtMs,
    stats: state.stats.buffer as ArrayBuffer,
    phases: state.phases.buffer as ArrayBuffer,
    process,
    core,
  };
  return figuresOf(source);
}

/** Whose file this is, as any version can tell; null when there is none. Throws MIRROR_FOREIGN. */
export function readHolder(path: string): ProcessIdentity | null {
  const file = openOrNull(path);
  if (file === null) return null;
  try {
    return readDescription(file, path).description;
  } finally {
    closeSync(file);
  }
}

interface Look {
  readonly description: MirrorDescription;
  /** null: not whole. */
  readonly state: MirrorState | null;
}

/** Opens the name anew each time: a server that was started again has a new file under it. */
function lookAt(path: string): Look {
  const file = openOrNull(path);
  if (file === null) throw new LoopoolError("MIRROR_ABSENT", `there is no ${path}`);
  try {
    const { version, stateStart, description } = readDescription(file, path);
    if (!isRunning(description)) {
      throw new LoopoolError(
        "MIRROR_STALE",
        `${path} was left by a server that has ended (pid ${description.pid}): it is replaced when one starts in that place`,
      );
    }
    if (version !== FORMAT_VERSION || !isReadable(description)) {
      throw new LoopoolError(
        "MIRROR_VERSION",
        `${path} was written by another version of loopool: use that one to read it`,
      );
    }
    return { description, state: readState(file, stateStart, description) };
  } finally {
    closeSync(file);
  }
}

function openOrNull(path: string): number | null {
  try {
    // A pipe that somebody has put there must not hold us up.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new LoopoolError("MIRROR_FOREIGN", `${path} cannot be opened: ${messageOf(error)}`);
  }
}

/** It was complete before the file had its name, and nobody writes it again: what does not fit together is no mirror. */
function readDescription(file: number, path: string) {
  try {
    const head = readAt(file, 0, HEAD_BYTES);
    const bytes = head.readUInt32LE(12);
    const json = bytes <= MAX_DESCRIPTION_BYTES ? readAt(file, HEAD_BYTES, bytes) : Buffer.alloc(0);
    if (head.subarray(0, MAGIC.byteLength).equals(MAGIC) && crc32(json) === head.readUInt32LE(16)) {
      const description = JSON.parse(json.toString()) as MirrorDescription;
      return { version: head.readUInt32LE(8), stateStart: head.readUInt32LE(20), description };
    }
  } catch {
    // Too short, a folder, a pipe.
  }
  throw new LoopoolError(
    "MIRROR_FOREIGN",
    `${path} is no mirror of loopool's stats: remove it, or let the server listen elsewhere`,
  );
}

/** Counters that we do not know may come between; those that we know must be there, and the histograms the same. */
function isReadable({ statsLayout, phasesLayout }: MirrorDescription): boolean {
  const own = ownLayouts;
  return (
    own.statsLayout.fields.every((name) => statsLayout.fields.includes(name)) &&
    own.statsLayout.firstStatus === statsLayout.firstStatus &&
    own.statsLayout.statuses === statsLayout.statuses &&
    JSON.stringify(own.phasesLayout) === JSON.stringify(phasesLayout)
  );
}

/** null: not whole, or not any more. Says yes only to what the checksum proves. */
function readState(file: number, stateStart: number, description: MirrorDescription): MirrorState | null {
  const before = readAt(file, stateStart, STATE_HEAD_BYTES);
  if (before.byteLength < STATE_HEAD_BYTES) return null;
  const sequence = before.readDoubleLE(0);
  const bodyBytes = before.readUInt32LE(8);
  if (sequence % 2 !== 0 || bodyBytes > MAX_BODY_BYTES) return null;
  const bytes = readAt(file, stateStart, STATE_HEAD_BYTES + bodyBytes);
  const after = readAt(file, stateStart, 8);
  if (bytes.byteLength < STATE_HEAD_BYTES + bodyBytes || bytes.readUInt32LE(8) !== bodyBytes) return null;
  if (bytes.readDoubleLE(0) !== sequence || after.readDoubleLE(0) !== sequence) return null;
  if (stateChecksum(bytes) !== bytes.readUInt32LE(12)) return null;
  return decodeBody(bytes.subarray(STATE_HEAD_BYTES), description);
}

function decodeBody(body: Buffer, { statsBytes, phasesBytes, statsLayout }: MirrorDescription): MirrorState {
  const stats = floats(body.subarray(0, statsBytes));
  const phases = floats(body.subarray(statsBytes, statsBytes + phasesBytes));
  const details = JSON.parse(body.toString("utf8", statsBytes + phasesBytes)) as MirrorDetails;
  return { stats: relaid(stats, statsLayout), phases, details };
}

function floats(bytes: Buffer): Float64Array {
  return new Float64Array(Uint8Array.from(bytes).buffer);
}

/** The counters as this version lays them out: by their names. */
function relaid(counters: Float64Array, theirs: MirrorDescription["statsLayout"]): Float64Array {
  const own = ownLayouts.statsLayout;
  if (JSON.stringify(own) === JSON.stringify(theirs)) return counters;
  const slots = counters.length / theirs.slotCounters;
  const result = new Float64Array(slots * own.slotCounters);
  const places = own.fields.map((name) => theirs.fields.indexOf(name));
  for (let slot = 0; slot < slots; slot++) {
    const from = slot * theirs.slotCounters;
    const to = slot * own.slotCounters;
    places.forEach((place, field) => {
      result[to + field] = counters[from + place]!;
    });
    const statuses = from + theirs.fields.length;
    result.set(counters.subarray(statuses, statuses + theirs.statuses), to + own.fields.length);
  }
  return result;
}

function readAt(file: number, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const read = readSync(file, buffer, filled, bytes - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}
