import type { Core, CoreModule, Reply } from "../../src/core.js";
import type { ServerConfig } from "../../src/shared/config.js";
import { defaultConfig } from "../../src/shared/default-config.js";
import { createSharedState, type HandlerContext, threadContext } from "../../src/shared/handlers/context.js";
import { type HandlerResponse, isStreamBody, type StreamBody } from "../../src/shared/handlers/handler.js";
import type { ServerRequest } from "../../src/shared/handlers/request.js";

/** A reply as an adapter has it, which keeps its response. */
export class HeldReply implements Reply {
  aborted = false;
  ticket = -1;
  /** How often it was answered. */
  answers = 0;
  /** The response, its bytes copied. */
  readonly response: Promise<HandlerResponse>;
  #resolve: (response: HandlerResponse) => void = () => {};

  constructor() {
    this.response = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  send(response: HandlerResponse): void {
    this.answers++;
    const { body } = response;
    this.#resolve(body instanceof Uint8Array ? { ...response, body: Uint8Array.from(body) } : response);
  }

  async text(): Promise<string> {
    const { body } = await this.response;
    if (typeof body === "string") return body;
    if (body instanceof Uint8Array) return Buffer.from(body).toString();
    throw new Error("a body without a text");
  }

  async stream(): Promise<StreamBody> {
    const { body } = await this.response;
    if (isStreamBody(body)) return body;
    throw new Error("no stream");
  }
}

/** A core without an adapter before it. */
export interface BareCore {
  readonly core: Core;
  readonly context: HandlerContext;
  submit(request: ServerRequest): HeldReply;
}

/** Starts a core, calls `use`, and stops it whatever happens. */
export async function withCore(
  module: CoreModule,
  settings: Partial<ServerConfig>,
  use: (bare: BareCore) => Promise<void>,
): Promise<void> {
  const config = { ...defaultConfig(), mode: module.name, requestTimeoutMs: null, diagnostics: false, ...settings };
  const shared = createSharedState(config, module.threads(config), { iterationsPerMicro: 1000, uws: "none" });
  const context = threadContext(shared, 0);
  const core = await module.start(context);
  const submit = (request: ServerRequest): HeldReply => {
    const reply = new HeldReply();
    core.submit(request, reply);
    return reply;
  };
  // As the socket of a server does: between a worker and its successor nothing of a core keeps the process.
  const alive = setInterval(() => {}, 60_000);
  try {
    await use({ core, context, submit });
  } finally {
    clearInterval(alive);
    await core.stop();
  }
}
