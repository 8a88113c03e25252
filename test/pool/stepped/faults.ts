import type { Patch } from "../../support/stepped/modules.js";
import type { SteppedPoolSetting } from "./pool.js";

/** A fault in the order of things that the protocol needs, made in the real code. */
export interface Fault {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** Where it shows. */
  readonly setting: Partial<SteppedPoolSetting>;
  readonly found: RegExp;
}

const patch = (file: string, find: string, replace = ""): Patch => ({ file, find, replace });

const POOL = "pool/pool.js";
const WORKER = "pool/worker.js";
const WORK_LOOP = "pool/work-loop.js";
const BATCHER = "pool/wake-up-batcher.js";
const PARKING = "shared/memory/parking.js";
const DOORBELL = "shared/memory/doorbell.js";
const RING = "shared/memory/claim-ring.js";

const PUBLISH = "this.#ring.publish(slot);";
const FILLED = "Atomics.store(this.words, this.#stateWord(slot), FILLED);";
const HEAD = "Atomics.store(this.words, HEAD_WORD, this.#head);";
const OWNER = "if (requests.ownerOf(slot) !== worker)";
const LOOK = "if (!requests.isEmpty) {";
const ANNOUNCE = "if (!parking.announce(worker)) {";
const NOTIFY = "Atomics.notify(this.#words, word);";

const one = { workers: 1, items: 1 };

export const faults: readonly Fault[] = [
  {
    name: "head before state",
    patches: [patch(RING, FILLED), patch(RING, HEAD, `${HEAD}\n${FILLED}`)],
    setting: { ...one, items: 2, preemptions: 1 },
    found: /stuck/,
  },
  {
    name: "state before payload",
    patches: [
      patch(POOL, PUBLISH),
      patch(
        POOL,
        "const slot = this.#ring.reserve();",
        `const slot = this.#ring.reserve();\nif (slot !== -1) ${PUBLISH}`,
      ),
    ],
    setting: { ...one, items: 2, preemptions: 1 },
    found: /half another one|served twice|stuck/,
  },
  {
    name: "no recovery of what the dead held",
    patches: [patch(POOL, "for (const slot of this.#ring.heldBy(worker))", "for (const slot of [])")],
    setting: { ...one, deaths: 1 },
    found: /stuck/,
  },
  {
    name: "answers without a generation",
    patches: [patch(POOL, "if (tag.generation !== this.#ring.generation(tag.slot)) {", "if (false) {")],
    setting: { ...one, items: 3, expired: 1, promises: 1 },
    found: /was answered with|two outcomes|stuck/,
  },
  {
    name: "the generation compared instead of the owner",
    patches: [patch(WORKER, OWNER, "if (requests.generation(slot) !== generation)")],
    setting: { ...one, items: 2, expired: 1, slowSlot: true, plainSteps: true, preemptions: 2 },
    found: /half another one|served twice/,
  },
  {
    name: "no look at the owner at all",
    patches: [patch(WORKER, OWNER, "if (false)")],
    setting: { ...one, items: 2, expired: 1, slowSlot: true, preemptions: 1 },
    found: /half another one|served twice/,
  },
  {
    name: "check before announcing",
    patches: [
      patch(WORK_LOOP, LOOK, "if (false) {"),
      patch(WORK_LOOP, ANNOUNCE, `if (!requests.isEmpty)\ncontinue;\n${ANNOUNCE}`),
    ],
    setting: { ...one, preemptions: 2 },
    found: /stuck/,
  },
  {
    name: "no look for work after announcing",
    patches: [patch(WORK_LOOP, LOOK, "if (false) {")],
    setting: { ...one, preemptions: 2 },
    found: /stuck/,
  },
  {
    name: "wake before publishing",
    patches: [
      patch(BATCHER, "setImmediate(this.#announce);\n    }", "this.#parking.wake(1);\nthis.#waiting = 0;\n    }"),
    ],
    setting: { ...one, preemptions: 1 },
    found: /stuck/,
  },
  {
    name: "no wake-up after a death",
    patches: [patch(POOL, "this.#parking.wake(this.#hosts.length);")],
    setting: { items: 1, deaths: 1, successors: false, asleep: 2 },
    found: /stuck/,
  },
  {
    name: "nothing recovered after a retirement",
    patches: [patch(POOL, "countWorkers();\n                    this.#recover(worker);", "countWorkers();")],
    setting: { items: 1, retirements: 1, deaths: 1, asleep: 1, announced: true },
    found: /stuck/,
  },
  {
    name: "retirement overwritten by the announcement",
    patches: [
      patch(
        PARKING,
        "return Atomics.compareExchange(this.#words, this.#place(worker), AWAKE, PARKED) !== RETIRED;",
        "Atomics.store(this.#words, this.#place(worker), PARKED);\nreturn true;",
      ),
    ],
    setting: { items: 1, retirements: 1, asleep: 1, announced: true },
    found: /stuck/,
  },
  {
    name: "retirement overwritten when it finds work",
    patches: [
      patch(
        PARKING,
        "Atomics.compareExchange(this.#words, this.#place(worker), PARKED, AWAKE);",
        "Atomics.store(this.#words, this.#place(worker), AWAKE);",
      ),
    ],
    setting: { items: 1, retirements: 1, asleep: 1, announced: true },
    found: /stuck/,
  },
  {
    name: "a wake-up without a notification",
    patches: [patch(PARKING, `${NOTIFY}\n            woken++;`, "woken++;")],
    setting: one,
    found: /stuck/,
  },
  {
    name: "a retirement without a notification",
    patches: [patch(PARKING, `${NOTIFY}\n        return true;`, "return true;")],
    setting: { items: 1, retirements: 1 },
    found: /stuck/,
  },
  {
    name: "no second look after arming",
    patches: [patch(POOL, "if (this.#hosts.every((host) => host.answers.isEmpty))", "if (true)")],
    setting: { ...one, items: 2, preemptions: 1 },
    found: /stuck/,
  },
  {
    name: "press before commit",
    patches: [
      patch(
        WORKER,
        "if (answers.write(tag, response)) {",
        'if (doorbell.press()) post({ type: "loopool:wake-up" });\nif (answers.write(tag, response)) {\nreturn;',
      ),
    ],
    setting: { ...one, preemptions: 1 },
    found: /stuck/,
  },
  {
    name: "no look when a worker dies",
    patches: [patch(POOL, "while (this.#hosts[worker].answers.read(this.#answer)) { }\n        this.#collect();")],
    setting: { ...one, items: 2, deaths: 1, preemptions: 0 },
    found: /stuck|500|two outcomes/,
  },
  {
    name: "a bound without another tick",
    patches: [
      patch(
        POOL,
        "this.#doorbell.disarm();\n        }\n        setImmediate(this.#collect);",
        "this.#doorbell.disarm();\n        setImmediate(this.#collect);\n        }",
      ),
    ],
    setting: { ...one, items: 2 },
    found: /stuck/,
  },
  {
    name: "a doorbell that is never armed",
    patches: [patch(DOORBELL, "Atomics.store(this.#word, 0, ARMED);")],
    setting: one,
    found: /stuck/,
  },
  {
    name: "a wake-up for fewer than wait",
    patches: [patch(BATCHER, "this.#parking.wake(this.#waiting);")],
    setting: one,
    found: /stuck/,
  },
];
