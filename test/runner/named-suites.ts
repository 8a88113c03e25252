import { type Callback, type Test, suite as uvuSuite } from "uvu";

const wanted = (process.env["LOOPOOL_TEST_NAME"] ?? "").toLowerCase();

/** uvu's `suite`, whose tests are registered only where their name or the suite's contains LOOPOOL_TEST_NAME. */
export function suite(title = "", context?: Record<string, unknown>): Test {
  const all = uvuSuite(title, context);
  const isWanted = (name: string): boolean => `${title} ${name}`.toLowerCase().includes(wanted);
  const chosen = (name: string, body: Callback): void => {
    if (isWanted(name)) all(name, body);
  };
  return Object.assign(chosen, all, {
    skip: (name = "") => {
      if (isWanted(name)) all.skip(name);
    },
    only: (name: string, body: Callback) => {
      if (isWanted(name)) all.only(name, body);
    },
  });
}
