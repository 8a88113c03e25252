import type { SweepPlan } from "../../../src/harness/sweep/result.js";

/** A plan of one small cell, unpinned, on a handler that costs nothing. */
export const smallPlan: SweepPlan = {
  cores: ["reactor"],
  concurrencies: [2],
  requests: 20,
  warmupRequests: 4,
  trials: 1,
  path: "/hello",
  keepAlive: true,
  seed: 1,
  workers: 1,
  handlers: null,
  pinning: { server: null, generator: null, reason: "" },
};
