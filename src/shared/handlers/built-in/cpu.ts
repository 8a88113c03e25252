import type { HandlerContext } from "../context.js";
import { type Handler, queryNumber, textResponse } from "../handler.js";
import { burn } from "./burn.js";

const MAX_BURN_MICROS = 10_000_000;

/** Bounds of the µs a request may burn. */
export const burnBounds = { min: 0, max: MAX_BURN_MICROS };

/** `/cpu?us=N`: burns N µs of CPU (default 1000), calibrated, and never sleeps. */
export function cpu({ shared }: HandlerContext): Handler {
  return ({ query }) => {
    const micros = queryNumber(new URLSearchParams(query), "us", { ...burnBounds, default: 1000 });
    const iterations = Math.round(micros * shared.iterationsPerMicro);
    return textResponse(200, `burned ${iterations} iterations, checksum ${burn(iterations) >>> 0}`);
  };
}
