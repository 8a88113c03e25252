import type { SharedState } from "../shared/handlers/context.js";
import type { FileBody } from "../shared/handlers/handler.js";
import type { RouteTable } from "../shared/handlers/route.js";
import type { AnswerTag } from "./answer-codec.js";
import type { PoolMemory } from "./memory.js";

/** Main → worker, at its start (workerData). */
export interface StartupMessage {
  readonly worker: number;
  readonly memory: PoolMemory;
  readonly shared: SharedState;
}

/** Worker → main: its handlers are loaded and it takes requests. Main never loads them, and so has to be told what they take and read. */
export interface ReadyMessage {
  readonly type: "loopool:ready";
  readonly routes: RouteTable;
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

/** A stream by its number, which its worker gives, and the length of all of it, −1: not known. */
export interface StreamHead {
  readonly stream: number;
  readonly bytes: number;
}

/** Worker → main: an answer that does not go through the ring. A body over shared memory is passed on without a copy. */
export interface AnswerMessage {
  readonly type: "loopool:answer";
  readonly tag: AnswerTag;
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string | Uint8Array | FileBody | StreamHead;
  /** The worker's pin on the body, which main takes over; −1: none. */
  readonly pin: number;
}

/** Worker → main: a chunk of a stream that does not go through the ring. */
export interface ChunkMessage {
  readonly type: "loopool:chunk";
  readonly stream: number;
  readonly chunk: Uint8Array;
}

/** Worker → main: a stream is complete, or its source failed. */
export interface EndMessage {
  readonly type: "loopool:end";
  readonly stream: number;
  readonly failure: string | null;
}

/** Worker → main: the handler reads its request's body; more of it may be sent. */
export interface PullMessage {
  readonly type: "loopool:pull";
  readonly upload: number;
  readonly credit: number;
}

/** Worker → main: the handler wants no more of its request's body. */
export interface CloseUploadMessage {
  readonly type: "loopool:close-upload";
  readonly upload: number;
}

export type WorkerMessage =
  | ReadyMessage
  | FailedMessage
  | WakeUpMessage
  | AnswerMessage
  | ChunkMessage
  | EndMessage
  | PullMessage
  | CloseUploadMessage;

/** Main → worker: nobody waits for the answer to a request any more, and its handler has asked to know. */
export interface GoneMessage {
  readonly type: "gone";
  readonly slot: number;
  readonly generation: number;
}

/** Main → worker: more of a stream may be sent. `received`: chunks that have arrived. */
export interface GrantMessage {
  readonly type: "grant";
  readonly stream: number;
  readonly credit: number;
  readonly received: number;
}

/** Main → worker: nothing more of a stream is wanted: its client has gone, or has all it asked for. */
export interface CloseStreamMessage {
  readonly type: "close-stream";
  readonly stream: number;
  readonly gone: boolean;
}

/** Main → worker: a chunk of a request's body. */
export interface UploadMessage {
  readonly type: "upload";
  readonly upload: number;
  readonly chunk: Uint8Array;
}

/** Main → worker: a request's body is complete, or ends in the middle. */
export interface UploadEndMessage {
  readonly type: "upload-end";
  readonly upload: number;
  readonly failure: string | null;
}

/** Main → worker: no more requests come; it ends the user's code, and itself. */
export interface EndUserCodeMessage {
  readonly type: "end-user-code";
}

export type PoolMessage =
  | EndUserCodeMessage
  | GoneMessage
  | GrantMessage
  | CloseStreamMessage
  | UploadMessage
  | UploadEndMessage;
