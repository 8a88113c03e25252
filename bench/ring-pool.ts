import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { attachAnswers, attachPool, createPoolMemory } from "../src/pool/memory.js";
import { WakeUpBatcher } from "../src/pool/wake-up-batcher.js";

/** The pool's rings and wake-ups around a task that does nothing: what it costs to hand work over and get it back. */
export interface RingPool {
  /** Runs `tasks` tasks with at most `inFlight` of them out at once. */
  run(tasks: number, inFlight: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startRingPool(workers: number): Promise<RingPool> {
  const memory = createPoolMemory(workers, 1024, 2 ** 16);
  const { requests, parking, doorbell } = attachPool(memory);
  const wakeUps = new WakeUpBatcher(parking);
  const answers = Array.from({ length: workers }, (_, worker) => attachAnswers(memory, worker));
  const threads = answers.map(
    (_, worker) =>
      new Worker(new URL("./fixtures/ring-worker.js", import.meta.url), { workerData: { worker, memory } }),
  );
  await Promise.all(threads.map((thread) => once(thread, "online")));

  let left = 0;
  let out = 0;
  let finish = (): void => {};
  const push = (): void => {
    const slot = requests.reserve();
    requests.publish(slot);
    wakeUps.add();
    left--;
    out++;
  };
  const collect = (): void => {
    doorbell.disarm();
    for (const ring of answers) {
      for (let offset = ring.peek(); offset !== -1; offset = ring.peek()) {
        requests.release(ring.words[offset >> 2]!);
        ring.release();
        out--;
        if (left > 0) push();
      }
    }
    if (out === 0 && left === 0) finish();
    doorbell.arm();
    if (answers.some((ring) => ring.peek() !== -1)) {
      doorbell.disarm();
      setImmediate(collect);
    }
  };
  for (const thread of threads) thread.on("message", collect);
  collect();

  return {
    run(tasks, inFlight) {
      left = tasks;
      return new Promise((resolve) => {
        finish = resolve;
        while (out < inFlight && left > 0) push();
      });
    },
    async stop() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}
