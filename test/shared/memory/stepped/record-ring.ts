import type { RecordRing } from "../../../../src/shared/memory/record-ring.js";
import { steppedGlobals } from "../../../support/stepped/globals.js";
import { Modules, type Patch } from "../../../support/stepped/modules.js";
import { type Search, search } from "../../../support/stepped/search.js";
import { type Action, World } from "../../../support/stepped/world.js";

export interface SteppedRecordRingSetting {
  /** Bytes of the records, in generation. */
  readonly lengths: readonly number[];
  readonly records: number;
  /** How often the producer may die, at any step; a successor attaches to the memory and goes on with the next record. */
  readonly deaths: number;
}

type Module = typeof import("../../../../src/shared/memory/record-ring.js");

/** What is private in the class and changes. */
interface Fields {
  readonly __head?: number;
  readonly __tail?: number;
  readonly __pendingBytes?: number;
}

const CAPACITY = 1024;
const HEAD_WORD = 0;
const TAIL_WORD = 16;
/** Facts: the record that the producer writes, the one that is read next, the deaths that are left, the head when the record was begun. */
const WRITTEN = 0;
const READ = 1;
const DEATHS = 2;
const HEAD_BEFORE = 3;

/**
 * A producer that may die and a consumer around the real RecordRing; each word is a step. What is committed is read once, in order and
 * whole: the first and the last word of a record are its number.
 */
export function steppedRecordRing(setting: SteppedRecordRingSetting, patches: readonly Patch[] = []): Search {
  const { lengths, records } = setting;
  const world = new World();
  const modules = new Modules({ globals: steppedGlobals(world, { plainSteps: () => true }), patches });
  const { RecordRing, recordRingBytes } = modules.load<Module>("shared/memory/record-ring.js");
  modules.assertPatched();
  const memory = world.allocate(recordRingBytes(CAPACITY));
  // The counters wrap on the way.
  const words = new Int32Array(memory);
  words[HEAD_WORD] = -8;
  words[TAIL_WORD] = -8;
  const [producing, consuming] = [new RecordRing(memory, CAPACITY), new RecordRing(memory, CAPACITY)];
  world.facts = [0, 0, setting.deaths, -8];

  const fieldsOf = (ring: RecordRing): Fields => {
    const { __head, __tail, __pendingBytes } = ring as Fields;
    return { __head, __tail, __pendingBytes } as Fields;
  };

  const produce = (fields: Fields | null): void => {
    const ring = fields === null ? new RecordRing(memory, CAPACITY) : Object.assign(producing, fields);
    for (;;) {
      const now = fieldsOf(ring);
      world.mark(JSON.stringify(now), () => produce(now));
      const record = world.effect("record", () => {
        world.facts[HEAD_BEFORE] = words[HEAD_WORD]!;
        return world.facts[WRITTEN]!;
      });
      if (record === records) return;
      const bytes = lengths[record % lengths.length]!;
      world.look(0, [TAIL_WORD]);
      const offset = ring.reserve(bytes);
      if (offset === -1) {
        world.idle();
        continue;
      }
      ring.words[offset >> 2] = record;
      ring.words[(offset + bytes - 4) >> 2] = record;
      ring.commit();
      world.effect("next", () => {
        world.facts[WRITTEN]! += 1;
        world.facts[HEAD_BEFORE] = words[HEAD_WORD]!;
      });
    }
  };

  const consume = (fields: Fields): void => {
    const ring = Object.assign(consuming, fields);
    for (;;) {
      const now = fieldsOf(ring);
      world.mark(JSON.stringify(now), () => consume(now));
      world.look(0, [HEAD_WORD]);
      const offset = ring.peek();
      if (offset === -1) {
        world.idle();
        continue;
      }
      const record = world.effect("read", () => world.facts[READ]!);
      const bytes = lengths[record % lengths.length]!;
      const [first, last] = [ring.words[offset >> 2], ring.words[(offset + bytes - 4) >> 2]];
      const length = ring.words[(offset - 8) >> 2];
      world.effect("check", () => {
        if (first !== record || last !== record || length !== bytes) {
          world.flaw ??= "a record was read that is not the next one, whole";
        }
        world.facts[READ]! += 1;
      });
      ring.release();
    }
  };

  const [atStart, consumerAtStart] = [fieldsOf(producing), fieldsOf(consuming)];
  world.start(0, "producer", () => produce(atStart));
  world.start(1, "consumer", () => consume(consumerAtStart));
  const death = (): readonly Action[] => {
    if (world.facts[DEATHS] === 0 || world.statusOf(0) === "ended") return [];
    const apply = (): void => {
      world.facts[DEATHS]! -= 1;
      // What was not committed is written again.
      if (words[HEAD_WORD] !== world.facts[HEAD_BEFORE]) world.facts[WRITTEN]! += 1;
      world.facts[HEAD_BEFORE] = words[HEAD_WORD]!;
      world.start(0, "successor", () => produce(null));
    };
    return [{ by: "producer dies", thread: -1, isOptional: true, apply }];
  };
  return search(world, {
    beside: death,
    isDone: () => world.facts[READ] === records && world.statusOf(0) === "ended",
  });
}
