import { parentPort, workerData } from "node:worker_threads";
import { LogJob } from "../access-log/job.js";
import { Sleeper } from "../shared/memory/sleeper.js";
import type { BackgroundStartup } from "./background.js";
import { runJobs } from "./loop.js";

/** The background thread: does beside the main thread what must go on while that is busy. It ends when the loop does. */
const startup = workerData as BackgroundStartup;
const jobs = startup.log === null ? [] : [LogJob.attach(startup.log, startup)];

parentPort!.postMessage("ready");
runJobs(jobs, new Sleeper(startup.sleeper));
