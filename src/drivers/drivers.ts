import type { Driver } from "./driver.js";
import { wrk } from "./wrk.js";

/** Every tool that --driver knows. */
const drivers: readonly Driver[] = [wrk];

export const driverNames: readonly string[] = drivers.map(({ name }) => name);

/** The driver of that name. Throws a RangeError for a name that is none of `driverNames`. */
export function driverNamed(name: string): Driver {
  const found = drivers.find((driver) => driver.name === name);
  if (found === undefined) throw new RangeError(`"${name}" is none of ${driverNames.join(", ")}`);
  return found;
}
