import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { ProcessUse, ServerFacts } from "../shared/stats/metrics.js";
import { phasesLayout } from "../shared/stats/phases.js";
import { statsLayout } from "../shared/stats/stats.js";
import type { CoreMetrics } from "../shared/stats/worker-states.js";
import type { ProcessIdentity } from "./process-identity.js";

/**
 * The mirror: a file in shared memory with a copy of the stats segment, for other processes.
 *
 * Node cannot map a file into memory; what there is are pwrite and pread on a file of tmpfs. Linux lets only one pwrite at a time into
 * a file, but a pread does not wait for it: it copies page by page while the writer does, and may see any mixture of old and new. A
 * writer that is killed leaves what it had copied until then. So a state is not whole for having been read, or written, in one call.
 * The sequence of a seqlock tells that it is being written, as long as what two calls write becomes visible in their order, which
 * holds on Linux but is promised by no standard; the checksum needs no order, and also finds what was damaged otherwise.
 * test/stats-mirror/seqlock-model.test.ts walks every interleaving, with each of the two left out.
 *
 * Layout, in bytes of this machine's order (little-endian wherever µWS has binaries):
 *
 * | offset | bytes | what |
 * |--------|-------|------|
 * | 0      | 8     | magic |
 * | 8      | 4     | version of this format |
 * | 12     | 4     | bytes D of the description |
 * | 16     | 4     | CRC-32 of the description |
 * | 20     | 4     | where the state starts, S: a multiple of 8 |
 * | 24     | D     | description, JSON: written once, before the file has its name |
 * | S      | 8     | sequence, a float64: odd while the state is being written; +2 with every state |
 * | S + 8  | 4     | bytes B of the body |
 * | S + 12 | 4     | CRC-32 of the sequence and the body |
 * | S + 16 | B     | body: the stats segment, the histograms (both float64), then JSON |
 *
 * One writer. It writes the odd sequence, then all from S + 8, then the even sequence. A reader reads the sequence, then all from S,
 * then the sequence again: the same even one three times, and the checksum, mean that this state was whole. A writer that dies
 * before the first step leaves a whole state, later an odd sequence; its file is then known to be stale by the process that it names.
 *
 * Up to the start of the description, and in it the keys of ProcessIdentity, all versions are the same: any of them can tell a stale file
 * of any other.
 */
export const MAGIC = Buffer.from("LOOPOOL\n");
export const FORMAT_VERSION = 1;
export const HEAD_BYTES = 24;
export const STATE_HEAD_BYTES = 16;

/** Larger announcements are not believed. 256 workers take some 1.2 MB of body. */
export const MAX_DESCRIPTION_BYTES = 2 ** 20;
export const MAX_BODY_BYTES = 2 ** 23;
export const MAX_FILE_BYTES = HEAD_BYTES + MAX_DESCRIPTION_BYTES + 8 + STATE_HEAD_BYTES + MAX_BODY_BYTES;

/** Where a server listens: its port, or the absolute path of its Unix-domain socket. */
export type ListeningAddress = number | string;

/** What stands in the file once: who writes it, and how its state is to be read. */
export interface MirrorDescription extends ProcessIdentity {
  readonly listeningAddress: ListeningAddress;
  readonly facts: ServerFacts;
  /** Time between two states, ms. */
  readonly intervalMs: number;
  /** Bytes of the stats segment and of the histograms in the body. */
  readonly statsBytes: number;
  readonly phasesBytes: number;
  readonly statsLayout: {
    /** Names of the counters at the start of each slot. */
    readonly fields: readonly string[];
    readonly firstStatus: number;
    readonly statuses: number;
    readonly slotCounters: number;
  };
  readonly phasesLayout: {
    readonly recorded: readonly string[];
    readonly counters: number;
    readonly cellsPerDoubling: number;
  };
}

/** What changes and is no counter: the end of the body. */
export interface MirrorDetails {
  /** When it was copied, ms since 1970 with fractions. */
  readonly takenAtMs: number;
  readonly process: ProcessUse;
  readonly core: CoreMetrics;
}

/** One state: copies, which nobody else writes. */
export interface MirrorState {
  readonly stats: Float64Array;
  readonly phases: Float64Array;
  readonly details: MirrorDetails;
}

/** The layouts that this version writes. */
export const ownLayouts = { statsLayout, phasesLayout };

/** The file of the server at this place. A path may have any characters, and more of them than a file name may. */
export function mirrorPath(listeningAddress: ListeningAddress): string {
  const name =
    typeof listeningAddress === "number"
      ? listeningAddress
      : `unix-${createHash("sha256").update(listeningAddress).digest("hex").slice(0, 16)}`;
  return join(mirrorFolder(), `loopool-${name}`);
}

/** Names that mirrors have in their folder. */
export const MIRROR_NAME = /^loopool-(?:(\d{1,5})|unix-[0-9a-f]{16})$/;

/** Shared memory where the system has it, otherwise the folder for temporary files. */
export function mirrorFolder(): string {
  return existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}

/** Head and description, and where the state starts. */
export function encodeDescription(description: MirrorDescription): Buffer {
  const json = Buffer.from(JSON.stringify(description));
  const stateStart = Math.ceil((HEAD_BYTES + json.byteLength) / 8) * 8;
  const bytes = Buffer.alloc(stateStart);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(json.byteLength, 12);
  bytes.writeUInt32LE(crc32(json), 16);
  bytes.writeUInt32LE(stateStart, 20);
  json.copy(bytes, HEAD_BYTES);
  return bytes;
}

/** All from S on: sequence, length, checksum, body. */
export function encodeState(sequence: number, { stats, phases, details }: MirrorState): Buffer {
  const json = Buffer.from(JSON.stringify(details));
  const bodyBytes = stats.byteLength + phases.byteLength + json.byteLength;
  const bytes = Buffer.alloc(STATE_HEAD_BYTES + bodyBytes);
  bytes.writeDoubleLE(sequence, 0);
  bytes.writeUInt32LE(bodyBytes, 8);
  bytes.set(asBytes(stats), STATE_HEAD_BYTES);
  bytes.set(asBytes(phases), STATE_HEAD_BYTES + stats.byteLength);
  bytes.set(json, STATE_HEAD_BYTES + stats.byteLength + phases.byteLength);
  bytes.writeUInt32LE(stateChecksum(bytes), 12);
  return bytes;
}

/** Over the sequence and the body: a body of another sequence does not pass. */
export function stateChecksum(state: Buffer): number {
  return crc32(state.subarray(STATE_HEAD_BYTES), crc32(state.subarray(0, 8)));
}

function asBytes({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
