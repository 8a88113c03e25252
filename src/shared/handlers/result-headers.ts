import { checkFields, HeaderBlock } from "./handler.js";
import { BadResult, shown, typeOf } from "./result-error.js";

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
  throw new BadResult(`header field ${name} ${shown(value)}: use a string, a number, or an array of those`);
}

/** A step from one text of a list of fields to the next. */
interface Step {
  next: Map<string, Step> | null;
  block: HeaderBlock | null;
}

const newStep = (): Step => ({ next: null, block: null });

/** What a step costs beside its text, roughly. */
const STEP_BYTES = 200;
/** Of one generation; there are two. */
const MAX_GENERATION_BYTES = 2 ** 19;
/** Hashes of lists that were seen last; a power of two. */
const SEEN = 1024;

/**
 * Finds the block of header fields by their content, so that a handler may make its headers anew for every answer: they are checked, and
 * sent from a worker to the main thread, once. A look-up walks from text to text of the list.
 *
 * A block is kept from the second time on that its fields are seen: where no two answers are alike (an ETag, a cookie), none is. Memory is
 * bounded all the same: blocks live in two generations. When the young one is full it becomes the old one, whose blocks are dropped unless
 * they are used meanwhile. What comes again and again keeps its block.
 */
export class HeaderBlocks {
  #young = newStep();
  #old = newStep();
  #youngBytes = 0;
  readonly #seen = new Int32Array(SEEN);

  /** Throws as `checkFields` does. */
  of(fields: readonly string[]): HeaderBlock {
    const known = find(this.#young, fields);
    if (known !== null) return known;
    let block = find(this.#old, fields);
    if (block === null) {
      checkFields(fields);
      if (!this.#wasSeen(fields)) return new HeaderBlock(fields);
      block = new HeaderBlock(fields.map(copied));
    }
    this.#add(block);
    return block;
  }

  /** Whether these fields were among the last; two with the same hash are taken for the same, which costs a place at worst. */
  #wasSeen(fields: readonly string[]): boolean {
    const hash = hashOf(fields);
    const place = hash & (SEEN - 1);
    const wasSeen = this.#seen[place] === hash;
    this.#seen[place] = hash;
    return wasSeen;
  }

  #add(block: HeaderBlock): void {
    let step = this.#young;
    for (const text of block.fields) {
      step.next ??= new Map();
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

function find(root: Step, fields: readonly string[]): HeaderBlock | null {
  let step = root;
  for (const text of fields) {
    const next = step.next?.get(text);
    if (next === undefined) return null;
    step = next;
  }
  return step.block;
}

/** A text that is a slice of a page would keep the whole page in memory. Fields are Latin-1 by their check. */
function copied(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** FNV-1a (Fowler, Noll and Vo; draft-eastlake-fnv), over characters in place of bytes, with a mark after each text. */
function hashOf(texts: readonly string[]): number {
  let hash = 0x811c9dc5 | 0;
  for (const text of texts) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ 0x100, 0x01000193);
  }
  return hash;
}
