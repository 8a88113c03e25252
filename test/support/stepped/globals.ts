import type { EventLoop } from "./event-loop.js";
import { placeOf, type World } from "./world.js";

/** How shared memory is watched. */
export interface Watching {
  /** Whether a plain access to a word of memory is a step of its own, as an atomic one always is. */
  readonly plainSteps: (memory: ArrayBufferLike, word: number) => boolean;
  /** Whether a wait with a limit may come to it. */
  readonly timesUp?: boolean;
  /** The event loop of the thread that runs. */
  readonly loop?: () => EventLoop;
}

type IntegerView = Int32Array;

/**
 * `Atomics`, views and buffers for code that a world steps. A view of memory that threads share is seen through a proxy; all other memory
 * is as it is. Words are single accesses; what Buffer and Float64Array do is one access as a whole, and no step: in the code these bytes
 * follow from the words that guard them.
 */
export function steppedGlobals(world: World, { plainSteps, loop, timesUp = true }: Watching): Record<string, unknown> {
  const reals = new WeakMap<object, IntegerView>();
  const realOf = (view: IntegerView): IntegerView => reals.get(view) ?? view;
  const isShared = (view: ArrayBufferView): boolean => world.isShared(view.buffer);

  /** One atomic access: a step, and a change if the word has another value afterwards. */
  const atomic = (name: string, view: IntegerView, index: number, make: (real: IntegerView) => unknown): unknown => {
    const real = realOf(view);
    if (!isShared(real)) return make(real);
    const number = world.bufferNumber(real.buffer);
    return world.access(name, placeOf(number, index), true, () => {
      const before = real[index];
      const result = make(real);
      if (real[index] !== before) world.changed(number, index);
      return result;
    });
  };

  const atomics = {
    load: (view: IntegerView, at: number) => atomic("load", view, at, (real) => Atomics.load(real, at)),
    store: (view: IntegerView, at: number, value: number) =>
      atomic("store", view, at, (real) => Atomics.store(real, at, value)),
    add: (view: IntegerView, at: number, value: number) =>
      atomic("add", view, at, (real) => Atomics.add(real, at, value)),
    sub: (view: IntegerView, at: number, value: number) =>
      atomic("sub", view, at, (real) => Atomics.sub(real, at, value)),
    exchange: (view: IntegerView, at: number, value: number) =>
      atomic("exchange", view, at, (real) => Atomics.exchange(real, at, value)),
    compareExchange: (view: IntegerView, at: number, expected: number, value: number) =>
      atomic("compareExchange", view, at, (real) => Atomics.compareExchange(real, at, expected, value)),
    wait: (view: IntegerView, at: number, value: number, timeoutMs = Number.POSITIVE_INFINITY) =>
      world.wait(world.bufferNumber(realOf(view).buffer), at, value, timesUp && timeoutMs !== Number.POSITIVE_INFINITY),
    waitAsync: (view: IntegerView, at: number, value: number, timeoutMs = Number.POSITIVE_INFINITY) => {
      const id = world.nextAsyncWait();
      const mayTimeOut = timesUp && timeoutMs !== Number.POSITIVE_INFINITY;
      const buffer = world.bufferNumber(realOf(view).buffer);
      if (!world.waitAsync(buffer, at, value, id, mayTimeOut)) return { async: false, value: "not-equal" };
      // biome-ignore lint/suspicious/noThenProperty: it stands for a promise, and is awaited by nobody but the code that is stepped.
      return { async: true, value: { id, then: (use: () => void) => loop!().whenWoken(id, use) } };
    },
    notify: (view: IntegerView, at: number, count = Number.POSITIVE_INFINITY) =>
      world.notify(world.bufferNumber(realOf(view).buffer), at, count),
  };

  const WRITES = new Set(["fill", "set", "write", "copyWithin"]);
  const READS = new Set(["slice", "subarray", "toString", "compare", "equals"]);

  /** A view of shared memory whose accesses the world makes. */
  const watched = <View extends Int32Array | Float64Array | Buffer>(
    real: View,
    isStepAt: Watching["plainSteps"],
  ): View => {
    const isStep = (at: number): boolean => isStepAt(real.buffer, at);
    const number = world.bufferNumber(real.buffer);
    const read = (at: number): unknown => world.access("get", placeOf(number, at), isStep(at), () => real[at]);
    const write = (at: number, value: number): void => {
      world.access("set", placeOf(number, at), isStep(at), () => {
        const before = real[at];
        real[at] = value;
        if (real[at] !== before && isStep(at)) world.changed(number, at);
      });
    };
    const proxy = new Proxy(real, {
      get(_, name) {
        if (typeof name === "symbol") return Reflect.get(real, name, real);
        if (name === "toJSON") return () => "shared";
        const first = name.charCodeAt(0);
        if (first >= 48 && first <= 57) return read(Number(name));
        const member = Reflect.get(real, name, real) as unknown;
        if (typeof member !== "function") return member;
        const isWrite = WRITES.has(name);
        if (!isWrite && !READS.has(name)) throw new Error(`a method that is not watched: ${name}`);
        return (...parameters: unknown[]) =>
          world.access(name, number, false, () => {
            const result: unknown = Reflect.apply(member, real, parameters);
            // What is shared may change: a copy is what was seen.
            return ArrayBuffer.isView(result) ? (isWrite ? null : Buffer.from(result as Buffer)) : result;
          });
      },
      set(_, name, value) {
        write(Number(name), value as number);
        return true;
      },
    });
    if (real instanceof Int32Array) reals.set(proxy, real);
    return proxy;
  };

  const constructorOf = <View extends Int32Array | Float64Array>(
    Real: new (...all: never[]) => View,
    isStep: Watching["plainSteps"],
  ) =>
    new Proxy(Real, {
      construct(_, parameters) {
        const view = new Real(...(parameters as never[]));
        return isShared(view) ? watched(view, isStep) : view;
      },
    });

  return {
    Atomics: atomics,
    Int32Array: constructorOf(Int32Array as never, plainSteps),
    Float64Array: constructorOf(Float64Array as never, () => false),
    Buffer: new Proxy(Buffer, {
      get(real, name) {
        if (name !== "from") return Reflect.get(real, name) as unknown;
        return (...parameters: Parameters<typeof Buffer.from>) => {
          const bytes = Buffer.from(...parameters);
          return isShared(bytes) ? watched(bytes, () => false) : bytes;
        };
      },
    }),
  };
}
