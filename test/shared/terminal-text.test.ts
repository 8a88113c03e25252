import { suite } from "uvu";
import * as assert from "uvu/assert";
import { oneLine, printableLines, terminalJson } from "../../src/shared/terminal-text.js";

const test = suite("text for a terminal");

test("every control character is shown, nothing else is changed", () => {
  assert.is(oneLine("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  assert.is(oneLine("a\r\nb\tc\0"), "a\\r\\nb\\tc\\x00");
  assert.is(oneLine("\u009b31m\u007f"), "\\x9b31m\\x7f");
  assert.is(oneLine("\u202egnp.exe\u2066\u2028"), "\\u202egnp.exe\\u2066\\u2028");
  const harmless = "GET /größe?q=日本語 → 🙂 \\x1b C:\\n";
  assert.is(oneLine(harmless), harmless);
  for (let code = 0; code < 0x20; code++) assert.match(oneLine(String.fromCharCode(code)), /^\\(x[0-9a-f]{2}|[nrt])$/);
});

test("a text of lines keeps them", () => {
  assert.is(printableLines("Error: \x1b[2J\n    at x (y.js:1:1)\r\n"), "Error: \\x1b[2J\n    at x (y.js:1:1)\\r\n");
});

test("JSON is the same value, and shows as it is", () => {
  const value = { "k\u009b": ["\x1b", "\u007f\u0085\u202e", 1, null], größe: "日本" };
  for (const indent of [undefined, 2]) {
    const text = terminalJson(value, indent);
    assert.equal(JSON.parse(text), value);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.not.match(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    assert.match(text, "größe");
  }
});

test.run();
