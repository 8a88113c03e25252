import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

/** As much of playwright-core's page as the tests use. */
export interface Page {
  goto(url: string): Promise<unknown>;
  /** `expression` is run in the page, as text: it is no code of this process. */
  evaluate<T>(expression: string): Promise<T>;
  waitForFunction(expression: string): Promise<unknown>;
  on(event: "response", listener: (response: { url(): string; text(): Promise<string> }) => void): void;
  on(event: "pageerror", listener: (error: Error) => void): void;
  /** `handle` answers each request for `pattern` instead of the network. */
  route(pattern: string, handle: (route: Route) => Promise<void>): Promise<void>;
  click(selector: string): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void> };
}

export interface Route {
  /** As if there were no connection. */
  abort(): Promise<void>;
  continue(): Promise<void>;
  fulfill(response: { readonly contentType: string; readonly body: string }): Promise<void>;
}

export interface PageSettings {
  readonly colorScheme?: "light" | "dark";
  readonly viewport?: { readonly width: number; readonly height: number };
}

interface Browser {
  newPage(settings: PageSettings): Promise<Page>;
  close(): Promise<void>;
}

interface Playwright {
  readonly chromium: {
    launch(settings: { readonly executablePath: string; readonly args: readonly string[] }): Promise<Browser>;
  };
}

/** A page of a real Chromium without a window. Errors of the page's own scripts make it fail. */
export async function withPage(settings: PageSettings, use: (page: Page) => Promise<void>): Promise<void> {
  const { chromium } = createRequire(import.meta.url)("playwright-core") as Playwright;
  // Chromium refuses to sandbox itself for root; what it shows here is our own page.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath: chromiumPath(), args });
  const errors: Error[] = [];
  try {
    const page = await browser.newPage(settings);
    page.on("pageerror", (error) => errors.push(error));
    await use(page);
  } finally {
    await browser.close();
  }
  const [error] = errors;
  if (error !== undefined) throw error;
}

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Throws an Error that says how to get one: a page that was looked at by nobody is not tested. */
function chromiumPath(): string {
  const named = process.env["LOOPOOL_CHROMIUM"];
  if (named !== undefined) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    `no Chromium: the page is tested in a real one. "apt-get install chromium", or name one in LOOPOOL_CHROMIUM (looked for ${NAMES.join(", ")})`,
  );
}
