import type { ClaimRing } from "../../../../src/shared/memory/claim-ring.js";
import { steppedGlobals } from "../../../support/stepped/globals.js";
import { Modules, type Patch } from "../../../support/stepped/modules.js";
import { type Search, search } from "../../../support/stepped/search.js";
import { type Action, World } from "../../../support/stepped/world.js";

/** The setting of model/claim-ring.ts, for the real class. */
export interface SteppedClaimRingSetting {
  readonly slots: number;
  readonly consumers: number;
  readonly items: number;
  readonly deaths: number;
  readonly abandoned: number;
  readonly expired: number;
  readonly preemptions?: number;
}

type Module = typeof import("../../../../src/shared/memory/claim-ring.js");
type Answer = readonly [slot: number, generation: number, item: number];

/** What is private in the class and changes. */
interface Fields {
  readonly __head?: number;
  readonly __knownTail?: number;
}

interface Main {
  readonly fields: Fields;
  item: number;
  readonly replies: number[];
  abandoned: number;
  expired: number;
}

function fieldsOf(ring: ClaimRing): Fields {
  const { __head, __knownTail } = ring as Fields;
  return { __head, __knownTail } as Fields;
}

const MAIN = 0;
const EXIT = "exit";
/** Facts, by item: outcomes, then claims; last, the deaths that are left. */
const NONE = -1;

/**
 * A producer as src/pool/pool.ts is one and consumers as src/pool/worker.ts are, around the real ClaimRing. Every item has exactly one
 * outcome, its own; none is claimed twice; who sees the true tail gets the oldest.
 */
export function steppedClaimRing(setting: SteppedClaimRingSetting, patches: readonly Patch[] = []): Search {
  const { slots, consumers, items } = setting;
  const world = new World();
  const modules = new Modules({ globals: steppedGlobals(world, { plainSteps: () => false }), patches });
  const { ClaimRing, claimRingBytes } = modules.load<Module>("shared/memory/claim-ring.js");
  modules.assertPatched();
  const shape = { slots, payloadBytes: 8 };
  const memory = world.allocate(claimRingBytes(shape));
  // The counters wrap on the way.
  const words = new Int32Array(memory);
  words[0] = -1;
  words[16] = -1;
  world.facts = [...Array(2 * items).fill(0), setting.deaths];

  const rings = Array.from({ length: 1 + consumers }, () => new ClaimRing(memory, shape));

  const outcome = (item: number): void => {
    world.facts[item]! += 1;
    if (world.facts[item]! > 1) world.flaw ??= "an item had two outcomes";
  };
  const main = (state: Main): void => {
    const ring = Object.assign(rings[MAIN]!, state.fields);
    const settle = (slot: number, answered: number): void => {
      const waiting = state.replies[slot]!;
      state.replies[slot] = NONE;
      ring.release(slot);
      world.effect("settle", () => {
        if (waiting === NONE) return;
        if (waiting !== answered) world.flaw ??= "an answer reached another request";
        outcome(waiting);
      });
    };
    const giveUp = (slot: number, revokesOnly: boolean): boolean => {
      const waiting = state.replies[slot]!;
      if (!ring.revoke(slot)) {
        if (revokesOnly) return false;
        ring.withdraw(slot);
      }
      state.replies[slot] = NONE;
      world.effect("give up", () => outcome(waiting));
      return true;
    };
    for (;;) {
      const now = { ...state, fields: fieldsOf(ring), replies: [...state.replies] };
      world.mark(JSON.stringify(now), () => main({ ...now, replies: [...now.replies] }));
      const waiting = state.replies.flatMap((reply, slot) => (reply === NONE ? [] : [slot]));
      const event = world.select([
        ...(state.item < items ? ["push"] : []),
        ...(state.abandoned > 0 ? waiting.map((slot) => `abandon ${slot}?`) : []),
        ...(state.expired > 0 ? waiting.map((slot) => `expire ${slot}?`) : []),
      ]);
      if ("message" in event) {
        const { from, data } = event.message;
        if (data === EXIT) {
          for (const slot of ring.heldBy(from - 1)) settle(slot, state.replies[slot]!);
          world.effect("successor", () => world.start(from, `consumer ${from}`, () => consume(from)));
        } else {
          const [slot, generation, answered] = data as Answer;
          if (generation === ring.generation(slot)) settle(slot, answered);
        }
        continue;
      }
      const [what, number] = event.own.split(" ");
      const slot = Number.parseInt(number ?? "", 10);
      if (what === "push") {
        const reserved = ring.reserve();
        if (reserved === -1) continue;
        ring.words[ring.payloadOffset(reserved) >> 2] = state.item;
        state.replies[reserved] = state.item;
        ring.publish(reserved);
        state.item++;
      } else if (what === "abandon") {
        if (giveUp(slot, true)) state.abandoned--;
      } else {
        giveUp(slot, false);
        state.expired--;
      }
    }
  };

  const consume = (id: number): void => {
    const ring = rings[id]!;
    for (;;) {
      world.mark("", () => consume(id));
      world.look(0, [0]);
      const slot = ring.claim(id - 1);
      if (slot === -1) {
        world.idle();
        continue;
      }
      serve(id, ring, slot);
    }
  };

  const serve = (id: number, ring: ClaimRing, slot: number): void => {
    world.mark(`claimed ${slot}`, () => {
      serve(id, ring, slot);
      consume(id);
    });
    const generation = ring.generation(slot);
    const item = ring.words[ring.payloadOffset(slot) >> 2]!;
    if (ring.ownerOf(slot) !== id - 1) return;
    world.effect("served", () => {
      world.facts[items + item]! += 1;
      if (world.facts[items + item]! > 1) world.flaw ??= "an item was served twice";
    });
    world.post(MAIN, [slot, generation, item] satisfies Answer);
  };

  const start = {
    fields: fieldsOf(rings[MAIN]!),
    item: 0,
    replies: Array(slots).fill(NONE),
    abandoned: setting.abandoned,
    expired: setting.expired,
  };
  world.start(MAIN, "producer", () => main({ ...start, replies: [...start.replies] }));
  for (let id = 1; id <= consumers; id++) world.start(id, `consumer ${id}`, () => consume(id));

  const deaths = (): readonly Action[] => {
    if (world.facts.at(-1) === 0) return [];
    const ids = Array.from({ length: consumers }, (_, i) => i + 1).filter((id) => world.statusOf(id) !== "ended");
    return ids.map((id) => ({
      by: `consumer ${id} dies`,
      thread: -1,
      isOptional: true,
      apply: () => {
        world.facts[world.facts.length - 1]! -= 1;
        world.kill(id);
        world.deliver(MAIN, id, EXIT);
      },
    }));
  };
  const isWhole = (): boolean => {
    const ring = new ClaimRing(memory, shape);
    const owners = Array.from({ length: slots }, (_, slot) => ring.words[(ring.payloadOffset(slot) >> 2) - 4]);
    return ring.isEmpty && owners.every((state) => state === 0);
  };
  return search(world, {
    ...(setting.preemptions === undefined ? {} : { preemptions: setting.preemptions }),
    beside: deaths,
    isDone: () => world.facts.slice(0, items).every((count) => count === 1) && isWhole(),
  });
}
