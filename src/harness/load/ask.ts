import { foldedLine } from "../../shared/terminal-text.js";

import { addressOf } from "./connection/address.js";
import { Connection } from "./connection/connection.js";
import type { LoadOptions } from "./request/options.js";
import { RequestSource } from "./request/source.js";
import { type ErrorClass, errorClasses } from "./result/run-result.js";
import { expectationsOf } from "./run/partial-result.js";
import { SharedRunState, sharedRunStateMemory } from "./tally/shared-run-state.js";
import { Tally } from "./tally/tally.js";

const SCAN_MS = 50;
const READ_BUFFER_BYTES = 64 * 1024;
/** Of a body: enough to come to the words of an error page. */
const MAX_BODY_BYTES = 4096;
/** Of these words: enough for what an error says of itself. */
const MAX_TEXT_CHARS = 200;

/** How one request went. */
export interface Asked {
  /** null: a success, as a run counts it. */
  readonly errorClass: ErrorClass | null;
  /** Of a whole response; null where there was none. */
  readonly status: number | null;
  /** Of the body of a whole response. */
  readonly bodyBytes: number;
  /** Why there was no connection, in the system's words; "" where there was one. */
  readonly connectFailure: string;
  /** What the body says first, in one line, without markup and control characters. */
  readonly text: string;
}

/**
 * Sends one request just as a run does, by the same connection and parser, and says how it went: what passes here passes in a run. Throws a
 * LoopoolError where the target's name has no address. When `signal` aborts, the request counts as interrupted.
 */
export async function askOnce(options: LoadOptions, signal: AbortSignal): Promise<Asked> {
  const address = await addressOf(options.target);
  const kinds = expectationsOf(options);
  const shared = new SharedRunState(sharedRunStateMemory(0, kinds.length), kinds.length);
  const tally = new Tally({ requests: 1, shared, onSecond: () => {}, byFirstByte: false, kinds });
  const body: Buffer[] = [];
  let bodyBytes = 0;
  const bodySink = {
    update(bytes: Buffer, start: number, end: number): void {
      if (bodyBytes < MAX_BODY_BYTES) body.push(Buffer.from(bytes.subarray(start, end)));
      bodyBytes += end - start;
    },
  };
  const requests = new RequestSource(options, 0, 1);
  const context = { options, address, tally, requests, readBuffer: Buffer.allocUnsafe(READ_BUFFER_BYTES), bodySink };
  await new Promise<void>((resolve) => {
    const connection = new Connection(context, {
      free() {
        connection.close();
        clearInterval(scan);
        signal.removeEventListener("abort", interrupt);
        resolve();
      },
    });
    const scan = setInterval(() => connection.checkTimeout(performance.now()), SCAN_MS);
    const interrupt = (): void => connection.interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    tally.take();
    const nowMs = performance.now();
    connection.start(nowMs, nowMs);
    if (signal.aborted) interrupt();
  });
  const [status] = Object.keys(tally.statusCounts);
  return {
    errorClass: errorClasses.find((name) => tally.errors[name] > 0) ?? null,
    status: status === undefined ? null : Number(status),
    bodyBytes,
    connectFailure: tally.connectFailure,
    text: wordsOf(Buffer.concat(body).subarray(0, MAX_BODY_BYTES).toString("utf8")),
  };
}

function wordsOf(body: string): string {
  const words = /^\s*<(!doctype|html)/i.test(body)
    ? body.replace(/<(head|style|script)\b[\s\S]*?(<\/\1>|$)/gi, " ").replace(/<[^>]*(>|$)/g, " ")
    : body;
  return foldedLine(words).slice(0, MAX_TEXT_CHARS);
}
