import { setTimeout as delay } from "node:timers/promises";
import type { HandlerContext } from "../context.js";
import { type Handler, type HandlerResponse, queryNumber, textResponse } from "../handler.js";
import { burn } from "./burn.js";
import { sleepBounds } from "./sleep.js";

const MAX_BURN_MICROS = 10_000_000;

/** Bounds of the µs a request may burn. */
export const burnBounds = { min: 0, max: MAX_BURN_MICROS };

/** `/cpu?us=N`: burns N µs of CPU (default 1000), calibrated, and never sleeps; `&ms=M`: waits M ms first, as for a database. */
export function cpu({ shared }: HandlerContext): Handler {
  return ({ query }) => {
    const parameters = new URLSearchParams(query);
    const micros = queryNumber(parameters, "us", { ...burnBounds, default: 1000 });
    const waitMs = queryNumber(parameters, "ms", { ...sleepBounds, default: 0 });
    const iterations = Math.round(micros * shared.iterationsPerMicro);
    return waitMs === 0 ? burned(iterations) : delay(waitMs).then(() => burned(iterations));
  };
}

function burned(iterations: number): HandlerResponse {
  return textResponse(200, `burned ${iterations} iterations, checksum ${burn(iterations) >>> 0}`);
}
