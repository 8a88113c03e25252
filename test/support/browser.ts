import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Page } from "playwright-core";

export interface PageSettings {
  readonly colorScheme?: "light" | "dark";
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A page of a real Chromium without a window. Errors of the page's own scripts make it fail, and so does what its policy forbids. */
export async function withPage(settings: PageSettings, use: (page: Page) => Promise<void>): Promise<void> {
  // Chromium refuses to sandbox itself for root; what it shows here is our own page.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath: chromiumPath(), args });
  const errors: Error[] = [];
  try {
    const page = await browser.newPage(settings);
    page.on("pageerror", (error) => errors.push(error));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) errors.push(new Error(message.text()));
    });
    await use(page);
  } finally {
    await browser.close();
  }
  const [error] = errors;
  if (error !== undefined) throw error;
}

/**
 * Waits until an expression is true in the page, looked at in each of its frames. Playwright's own `waitForFunction` evaluates text inside the
 * page, which a Content-Security-Policy forbids.
 */
export async function waitFor(page: Page, expression: string): Promise<void> {
  await page.evaluate(`new Promise((resolve, reject) => {
    const look = () => {
      try {
        (${expression}) ? resolve() : requestAnimationFrame(look);
      } catch (error) {
        reject(error);
      }
    };
    look();
  })`);
}

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Throws an Error that says how to get one: a page that was looked at by nobody is not tested. */
function chromiumPath(): string {
  const named = process.env["LOOPOOL_TEST_CHROMIUM"];
  if (named !== undefined) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    `no Chromium: the page is tested in a real one. "apt-get install chromium", or name one in LOOPOOL_TEST_CHROMIUM (looked for ${NAMES.join(", ")})`,
  );
}
