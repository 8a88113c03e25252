import { ab } from "./ab.js";
import { autocannon } from "./autocannon.js";
import type { Driver } from "./driver.js";
import { h2load } from "./h2load.js";
import { oha } from "./oha.js";
import { wrk } from "./wrk.js";

/** Every tool that --driver knows. */
const drivers: readonly Driver[] = [wrk, ab, h2load, autocannon, oha];

export const driverNames: readonly string[] = drivers.map(({ name }) => name);

/** The driver of that name. Throws a RangeError for a name that is none of `driverNames`. */
export function driverNamed(name: string): Driver {
  const found = drivers.find((driver) => driver.name === name);
  if (found === undefined) throw new RangeError(`"${name}" is none of ${driverNames.join(", ")}`);
  return found;
}
