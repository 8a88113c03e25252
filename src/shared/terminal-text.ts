/**
 * Text from outside (a server's fields, a stored result, a file's name, another program's words) on its way to a terminal or into a
 * report that is read in one. Raw, its control characters could move the cursor, recolour or forge lines, retitle the window or, on some
 * terminals, type into the shell (ECMA-48); bidirectional controls could show text in another order than it has (CVE-2021-42574).
 * Every place that prints such text passes it through here.
 */

/** C0, DEL, C1, the line and paragraph separators, and the bidirectional controls (Unicode Standard Annex #9, section 2). */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const NAMED: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** On one line: every control character, a line end too, as JavaScript writes it: `\x1b`, `\n`, `\u202e`. */
export function oneLine(text: string): string {
  return text.replace(CONTROLS, (character) => NAMED.get(character) ?? escapeOf(character));
}

/** The same of a text of several lines, shortened to one: white space, line ends too, becomes a single space. */
export function foldedLine(text: string): string {
  return oneLine(text.replace(/\s+/g, " ").trim());
}

/** The same of a text that may have lines, as a stack has: line ends stay. */
export function printableLines(text: string): string {
  return text.split("\n").map(oneLine).join("\n");
}

/** A value as JSON that a terminal shows as it is: it parses to the same value. */
export function terminalJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent);
  // JSON.stringify escapes C0 only; the line ends that are left are its own.
  return text.replace(CONTROLS, (character) => (character === "\n" ? character : unicodeEscapeOf(character)));
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : unicodeEscapeOf(character);
}

function unicodeEscapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
