import { bodyCases } from "./wire-bodies.js";
import type { WireCase } from "./wire-case.js";
import { fieldCases, requestLineCases } from "./wire-heads.js";

/** All of them, for every adapter and core. */
export const wireCases: readonly WireCase[] = [...requestLineCases, ...fieldCases, ...bodyCases];
