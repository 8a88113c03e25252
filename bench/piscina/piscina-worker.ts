import { parentPort } from "node:worker_threads";
import { workerData } from "piscina";
import { countUnhandledRejections, createDispatch } from "../../src/shared/dispatch/dispatch.js";
import { threadContext } from "../../src/shared/handlers/context.js";
import { type RequestHead, ServerRequest } from "../../src/shared/handlers/request.js";
import type { PiscinaStartup } from "./piscina-core.js";

/**
 * A worker of piscina: its task is a request, its result the response. A header block arrives as a plain object with the same fields,
 * a body in shared memory arrives as a view of the same memory: neither needs to be transferred.
 */
const { shared, taken } = workerData as PiscinaStartup;
const context = threadContext(shared, 1 + Atomics.add(new Int32Array(taken), 0, 1));
const dispatch = await createDispatch(context);
countUnhandledRejections(context.stats, context.shared.config);
// piscina calls its workers ready before their handlers are loaded.
parentPort!.postMessage("loaded");

export default (head: RequestHead) => dispatch(new ServerRequest(head));
