import { fileURLToPath } from "node:url";
import { autocannon, loopool, loopoolWith, type Tool } from "./tools.js";
import { installedWrk } from "./wrk.js";

/** One comparison of generators against one server. */
export interface Case {
  readonly name: string;
  /** The server's command, for Node. */
  readonly server: readonly string[];
  readonly path: string;
  readonly concurrency: number;
  readonly keepAlive: boolean;
  /** The generators have one CPU, the server another; else the generators have all. */
  readonly pinned: boolean;
  /** How many times as long as usual a run takes, and how many of the usual blocks there are: rare latencies need requests. */
  readonly longer: number;
  readonly blocksShare: number;
  readonly tools: readonly Tool[];
}

export type Figure = "requestsPerSecond" | "p50Ms" | "p99Ms" | "p999Ms" | "cpuMicrosPerRequest";

/** A demand on the median over the blocks of one tool's figure ÷ another's; without limits it is only told. */
export interface Bar {
  readonly case: string;
  readonly figure: Figure;
  readonly tool: string;
  readonly other: string;
  readonly atLeast: number | null;
  readonly atMost: number | null;
}

export const wrk = await installedWrk();
const withWrk = wrk === null ? [] : [wrk];
const twoThreads = loopoolWith(2);

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const bareServer = [here("./bare-server.js")];
const reactor = [here("../src/cli/main.js"), "serve", "--mode", "reactor", "--host", "127.0.0.1", "--port", "0"];
const usual = { keepAlive: true, pinned: true, longer: 1, blocksShare: 1 };

const hot: Case = {
  ...usual,
  name: "bare µWS, c=100",
  server: bareServer,
  path: "/",
  concurrency: 100,
  // What V8 still compiles in the window, 40 ms, is 2% of two seconds.
  longer: 3,
  tools: [loopool, autocannon, ...withWrk],
};

// Server-bound: where the generator's core is full, wrk's percentiles break Little's law and ours hold our own queue. With 10 connections a
// pause of the machine is felt by 10 requests of 5,000 a second, and is what p99.9 is made of: that takes long runs.
const serverBound: readonly Case[] = [
  { concurrency: 10, longer: 8 },
  { concurrency: 100, longer: 2 },
].map(({ concurrency, longer }) => ({
  ...usual,
  name: `/cpu?us=200, c=${concurrency}`,
  server: reactor,
  path: "/cpu?us=200",
  concurrency,
  longer,
  tools: [loopool, ...withWrk],
}));

const closing: Case = {
  ...usual,
  name: "no keep-alive, c=100, a CPU for the generator",
  server: bareServer,
  path: "/",
  concurrency: 100,
  keepAlive: false,
  tools: [loopool, ...withWrk],
};

const closingUnpinned: Case = {
  ...closing,
  name: "no keep-alive, c=100, all CPUs for the generator",
  pinned: false,
  tools: [loopool, twoThreads, ...withWrk],
};

// The connections are made within the window, one after the other, and end one after the other: ten thousand need a longer one.
const many: readonly Case[] = [
  { concurrency: 1000, longer: 2 },
  { concurrency: 10_000, longer: 20 },
].map(({ concurrency, longer }) => ({
  ...usual,
  name: `bare µWS, c=${concurrency.toLocaleString("en-US")}`,
  server: bareServer,
  path: "/",
  concurrency,
  longer,
  blocksShare: 0.4,
  tools: [loopool],
}));

export const cases: readonly Case[] = [hot, ...serverBound, closing, closingUnpinned, ...many];

const none = { atLeast: null, atMost: null };

export const bars: readonly Bar[] = [
  { ...none, case: hot.name, figure: "requestsPerSecond", tool: loopool.name, other: "wrk", atLeast: 0.98 },
  { ...none, case: hot.name, figure: "requestsPerSecond", tool: loopool.name, other: autocannon.name, atLeast: 1.8 },
  { ...none, case: hot.name, figure: "cpuMicrosPerRequest", tool: loopool.name, other: "wrk", atMost: 1.2 },
  ...serverBound.flatMap(({ name }) =>
    (["p50Ms", "p99Ms", "p999Ms"] as const).map((figure) => ({
      case: name,
      figure,
      tool: loopool.name,
      other: "wrk",
      atLeast: 0.95,
      atMost: 1.05,
    })),
  ),
  { ...none, case: closing.name, figure: "requestsPerSecond", tool: loopool.name, other: "wrk" },
  { ...none, case: closingUnpinned.name, figure: "requestsPerSecond", tool: loopool.name, other: "wrk" },
  {
    ...none,
    case: closingUnpinned.name,
    figure: "requestsPerSecond",
    tool: twoThreads.name,
    other: "wrk",
    atLeast: 0.8,
  },
];

/** Share by which requests/s × mean latency of a closed loop may miss the number of connections. */
export const LAW_LIMIT = 0.02;
/** A side that is busy for this share of its time is full. */
export const FULL = 0.9;
