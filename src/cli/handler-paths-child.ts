import { importHandlers } from "../shared/dispatch/import-handlers.js";
import { messageOf } from "../shared/errors.js";

/** What this process sends to its parent. */
export type HandlerPaths = { readonly paths: readonly string[] } | { readonly error: string };

/** Imports the module that its argument names, and sends the paths it has handlers for. */
const found: HandlerPaths = await importHandlers(process.argv[2]!).then(
  ({ byPath }) => ({ paths: Object.keys(byPath) }),
  (error: unknown) => ({ error: messageOf(error) }),
);
process.send?.(found);
