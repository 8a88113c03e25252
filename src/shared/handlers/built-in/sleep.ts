import { setTimeout as delay } from "node:timers/promises";
import { type Handler, queryNumber, textResponse } from "../handler.js";

const MAX_SLEEP_MS = 60_000;

/** Bounds of the ms a request may wait. */
export const sleepBounds = { min: 0, max: MAX_SLEEP_MS };

/** `/sleep?ms=N`: answers N ms later (default 10) without burning CPU, as a handler does that waits for a database. */
export const sleep: Handler = async ({ query }) => {
  const ms = queryNumber(new URLSearchParams(query), "ms", { ...sleepBounds, default: 10 });
  await delay(ms);
  return textResponse(200, `slept ${ms} ms`);
};
