/**
 * Threads that run the real code one step at a time: a step ends after each access to shared memory that others could see in between.
 *
 * JavaScript cannot stop a function halfway and go on later. So a step runs its thread again from the beginning: what its accesses gave
 * before is taken from a log, the next access is made, and an exception ends the run there. The thread's code must be deterministic but
 * for its accesses, its messages and the events it is given; a log that does not fit the code is an error.
 */

/** Thrown to end a run; what catches everything meets it again at its next access. */
const SUSPENDED = Symbol("suspended");

/** A run makes no more accesses than these, and comes to a `select` or `mark` within as many: more is a loop that does not end. */
const MAX_ACCESSES = 400;

interface Entry {
  readonly what: string;
  readonly at: number;
  readonly value: unknown;
}

/** What a thread may do next when it is at a choice: one of its own events, or the oldest message of a sender. */
export interface Message {
  readonly from: number;
  readonly data: unknown;
}

type Event = { readonly own: string } | { readonly message: Message };

interface Wait {
  readonly thread: number;
  readonly buffer: number;
  readonly index: number;
  /** −1: the thread stands still; else the number of its asynchronous wait. */
  readonly id: number;
  readonly mayTimeOut: boolean;
}

/** `choosing`: in its event loop. `asleep`: in Atomics.wait. `idle`: it has looked at shared memory and waits until that changes. */
type Status = "ready" | "choosing" | "asleep" | "idle" | "ended";

interface Thread {
  readonly name: string;
  program: () => void;
  status: Status;
  log: Entry[];
  /** What its own state is, as far as it matters, at entry `marked` of the log. */
  mark: string;
  marked: number;
  /** At a choice: its own events. */
  own: readonly string[];
  /** What it looks at, and whether that has changed since it began to. */
  looksAt: readonly number[];
  hasChanged: boolean;
  key: string;
}

/** One possible next step. */
export interface Action {
  readonly by: string;
  /** −1: nobody's, it happens to a thread. */
  readonly thread: number;
  /** Whether the end may be waited for without it: a death, a client that goes. */
  readonly isOptional: boolean;
  readonly apply: () => void;
}

interface Saved {
  readonly words: readonly Int32Array[];
  readonly threads: readonly (Thread & { readonly length: number })[];
  readonly waits: readonly Wait[];
  readonly inbox: readonly Message[][][];
  readonly facts: readonly number[];
  readonly flaw: string | null;
}

export class World {
  /** What is checked: numbers that threads change by `effect`, so that they are part of the state. */
  facts: number[] = [];
  flaw: string | null = null;
  /** Called after each step; true: the thread that runs makes the next one as well, which saves running it again. */
  onStep: ((thread: number) => boolean) | null = null;
  readonly #buffers: SharedArrayBuffer[] = [];
  readonly #words: Int32Array[] = [];
  readonly #isCompared: boolean[] = [];
  #threads: Thread[] = [];
  #waits: Wait[] = [];
  /** By receiver and sender, oldest first. */
  #inbox: Message[][][] = [];
  /** The thread that runs, how far in its log it is, and what it counts anew in each run. */
  #running = -1;
  #position = 0;
  #accesses = 0;
  #isSuspended = false;
  #hasStepped = false;
  #asyncWaits = 0;

  /** Memory that all threads share. What is not `compared` never decides anything by itself. */
  allocate(bytes: number, compared = true): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(Math.ceil(bytes / 8) * 8);
    this.#buffers.push(buffer);
    this.#words.push(new Int32Array(buffer));
    this.#isCompared.push(compared);
    return buffer;
  }

  isShared(memory: unknown): memory is SharedArrayBuffer {
    return this.#buffers.includes(memory as SharedArrayBuffer);
  }

  bufferNumber(memory: ArrayBufferLike): number {
    return this.#buffers.indexOf(memory as SharedArrayBuffer);
  }

  /** A thread by its number, which a successor may take. It runs to its first access when it is stepped for the first time. */
  start(number: number, name: string, program: () => void): void {
    const blank = { mark: "", marked: 0, own: [], looksAt: [], hasChanged: false, key: "" };
    this.#threads[number] = { name, program, status: "ready", log: [], ...blank };
    this.#inbox[number] ??= [];
  }

  statusOf(thread: number): Status | undefined {
    return this.#threads[thread]?.status;
  }

  /** A thread ends where it is; what it has sent still arrives. */
  kill(thread: number): void {
    this.#threads[thread]!.status = "ended";
    this.#waits = this.#waits.filter((wait) => wait.thread !== thread);
  }

  get running(): number {
    return this.#running;
  }

  /** The number of this allocation, asynchronous wait or the like among those of the run: the same in every run. */
  nextAsyncWait(): number {
    return this.#asyncWaits++;
  }

  /**
   * One access to what others see: made once, and from then on remembered. `at` tells accesses of a kind apart. `isStep`: others can come
   * between it and the next.
   */
  access<T>(what: string, at: number, isStep: boolean, make: () => T): T {
    const thread = this.#threads[this.#running];
    if (thread === undefined) return make();
    if (this.#isSuspended) throw SUSPENDED;
    const { log } = thread;
    if (this.#position < log.length) {
      const entry = log[this.#position++]!;
      if (entry.what !== what || entry.at !== at) {
        throw new Error(`${thread.name} is not deterministic: ${what} ${at} instead of ${entry.what} ${entry.at}`);
      }
      return entry.value as T;
    }
    if (++this.#accesses > MAX_ACCESSES || log.length - thread.marked > MAX_ACCESSES) {
      this.flaw ??= `${thread.name} does not come to an end`;
      this.#suspend();
    }
    if (this.#hasStepped) this.#pause(thread);
    const value = make();
    log.push({ what, at, value });
    this.#position++;
    this.#hasStepped = isStep;
    return value;
  }

  /** Between two steps: the thread goes on, or the run ends. */
  #pause(thread: Thread): void {
    this.#keep(thread);
    if (this.onStep === null || !this.onStep(this.#running)) this.#suspend();
    this.#hasStepped = false;
    this.#accesses = 0;
  }

  #suspend(): never {
    this.#isSuspended = true;
    throw SUSPENDED;
  }

  /** Changes what is outside of the thread, once; nobody comes between. */
  effect<T>(what: string, make: () => T): T {
    return this.access(what, 0, false, make);
  }

  /** A word has another value: whoever has looked at it in vain looks again. */
  changed(buffer: number, index: number): void {
    const place = placeOf(buffer, index);
    for (let number = 0; number < this.#threads.length; number++) {
      const thread = this.#threads[number]!;
      if (number === this.#running || !thread.looksAt.includes(place)) continue;
      thread.hasChanged = true;
      if (thread.status !== "idle") continue;
      thread.status = "ready";
      this.#answer(thread, "idle", 0, null);
    }
  }

  #answer(thread: Thread, what: string, at: number, value: unknown): void {
    thread.log.push({ what, at, value });
    this.#keep(thread);
  }

  /** The running thread begins to look for something that changes one of these words of a buffer. */
  look(buffer: number, words: readonly number[]): void {
    this.effect("look", () => {
      const thread = this.#threads[this.#running]!;
      thread.looksAt = words.map((word) => placeOf(buffer, word));
      thread.hasChanged = false;
    });
  }

  /** It found nothing: it goes on when one of them has changed since it began. */
  idle(): void {
    this.#hasStepped = false;
    this.access("idle", 0, false, () => {
      const thread = this.#threads[this.#running]!;
      if (thread.hasChanged) return null;
      thread.status = "idle";
      return this.#suspend();
    });
  }

  /**
   * What matters of the running thread's own state: what led to it does not from here on. `resume` goes on from here, if the state can be
   * restored; else every run goes through all that came before.
   */
  mark(state: string, resume?: () => void): void {
    const thread = this.#threads[this.#running]!;
    if (this.#position < thread.log.length) return;
    thread.mark = state;
    thread.looksAt = [];
    thread.hasChanged = false;
    if (resume === undefined) {
      thread.marked = thread.log.length;
      return;
    }
    thread.program = resume;
    thread.log = [];
    thread.marked = 0;
    this.#position = 0;
    this.#accesses = 0;
  }

  /** The running thread is in its event loop: one of its own events, or a message. */
  select(own: readonly string[]): Event {
    this.#hasStepped = false;
    return this.access("select", 0, false, () => {
      const thread = this.#threads[this.#running]!;
      thread.status = "choosing";
      thread.own = own;
      return this.#suspend();
    });
  }

  post(receiver: number, data: unknown): void {
    const from = this.#running;
    // A step: what it brings about must not wait for the next access.
    this.access("post", receiver, true, () => this.deliver(receiver, from, data));
  }

  deliver(receiver: number, from: number, data: unknown): void {
    this.#inbox[receiver]![from] ??= [];
    this.#inbox[receiver]![from]!.push({ from, data });
  }

  /** Atomics.wait and waitAsync. */
  wait(buffer: number, index: number, value: number, mayTimeOut: boolean): string {
    return this.access("wait", placeOf(buffer, index), true, () => {
      if (this.#words[buffer]![index] !== value) return "not-equal";
      this.#waits = [...this.#waits, { thread: this.#running, buffer, index, id: -1, mayTimeOut }];
      this.#threads[this.#running]!.status = "asleep";
      return this.#suspend();
    });
  }

  waitAsync(buffer: number, index: number, value: number, id: number, mayTimeOut: boolean): boolean {
    return this.access("waitAsync", placeOf(buffer, index), true, () => {
      if (this.#words[buffer]![index] !== value) return false;
      this.#waits = [...this.#waits, { thread: this.#running, buffer, index, id, mayTimeOut }];
      return true;
    });
  }

  notify(buffer: number, index: number, count: number): number {
    return this.access("notify", placeOf(buffer, index), true, () => {
      const woken = this.#waits.filter((wait) => wait.buffer === buffer && wait.index === index).slice(0, count);
      for (const wait of woken) this.#wake(wait, "ok");
      return woken.length;
    });
  }

  #wake(wait: Wait, outcome: string): void {
    this.#waits = this.#waits.filter((one) => one !== wait);
    if (wait.id !== -1) {
      this.deliver(wait.thread, wait.thread, { woken: wait.id, outcome });
      return;
    }
    const thread = this.#threads[wait.thread]!;
    thread.status = "ready";
    this.#answer(thread, "wait", placeOf(wait.buffer, wait.index), outcome);
  }

  /** All that threads can do next, and sleeps that may time out. */
  actions(): Action[] {
    const actions: Action[] = [];
    this.#threads.forEach((thread, number) => {
      const add = (by: string, apply: () => void, isOptional = false): void => {
        actions.push({ by: `${thread.name}: ${by}`, thread: number, isOptional, apply });
      };
      if (thread.status === "ready") add("", () => this.step(number));
      if (thread.status !== "choosing") return;
      for (const own of thread.own) {
        add(own, () => this.#choose(number, { own }), own.endsWith("?"));
      }
      this.#inbox[number]!.forEach((messages, sender) => {
        const [message] = messages;
        if (message === undefined) return;
        add(`message ${JSON.stringify(message)}`, () => {
          this.#inbox[number]![sender]!.shift();
          this.#choose(number, { message });
        });
      });
    });
    for (const wait of this.#waits) {
      if (!wait.mayTimeOut) continue;
      const by = `${this.#threads[wait.thread]!.name}: its time is up`;
      actions.push({ by, thread: wait.thread, isOptional: false, apply: () => this.#wake(wait, "timed-out") });
    }
    return actions;
  }

  #choose(number: number, event: Event): void {
    const thread = this.#threads[number]!;
    thread.status = "ready";
    thread.log.push({ what: "select", at: 0, value: event });
    this.step(number);
  }

  /** Runs a thread to its next access, choice or end. */
  step(number: number): void {
    const thread = this.#threads[number]!;
    this.#running = number;
    this.#position = 0;
    this.#accesses = 0;
    this.#asyncWaits = 0;
    this.#isSuspended = false;
    this.#hasStepped = false;
    try {
      thread.program();
      if (!this.#isSuspended) thread.status = "ended";
    } catch (error) {
      if (error !== SUSPENDED) {
        this.flaw ??= `${thread.name} failed: ${error instanceof Error ? error.stack : String(error)}`;
      }
    } finally {
      this.#running = -1;
    }
    this.#keep(thread);
  }

  #keep(thread: Thread): void {
    const since = thread.log.slice(thread.marked).map(({ value }) => value);
    thread.key = `${thread.mark}|${JSON.stringify(since)}`;
  }

  /** Whether a message of one thread to another has not been received. */
  hasMessage(receiver: number, from: number): boolean {
    return (this.#inbox[receiver]![from]?.length ?? 0) > 0;
  }

  /** Whether messages for a thread have not been received. */
  isWaited(receiver: number): boolean {
    return this.#inbox[receiver]!.some((messages) => messages.length > 0);
  }

  /** Where each thread is and what it made last, for a trace. */
  lastOf(number: number): string {
    const { status, log } = this.#threads[number]!;
    const last = log.at(-1);
    if (last === undefined) return status;
    return `${last.what} ${last.at} = ${JSON.stringify(last.value)}${status === "ready" ? "" : `, ${status}`}`;
  }

  /** A number that stands for the state: two states share one with a probability of about 2⁻⁵³. */
  hash(beside: string): number {
    let low = 0x811c9dc5;
    let high = 0x9e3779b1;
    const add = (value: number): void => {
      low = Math.imul(low ^ value, 0x01000193);
      low ^= low >>> 15;
      high = Math.imul(high ^ value, 0x85ebca6b);
      high ^= high >>> 13;
    };
    this.#words.forEach((words, i) => {
      if (this.#isCompared[i]) for (let at = 0; at < words.length; at++) add(words[at]!);
    });
    const addText = (text: string): void => {
      for (let i = 0; i < text.length; i++) add(text.charCodeAt(i));
      add(-1);
    };
    for (const { status, hasChanged, key } of this.#threads) addText(`${status}${hasChanged}${key}`);
    for (const { thread, buffer, index, id } of this.#waits) addText(`${thread} ${buffer} ${index} ${id}`);
    addText(JSON.stringify(this.#inbox));
    for (const fact of this.facts) add(fact);
    addText(beside);
    return (high >>> 0) * 2 ** 21 + (low >>> 11);
  }

  save(): Saved {
    return {
      words: this.#words.map((words) => words.slice()),
      threads: this.#threads.map((thread) => ({ ...thread, length: thread.log.length })),
      waits: this.#waits,
      inbox: copyOf(this.#inbox),
      facts: [...this.facts],
      flaw: this.flaw,
    };
  }

  /** Goes back to a state that led to this one. */
  restore({ words, threads, waits, inbox, facts, flaw }: Saved): void {
    words.forEach((saved, i) => {
      this.#words[i]!.set(saved);
    });
    this.#threads = threads.map(({ length, ...thread }) => {
      thread.log.length = length;
      return thread;
    });
    this.#waits = [...waits];
    this.#inbox = copyOf(inbox);
    this.facts = [...facts];
    this.flaw = flaw;
  }
}

/** One number for a word of a buffer. */
export function placeOf(buffer: number, index: number): number {
  return buffer * 2 ** 20 + index;
}

function copyOf(inbox: readonly Message[][][]): Message[][][] {
  return inbox.map((senders) => senders.map((messages) => [...messages]));
}
