import type { SharedState } from "../shared/handlers/context.js";
import type { HandlerResponse, HeaderTable } from "../shared/handlers/handler.js";
import type { AnswerTag } from "./answer-codec.js";
import type { PoolMemory } from "./memory.js";

/** Main → worker, at its start (workerData). */
export interface StartupMessage {
  readonly worker: number;
  readonly memory: PoolMemory;
  readonly shared: SharedState;
}

/** Worker → main: its handlers are loaded and it takes requests. Main never loads them, and so has to be told what they read. */
export interface ReadyMessage {
  readonly type: "loopool:ready";
  readonly headerTable: HeaderTable;
}

/** Worker → main: it ends, since its handlers cannot be used. An error that is thrown would arrive without its class. */
export interface FailedMessage {
  readonly type: "loopool:failed";
  readonly code: string;
  readonly message: string;
  readonly exitCode: 1 | 2;
}

/** Worker → main: the doorbell was armed; there are answers in the rings. */
export interface WakeUpMessage {
  readonly type: "loopool:wake-up";
}

/** Worker → main: an answer that does not go through the ring. A body over shared memory is passed on without a copy. */
export interface AnswerMessage {
  readonly type: "loopool:answer";
  readonly tag: AnswerTag;
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: HandlerResponse["body"];
  /** The worker's pin on the body, which main takes over; −1: none. */
  readonly pin: number;
}

export type WorkerMessage = ReadyMessage | FailedMessage | WakeUpMessage | AnswerMessage;
