import type { PartsOf } from "./result.js";
import { bodyOf } from "./result-body.js";
import { fieldsOf, HeaderBlocks } from "./result-headers.js";

/** Makes headers and body of what the user's handlers return; loopool's own return them as they are to be. One for each thread. */
export function partsOfResults(): PartsOf {
  const blocks = new HeaderBlocks();
  return (headers, body) => ({ headers: blocks.of(fieldsOf(headers)), body: bodyOf(body) });
}
