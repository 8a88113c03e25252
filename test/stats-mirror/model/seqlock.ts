import type { Model, Step } from "../../shared/memory/model/explore.js";

/**
 * The seqlock of src/stats-mirror: MirrorWriter.write and readState of reader.ts. Words of the file are one step each, since neither a
 * pwrite nor a pread is one: those of one call in any order. The state is two words, a and b, both n in state n; the checksum, which
 * here never fails to tell, stands for sequence, a and b.
 */
export interface SeqlockSetting {
  /** States that the writer writes. */
  readonly states: number;
  /** The writer may die at any step, and leaves what was written until then. */
  readonly death: boolean;
  /** What two calls of the writer wrote may become visible in any order, but for one and the same word. */
  readonly unordered: boolean;
  /** The reader looks at the checksum. */
  readonly checksum: boolean;
  readonly mistake?: "no odd sequence" | "no second look" | "odd is accepted";
}

const words = ["sequence", "a", "b", "checksum"] as const;
type Word = (typeof words)[number];
type File = Record<Word, number>;

interface State {
  file: File;
  /** Written, not visible yet: in the order of the calls; the words of one call have one number. */
  pending: { word: Word; value: number; call: number }[];
  written: number;
  dead: boolean;
  reader: { at: "before" | "body" | "after" | "end"; before: number; read: Partial<File> };
  /** The a and b that the reader has accepted. */
  accepted: [number, number] | null;
}

const checksumOf = (sequence: number, a: number, b: number): number => sequence * 100 + a * 10 + b;

/** Property: what the reader accepts is one state; and it can always come to an end. */
export function seqlockModel(setting: SeqlockSetting): Model<State> {
  const { mistake } = setting;

  const writer = (state: State): Step<State>[] => {
    if (state.dead) return [];
    const steps: Step<State>[] = [];
    if (state.pending.length === 0 && state.written < setting.states) {
      const n = state.written + 1;
      const s = structuredClone(state);
      s.written = n;
      s.pending = [
        ...(mistake === "no odd sequence" ? [] : [{ word: "sequence" as const, value: 2 * n - 1, call: 0 }]),
        { word: "a", value: n, call: 1 },
        { word: "b", value: n, call: 1 },
        { word: "checksum", value: checksumOf(2 * n, n, n), call: 1 },
        { word: "sequence", value: 2 * n, call: 2 },
      ];
      steps.push({ by: `writer: begins state ${n}`, state: s });
    }
    state.pending.forEach(({ word, value, call }, i) => {
      const earlier = state.pending.slice(0, i);
      if (earlier.some((other) => other.word === word || (!setting.unordered && other.call < call))) return;
      const s = structuredClone(state);
      s.pending.splice(i, 1);
      s.file[word] = value;
      steps.push({ by: `writer: ${word} = ${value}`, state: s });
    });
    if (setting.death) steps.push({ by: "writer dies", state: { ...structuredClone(state), dead: true, pending: [] } });
    return steps;
  };

  const reader = (state: State): Step<State>[] => {
    const steps: Step<State>[] = [];
    const step = (by: string, change: (s: State) => void): void => {
      const s = structuredClone(state);
      change(s);
      steps.push({ by: `reader: ${by}`, state: s });
    };
    const again = { at: "before" as const, before: 0, read: {} };
    switch (state.reader.at) {
      case "before":
        step("sequence", (s) => {
          if (s.file.sequence % 2 === 1 && mistake !== "odd is accepted") return;
          s.reader = { at: "body", before: s.file.sequence, read: {} };
        });
        // It is bounded: it may give up whenever it has not found a whole state.
        step("gives up", (s) => {
          s.reader.at = "end";
        });
        break;
      case "body":
        for (const word of words) {
          if (state.reader.read[word] !== undefined) continue;
          step(word, (s) => {
            s.reader.read[word] = s.file[word];
            if (words.every((each) => s.reader.read[each] !== undefined)) s.reader.at = "after";
          });
        }
        break;
      case "after":
        step("sequence again", (s) => {
          const { sequence, a, b, checksum } = s.reader.read as File;
          const isSame =
            mistake === "no second look" || (sequence === s.reader.before && s.file.sequence === s.reader.before);
          if (isSame && (!setting.checksum || checksum === checksumOf(sequence, a, b))) {
            s.accepted = [a, b];
            s.reader = { ...again, at: "end" };
          } else {
            s.reader = again;
          }
        });
        break;
      case "end":
        break;
    }
    return steps;
  };

  return {
    start: {
      file: { sequence: 0, a: 0, b: 0, checksum: 0 },
      pending: [],
      written: 0,
      dead: false,
      reader: { at: "before", before: 0, read: {} },
      accepted: null,
    },
    next: (state) => [...writer(state), ...reader(state)],
    broken: ({ accepted }) => (accepted !== null && accepted[0] !== accepted[1] ? "a mixture was accepted" : null),
    done: ({ reader: { at } }) => at === "end",
  };
}
