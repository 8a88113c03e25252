import type { Model, Step } from "./explore.js";

/**
 * The ring of src/shared/memory/record-ring.ts between one producer that may die and one consumer. A unit stands for eight bytes: the
 * length of a record takes one, and each unit of its payload holds the record's number. Every step is one access to shared memory.
 */
export interface RecordRingSetting {
  /** A power of two. */
  readonly capacity: number;
  /** The lengths of the records, in generation; each at least 1 and with its header at most half of the capacity. */
  readonly lengths: readonly number[];
  readonly records: number;
  /** How often the producer may die, at any step; a successor attaches to the memory and goes on with the next record. */
  readonly deaths: number;
  readonly mistake?: RecordRingMistake;
}

export type RecordRingMistake = "head before payload" | "no look at the tail" | "tail before use" | "skip not counted";

const SKIP = -1;

interface State {
  head: number;
  tail: number;
  bytes: number[];
  producer: {
    at: "attach" | "attach tail" | "reserve" | "look" | "skip" | "length" | "payload" | "commit";
    head: number;
    tail: number;
    record: number;
    written: number;
  };
  consumer: {
    at: "peek" | "length" | "length at start" | "payload" | "release";
    head: number;
    tail: number;
    skipped: number;
    length: number;
    read: number[];
  };
  left: number;
  /** Numbers of the records that are committed and not yet read, oldest first. */
  expected: number[];
  flaw: string | null;
}

/** Properties: what is committed is read once, in order and whole; what a dead producer had not committed is never seen. */
export function recordRingModel(setting: RecordRingSetting): Model<State> {
  const { capacity, lengths, records, mistake } = setting;
  // Counters wrap here; both start one short of it.
  const wrap = 8 * capacity;
  const add = (position: number, units: number): number => (position + units) % wrap;
  const lengthOf = (record: number): number => lengths[record % lengths.length]!;
  const fresh = { at: "attach", head: 0, tail: 0, written: 0 } as const;

  const produce = (s: State): void => {
    const p = s.producer;
    const length = lengthOf(p.record);
    const place = p.head % capacity;
    const skipped = place + 1 + length > capacity ? capacity - place : 0;
    const counted = (mistake === "skip not counted" ? 0 : skipped) + 1 + length;
    const fits = (): boolean => ((p.head - p.tail + wrap) % wrap) + counted <= capacity;
    const afterReserve = skipped > 0 ? "skip" : "length";
    const start = skipped > 0 ? 0 : place;
    switch (p.at) {
      case "attach":
        p.head = s.head;
        p.at = "attach tail";
        break;
      case "attach tail":
        p.tail = s.tail;
        p.at = "reserve";
        break;
      case "reserve":
        if (fits() || mistake === "no look at the tail") {
          p.at = afterReserve;
          produce(s);
        } else {
          p.tail = s.tail;
          if (fits()) p.at = afterReserve;
        }
        break;
      case "skip":
        s.bytes[place] = SKIP;
        p.at = "length";
        break;
      case "length":
        s.bytes[start] = length;
        p.at = mistake === "head before payload" ? "commit" : "payload";
        break;
      case "payload":
        s.bytes[(start + 1 + p.written++) % capacity] = p.record;
        if (p.written < length) break;
        if (mistake === "head before payload") committed(p, skipped + 1 + length);
        else p.at = "commit";
        break;
      case "commit":
        s.head = add(p.head, skipped + 1 + length);
        s.expected.push(p.record);
        if (mistake === "head before payload") p.at = "payload";
        else committed(p, skipped + 1 + length);
        break;
    }
  };
  const committed = (p: State["producer"], units: number): void => {
    p.head = add(p.head, units);
    p.record++;
    p.written = 0;
    p.at = "reserve";
  };

  const consume = (s: State): void => {
    const c = s.consumer;
    const start = c.skipped > 0 ? 0 : c.tail % capacity;
    const used = (): void => {
      const record = s.expected.shift();
      const whole = record !== undefined && c.length === lengthOf(record) && c.read.every((unit) => unit === record);
      if (!whole) s.flaw = "a record was read that is not the next one, whole";
    };
    switch (c.at) {
      case "peek":
        c.head = s.head;
        if (c.head !== c.tail) c.at = "length";
        break;
      case "length":
      case "length at start":
        c.length = s.bytes[start]!;
        if (c.length === SKIP) {
          c.skipped = capacity - (c.tail % capacity);
          c.at = "length at start";
        } else {
          c.at = mistake === "tail before use" ? "release" : "payload";
        }
        break;
      case "payload":
        c.read.push(s.bytes[(start + 1 + c.read.length) % capacity]!);
        if (c.read.length < c.length) break;
        used();
        if (mistake === "tail before use") released(c);
        else c.at = "release";
        break;
      case "release":
        s.tail = add(c.tail, c.skipped + 1 + c.length);
        if (mistake === "tail before use") c.at = "payload";
        else released(c);
        break;
    }
  };
  const released = (c: State["consumer"]): void => {
    c.tail = add(c.tail, c.skipped + 1 + c.length);
    Object.assign(c, { at: c.head === c.tail ? "peek" : "length", skipped: 0, length: 0, read: [] });
  };

  const next = (state: State): Step<State>[] => {
    const steps: Step<State>[] = [];
    const step = (by: string, change: (s: State) => void): void => {
      const s: State = {
        ...state,
        bytes: [...state.bytes],
        producer: { ...state.producer },
        consumer: { ...state.consumer, read: [...state.consumer.read] },
        expected: [...state.expected],
      };
      change(s);
      steps.push({ by, state: s });
    };
    if (state.producer.record < records) {
      step(`producer: ${state.producer.at}`, produce);
      if (state.left > 0) {
        step("producer dies", (s) => {
          s.left--;
          const lost = mistake === "head before payload" && s.producer.at === "payload" ? 0 : 1;
          Object.assign(s.producer, fresh, { record: s.producer.record + lost });
        });
      }
    }
    step(`consumer: ${state.consumer.at}`, consume);
    return steps;
  };

  return {
    start: {
      head: wrap - 1,
      tail: wrap - 1,
      bytes: Array(capacity).fill(0),
      producer: { ...fresh, record: 0 },
      consumer: { at: "peek", head: wrap - 1, tail: wrap - 1, skipped: 0, length: 0, read: [] },
      left: setting.deaths,
      expected: [],
      flaw: null,
    },
    next,
    broken: ({ flaw }) => flaw,
    done: ({ producer, expected, head, tail }) => producer.record >= records && expected.length === 0 && head === tail,
  };
}
