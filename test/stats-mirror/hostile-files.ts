import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Random } from "../../src/harness/statistics/random.js";
import {
  encodeDescription,
  encodeState,
  HEAD_BYTES,
  type MirrorDescription,
  type MirrorState,
  STATE_HEAD_BYTES,
  stateChecksum,
} from "../../src/stats-mirror/format.js";
import { describe, uniformState } from "./states.js";

/** What somebody may leave where a mirror is looked for: makes it at `path`, in which nothing is. */
export interface HostileFile {
  readonly what: string;
  make(path: string): void;
}

/** In the folder, a pipe named "stat" that nobody ever writes to: the file that a pid of "../…" would have us read. */
export function makePipe(folder: string): void {
  execFileSync("mkfifo", [join(folder, "stat")]);
}

/** Not files, or not of the kind or size of a mirror. `folder` holds the pipe. */
export function foreignKinds(folder: string): readonly HostileFile[] {
  const traversal = join("..", folder);
  return [
    { what: "a pid that is the path of a pipe", make: (path) => writeFileSync(path, bytesOf({ pid: traversal })) },
    { what: "a start that is a path", make: (path) => writeFileSync(path, bytesOf({ startTicks: traversal })) },
    { what: "a pipe", make: (path) => void execFileSync("mkfifo", [path]) },
    { what: "a folder", make: (path) => mkdirSync(path) },
    { what: "a link to a device that never ends", make: (path) => symlinkSync("/dev/zero", path) },
    { what: "a link to a pipe", make: (path) => symlinkSync(join(folder, "stat"), path) },
    { what: "a link to nothing", make: (path) => symlinkSync(join(folder, "nowhere"), path) },
    {
      what: "a sparse file of 1 TiB that begins as a mirror",
      make: (path) => {
        writeFileSync(path, bytesOf({}));
        truncateSync(path, 2 ** 40);
      },
    },
    { what: "an empty file", make: (path) => writeFileSync(path, "") },
    {
      what: "a description nested 100,000 deep",
      make: (path) =>
        writeFileSync(path, withJson(`{"pid":1,"startTicks":null,"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)),
    },
  ];
}

/** One mutation of a mirror of this very process, which runs: of its bytes, its fields, its metrics or its length. */
export function mutated(random: Random): HostileFile {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const nasty = pick(nastyValues);
  const state = uniformState(3, 2);
  switch (pick(["bytes", "head", "holder", "description", "details", "metrics", "length"] as const)) {
    case "bytes": {
      const bytes = fileOf(encodeDescription(describe(2)), state);
      const count = 1 + Math.floor(random() * 8);
      for (let i = 0; i < count; i++) bytes[Math.floor(random() * bytes.byteLength)] = Math.floor(random() * 256);
      return fileWith(`${count} bytes changed`, bytes);
    }
    case "head": {
      const bytes = fileOf(encodeDescription(describe(2)), state);
      const stateStart = encodeDescription(describe(2)).byteLength;
      const at = pick([8, 12, 16, 20, stateStart + 8, stateStart + 12]);
      bytes.writeUInt32LE(pick([0, 1, 7, 8, 24, 2 ** 16, 2 ** 20, 2 ** 23, 2 ** 26, 2 ** 31, 2 ** 32 - 1]), at);
      return fileWith(`another word at ${at}`, bytes);
    }
    case "holder": {
      const field = pick(["pid", "startTicks", "pidNamespace"] as const);
      const value = pick([...nastyValues, 1, 7, 2 ** 30, process.ppid, "pid:[7]"]);
      return fileWith(`${field} is ${shown(value)}`, bytesOf({ [field]: value }));
    }
    case "description": {
      const description = structuredClone(describe(2)) as unknown as Node;
      const listeningAddress = change(description, nasty, random);
      return fileWith(
        `description: ${listeningAddress} is ${shown(nasty)}`,
        fileOf(encodeDescription(description as unknown as MirrorDescription), state),
      );
    }
    case "details": {
      const worker = { worker: 0, state: "busy", forMs: 1, on: "GET /", handled: 1 } as const;
      const core = { queued: 1, workerStates: [worker, { ...worker, worker: 1 }] };
      const details = structuredClone({ ...state.details, core }) as unknown as Node;
      const listeningAddress = change(details, nasty, random);
      return fileWith(
        `details: ${listeningAddress} is ${shown(nasty)}`,
        fileOf(encodeDescription(describe(2)), { ...state, details: details as unknown as MirrorState["details"] }),
      );
    }
    case "metrics": {
      const value = pick([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 1e300, 2 ** 60, 0.5]);
      const metrics = pick([state.stats, state.phases]);
      metrics[Math.floor(random() * metrics.length)] = value;
      return fileWith(`a figure is ${value}`, fileOf(encodeDescription(describe(2)), state));
    }
    case "length": {
      const bytes = fileOf(encodeDescription(describe(2)), state);
      const length = Math.floor(random() * 2 * bytes.byteLength);
      return {
        what: `${length} bytes long`,
        make(path) {
          writeFileSync(path, bytes);
          truncateSync(path, length);
        },
      };
    }
  }
}

type Node = Record<string, unknown>;

function deep(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

const nastyValues: readonly unknown[] = [
  "../dev/shm",
  "",
  "\x1b]0;owned\x07\x9b31m\u202e",
  "x".repeat(100_000),
  "__proto__",
  -1,
  0,
  0.5,
  1e308,
  2 ** 31,
  2 ** 53,
  null,
  true,
  [],
  {},
  [[]],
  deep(2000),
  Array.from({ length: 10_000 }, (_, i) => i),
];

/** Replaces a value somewhere in it, or takes it away, and says where. */
function change(node: Node, value: unknown, random: Random): string {
  const keys = Object.keys(node);
  const key = keys[Math.floor(random() * keys.length)]!;
  const inner = node[key];
  if (typeof inner === "object" && inner !== null && Object.keys(inner).length > 0 && random() < 0.7) {
    return `${key}.${change(inner as Node, value, random)}`;
  }
  if (random() < 0.1) delete node[key];
  else node[key] = value;
  return key;
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 30);
}

function fileWith(what: string, bytes: Buffer): HostileFile {
  return { what, make: (path) => writeFileSync(path, bytes) };
}

function fileOf(head: Buffer, state: MirrorState): Buffer {
  return Buffer.concat([head, encodeState(2, state)]);
}

/** A mirror whose description has other fields; its checksums are right. */
function bytesOf(fields: Node): Buffer {
  const description = { ...describe(2), ...fields } as unknown as MirrorDescription;
  const bytes = fileOf(encodeDescription(description), uniformState(3, 2));
  const state = bytes.subarray(encodeDescription(description).byteLength);
  state.writeUInt32LE(state.byteLength - STATE_HEAD_BYTES, 8);
  state.writeUInt32LE(stateChecksum(state), 12);
  return bytes;
}

function withJson(json: string): Buffer {
  const head = encodeDescription(describe(2)).subarray(0, HEAD_BYTES);
  const bytes = Buffer.alloc(Math.ceil((HEAD_BYTES + json.length) / 8) * 8);
  head.copy(bytes);
  bytes.writeUInt32LE(json.length, 12);
  bytes.writeUInt32LE(crc32(json), 16);
  bytes.writeUInt32LE(bytes.byteLength, 20);
  bytes.write(json, HEAD_BYTES);
  return Buffer.concat([bytes, encodeState(2, uniformState(3, 2))]);
}
