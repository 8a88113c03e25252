import { checkFields, HeaderBlock } from "./handler.js";
import { BadResult, typeOf } from "./result-error.js";

/** Lines of one answer's header: an iterator may have no end. */
const MAX_LINES = 1000;

/**
 * Names and values, name first, a pair for each line, from what a handler returned as headers: a plain object, or anything that iterates
 * over pairs, as `Headers`, `Map` and arrays of pairs do. A list of values becomes several lines of the field, which are never joined:
 * Set-Cookie may not be (RFC 6265 §3). Throws BadResult.
 */
export function fieldsOf(headers: unknown): string[] {
  const fields: string[] = [];
  if (typeof headers !== "object" || headers === null) throw noHeaders(headers);
  if (isPlain(headers)) {
    for (const name of Object.keys(headers)) addField(fields, name, (headers as Record<string, unknown>)[name]);
    return fields;
  }
  if (!isIterable(headers)) throw noHeaders(headers);
  for (const pair of headers) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new BadResult(`headers with an entry of type ${typeOf(pair)}: use pairs [name, value]`);
    }
    addField(fields, pair[0], pair[1]);
  }
  return fields;
}

function noHeaders(headers: unknown): BadResult {
  return new BadResult(
    `headers of type ${typeOf(headers)}: use an object of names and values, {} for none, a Headers or a Map`,
  );
}

/** Of other classes the fields may be anywhere: a promise that was not awaited has none, and would be sent without. */
function isPlain(headers: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(headers);
  // The last: a plain object of another realm.
  const isObject = prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
  return isObject && !(Symbol.iterator in headers);
}

function isIterable(headers: object): headers is Iterable<unknown> {
  return typeof (headers as Partial<Iterable<unknown>>)[Symbol.iterator] === "function";
}

function addField(fields: string[], name: unknown, value: unknown): void {
  if (typeof name !== "string") throw new BadResult(`a header field name of type ${typeOf(name)}: use a string`);
  if (typeof value === "string") addLine(fields, name, value);
  else if (Array.isArray(value)) for (const one of value) addLine(fields, name, lineOf(name, one));
  else addLine(fields, name, lineOf(name, value));
}

function addLine(fields: string[], name: string, value: string): void {
  if (fields.length >= 2 * MAX_LINES) throw new BadResult(`more than ${MAX_LINES} header lines: return fewer`);
  fields.push(name, value);
}

function lineOf(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  const shown = typeof value === "number" ? String(value) : `type ${typeOf(value)}`;
  throw new BadResult(`header field ${name} of ${shown}: use a string, a number, or an array of those`);
}

/** A step from one text of a list of fields to the next. */
interface Step {
  readonly next: Map<string, Step>;
  block: HeaderBlock | null;
}

const newStep = (): Step => ({ next: new Map(), block: null });

/** What a step costs beside its text, roughly. */
const STEP_BYTES = 200;
/** Of one generation; there are two. */
const MAX_GENERATION_BYTES = 2 ** 19;

/**
 * Finds the block of header fields by their content, so that a handler may make its headers anew for every answer: they are checked, and
 * sent from a worker to the main thread, once. A look-up walks from text to text of the list.
 *
 * Memory is bounded, also where no two answers are alike (an ETag, a cookie): blocks live in two generations. When the young one is full
 * it becomes the old one, whose blocks are dropped unless they were used meanwhile. What comes again and again keeps its block.
 */
export class HeaderBlocks {
  #young = newStep();
  #old = newStep();
  #youngBytes = 0;

  /** Throws as `checkFields` does. */
  of(fields: readonly string[]): HeaderBlock {
    const known = find(this.#young, fields);
    if (known !== null) return known;
    const block = find(this.#old, fields) ?? newBlock(fields);
    this.#add(block);
    return block;
  }

  #add(block: HeaderBlock): void {
    let step = this.#young;
    for (const text of block.fields) {
      let next = step.next.get(text);
      if (next === undefined) {
        next = newStep();
        step.next.set(text, next);
        this.#youngBytes += STEP_BYTES + text.length;
      }
      step = next;
    }
    step.block = block;
    if (this.#youngBytes <= MAX_GENERATION_BYTES) return;
    this.#old = this.#young;
    this.#young = newStep();
    this.#youngBytes = 0;
  }
}

function newBlock(fields: readonly string[]): HeaderBlock {
  checkFields(fields);
  return new HeaderBlock(fields.map(copied));
}

/** A text that is a slice of a page would keep the whole page in memory. Fields are Latin-1 by their check. */
function copied(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

function find(root: Step, fields: readonly string[]): HeaderBlock | null {
  let step = root;
  for (const text of fields) {
    const next = step.next.get(text);
    if (next === undefined) return null;
    step = next;
  }
  return step.block;
}
