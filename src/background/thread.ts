import { parentPort, workerData } from "node:worker_threads";
import { LogJob } from "../access-log/job.js";
import type { Job } from "../shared/job.js";
import { Sleeper } from "../shared/memory/sleeper.js";
import { mirrorJob } from "../stats-mirror/job.js";
import type { BackgroundStartup } from "./background.js";
import { runJobs } from "./loop.js";

/** The background thread: does beside the main thread what must go on while that is busy. It ends when the loop does. */
const { shared, slot, listeningAddress, sleeper, log } = workerData as BackgroundStartup;
const jobs: readonly Job[] = [
  ...(log === null ? [] : [LogJob.attach(log, { stats: shared.stats, slot })]),
  ...(shared.config.mirror ? [mirrorJob({ shared, listeningAddress })] : []),
];

parentPort!.postMessage("ready");
runJobs(jobs, new Sleeper(sleeper));
