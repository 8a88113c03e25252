import { chromium, type Page } from "playwright-core";
import type { Test } from "uvu";
import { bundledBrowser, hasBundledBrowser } from "./bundled-browser.js";
import { pathOf, requiring, type Tool } from "./requires.js";

export interface PageSettings {
  readonly colorScheme?: "light" | "dark";
  readonly viewport?: { readonly width: number; readonly height: number };
}

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The Chromium of this machine, if it has one. */
const installed = process.env["LOOPOOL_TEST_CHROMIUM"] ?? NAMES.map(pathOf).find((path) => path !== undefined);

const tool: Tool = {
  name: "Chromium",
  remedy: "apt-get install chromium, or name one in LOOPOOL_TEST_CHROMIUM",
  isInstalled: installed !== undefined || hasBundledBrowser,
  inCi: true,
};

/** Registers tests that look at a page: they are skipped where there is no Chromium, neither installed nor in node_modules. */
export const browsing = (test: Test) => requiring(test, tool);

/** A page of a real Chromium without a window. Errors of the page's own scripts make it fail, and so does what its policy forbids. */
export async function withPage(settings: PageSettings, use: (page: Page) => Promise<void>): Promise<void> {
  const { executablePath, env } =
    installed === undefined ? await bundledBrowser() : { executablePath: installed, env: process.env };
  // Chromium refuses to sandbox itself for root; what it shows here is our own page.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args, env });
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
