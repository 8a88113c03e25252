/** A handler's result that cannot be sent. The message continues "/path returned …": which part is wrong, and what to use instead. */
export class BadResult extends TypeError {}

/** What a value is called in a message: "object", "array", "null", "Date", "number", … Never throws. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  try {
    if (Array.isArray(value)) return "array";
    const name: unknown = value.constructor?.name;
    return typeof name === "string" && name !== "" && name !== "Object" ? name : "object";
  } catch {
    return "object";
  }
}

/** A value in a message that says what is wrong with it: numbers and short texts as they are, of others the type. Never throws. */
export function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.length <= 40 ? JSON.stringify(value) : `of type ${typeOf(value)}`;
}
