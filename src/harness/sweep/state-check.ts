import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import { ParseState, ResponseParser } from "../load/parser/response-parser.js";
import type { EncodedRequest } from "../load/request/encode.js";
import type { LoadOptions } from "../load/request/options.js";
import { RequestSource } from "../load/request/source.js";
import type { StateDifference } from "./result.js";

/**
 * Does an application keep something in the memory of its thread? The same requests are sent to every core, several at a time, and what came
 * back is compared as a whole, whatever its order: a counter that each worker has for itself gives the same number more than once.
 */

/** Status, type, length and hash of a response. */
type Answer = readonly [status: string, type: string, length: string, hash: string];

const aspects = ["status", "type", "length", "body"] as const;

/** Requests of a sequence, where time allows. */
const REQUESTS = 64;
/** And at least, so that a second answer of one worker has a chance to be seen. */
const FEWEST = 8;
const TIMEOUT_MS = 30_000;
/** Of a head that is looked through for its type. */
const MAX_HEAD_CHARS = 64 * 1024;
const NO_ANSWER: Answer = ["none", "", "", ""];

/** How many requests a sequence has, and how many of them at a time, for a server that took so long for one. */
export function sequenceFor(
  workers: number,
  millisEach: number,
): { readonly requests: number; readonly concurrency: number } {
  const concurrency = Math.min(32, Math.max(8, 4 * workers));
  const affordable = Math.floor((2000 * Math.min(workers, concurrency)) / Math.max(1, millisEach));
  const requests = Math.max(FEWEST, 2 * workers, Math.min(REQUESTS, affordable));
  return { requests, concurrency: Math.min(concurrency, requests) };
}

/**
 * Sends the sequence and gives the answers, each over a connection of its own. The requests of a round leave at the same instant, over connections
 * that are open already: a core that wakes a worker for each finds work for several. One that did not come has the status "none".
 */
export async function answersOf(
  options: LoadOptions,
  { requests, concurrency }: ReturnType<typeof sequenceFor>,
  signal: AbortSignal,
): Promise<readonly Answer[]> {
  const source = new RequestSource({ ...options, keepAlive: false }, 0, 1);
  const answers: Answer[] = [];
  while (answers.length < requests && !signal.aborted) {
    const count = Math.min(concurrency, requests - answers.length);
    const exchanges = Array.from({ length: count }, () => new Exchange(options, source.next(), signal));
    await Promise.all(exchanges.map(({ connected }) => connected));
    for (const exchange of exchanges) exchange.send();
    answers.push(...(await Promise.all(exchanges.map(({ answer }) => answer))));
  }
  return answers;
}

/** One request and its answer. */
class Exchange {
  /** Resolves when it can be sent, or never will be. */
  readonly connected: Promise<void>;
  readonly answer: Promise<Answer>;
  readonly #socket: Socket;
  readonly #data: string | Buffer;

  constructor({ target }: LoadOptions, { data, bodiless }: EncodedRequest, signal: AbortSignal) {
    this.#data = data;
    const hash = createHash("sha256");
    const parser = new ResponseParser({ update: (bytes, start, end) => void hash.update(bytes.subarray(start, end)) });
    parser.reset(bodiless);
    let head = "";
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    this.#socket = socket;
    this.connected = new Promise((resolve) => {
      socket.once("connect", resolve).once("close", () => resolve());
    });
    this.answer = new Promise((resolve) => {
      const finish = (isWhole: boolean): void => {
        socket.destroy();
        signal.removeEventListener("abort", abort);
        const type = /^content-type:[ \t]*([^\r\n]*)/im.exec(head)?.[1] ?? "";
        resolve(isWhole ? [String(parser.head.status), type, String(parser.bodyBytes), hash.digest("hex")] : NO_ANSWER);
      };
      const abort = (): void => finish(false);
      signal.addEventListener("abort", abort, { once: true });
      socket.setTimeout(TIMEOUT_MS, () => finish(false));
      let isOver = false;
      socket.on("data", (bytes: Buffer) => {
        if (isOver) return;
        if (head.length < MAX_HEAD_CHARS && !/\r?\n\r?\n/.test(head)) head += bytes.toString("latin1");
        const state = parser.feed(bytes, bytes.length);
        if (state === ParseState.more) return;
        isOver = true;
        finish(state === ParseState.complete);
      });
      socket.on("end", () => isOver || finish(parser.end() === ParseState.complete));
      socket.on("error", () => finish(false));
      socket.on("close", () => finish(false));
    });
  }

  send(): void {
    if (typeof this.#data === "string") this.#socket.write(this.#data, "latin1");
    else this.#socket.write(this.#data);
  }
}

/**
 * How a core's answers differ from the base's. `again` are those of a second server of the base: what differs between the two says nothing (the
 * time of day, random numbers), and only what the base repeats is compared. null: nothing differs.
 */
export function differenceOf(
  names: { readonly core: string; readonly base: string },
  base: readonly Answer[],
  again: readonly Answer[],
  other: readonly Answer[],
): StateDifference | null {
  for (const [index, what] of aspects.entries()) {
    const upTo = (answers: readonly Answer[]): readonly string[] =>
      answers.map((answer) => answer.slice(0, index + 1).join("\n")).sort();
    const [ours, repeated, theirs] = [upTo(base), upTo(again), upTo(other)];
    if (ours.join("\0") !== repeated.join("\0")) return null;
    if (ours.join("\0") === theirs.join("\0")) continue;
    return {
      ...names,
      what,
      requests: base.length,
      ...countsOf(base, again, other, index + 1),
    };
  }
  return null;
}

/** How many different answers each gave, by all that the base repeats, and by no less than what differs. */
function countsOf(
  base: readonly Answer[],
  again: readonly Answer[],
  other: readonly Answer[],
  least: number,
): Pick<StateDifference, "answers" | "baseAnswers"> {
  const texts = (answers: readonly Answer[]): readonly string[] => answers.map((answer) => answer.join("\n")).sort();
  const isRepeated = texts(base).join("\0") === texts(again).join("\0");
  const distinct = (answers: readonly Answer[]): number =>
    new Set(answers.map((answer) => answer.slice(0, isRepeated ? aspects.length : least).join("\n"))).size;
  return { answers: distinct(other), baseAnswers: distinct(base) };
}

/** In words, as one sentence. */
export function stateText({ core, base, what, requests, answers, baseAnswers }: StateDifference): string {
  const found = { status: "statuses", type: "content types", length: "lengths of the answers", body: "answers" }[what];
  const isState = answers < baseAnswers;
  const counts = isState
    ? `${requests} requests got ${baseAnswers} different answers from the ${base} and ${answers} from the ${core}`
    : `the ${found} of ${requests} requests to the ${base} and to the ${core} differ`;
  const why = isState
    ? ": the application seems to keep state in the memory of its thread, of which each worker has its own"
    : "";
  return `The cores do not answer alike: ${counts}${why}. Their speeds are of different work.`;
}
