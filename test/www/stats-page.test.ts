import { join } from "node:path";
import type { Page } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packageRoot } from "../../src/shared/package-root.js";
import type { Metrics } from "../../src/shared/stats/metrics.js";
import { browsing, waitFor, withPage } from "../support/browser.js";
import { CONTRASTS } from "../support/contrasts.js";
import { withServer } from "../support/server.js";

const test = suite("the statistics page in Chromium");
const inBrowser = browsing(test);

const root = join(packageRoot, "www");

/** The exact values of the figures on the page. */
const SHOWN = `Object.fromEntries([...document.querySelectorAll("[data-figure] data")].map((data) =>
  [data.parentElement.dataset.figure, Number(data.value)]))`;
const STATUS_TEXT = `document.querySelector("[role=status]").textContent`;

const shown = (page: Page): Promise<Record<string, number>> => page.evaluate(SHOWN);
const live = (page: Page): Promise<unknown> => waitFor(page, `${STATUS_TEXT}.startsWith("Live")`);

for (const mode of ["reactor", "pool"]) {
  inBrowser(`${mode}: the figures move under load and are those of /stats.json`, async () => {
    await withServer({ mode, root }, async ({ url }) => {
      await withPage({}, async (page) => {
        const readings: Promise<string>[] = [];
        page.on("response", (response) => {
          if (response.url().endsWith("/stats.json")) readings.push(response.text());
        });
        await page.goto(`${url}/stats.html`);
        await live(page);
        const before = await shown(page);
        for (let i = 0; i < 40; i++) {
          for (const path of ["/hello", "/absent", "/throws"]) await (await fetch(`${url}${path}`)).text();
        }
        await waitFor(page, `(${SHOWN}).status500 === 40 && (${SHOWN}).status404 === ${before["status404"]! + 40}`);
        await page.click("#pause");
        await waitFor(page, `${STATUS_TEXT}.startsWith("Paused")`);

        const after = await shown(page);
        const reading = JSON.parse(await readings.at(-1)!) as Metrics;
        assert.equal(after, {
          activeConnections: reading.activeConnections,
          bodyBytes: reading.bodyBytes,
          status200: reading.status["200"],
          status404: reading.status["404"],
          status500: reading.status["500"],
          requests: reading.requests,
          responses2xx: reading.responses["2xx"],
          responses3xx: reading.responses["3xx"],
          responses4xx: reading.responses["4xx"],
          responses5xx: reading.responses["5xx"],
          shed: reading.shed,
          timedOut: reading.timedOut,
          aborted: reading.aborted,
          requestBodyBytes: reading.requestBodyBytes,
          streamsFailed: reading.streamsFailed,
          handlerErrors: reading.handlerErrors,
          workersLost: reading.workersLost,
          peakRssBytes: reading.peakRssBytes,
          inFlight: reading.inFlight,
          streams: reading.streams,
          ...(reading.queued === null ? {} : { queued: reading.queued }),
        });
        // Nobody else asks: what came since is the response to the page's last question, and this request.
        const now = (await (await fetch(`${url}/stats.json`)).json()) as Metrics;
        assert.is(now.requests, after["requests"]! + 1);
        assert.is(now.status["200"], after["status200"]! + 1);
        assert.is(now.bodyBytes, after["bodyBytes"]! + Buffer.byteLength(await readings.at(-1)!));
        assert.is(
          readings.length,
          await page.evaluate<number>(`performance.getEntriesByName("${url}/stats.json").length`),
        );
      });
    });
  });
}

inBrowser("charts have names that say what they show, lines that move, and tables behind them", async () => {
  await withServer({ mode: "reactor", root }, async ({ url }) => {
    await withPage({}, async (page) => {
      await page.goto(`${url}/stats.html`);
      // A line that goes on: a single point is drawn as two.
      await waitFor(
        page,
        `document.querySelector("#chart-requests .plot .line")?.getAttribute("points").split(" ").length >= 3`,
      );
      const names = await page.evaluate<string[]>(
        `[...document.querySelectorAll("figure:not([hidden]) .plot[role=img]")].map((plot) => plot.getAttribute("aria-label"))`,
      );
      assert.match(names[0]!, /^Requests per second: now requests\/s [\d,]+, highest [\d,]+$/);
      assert.match(names[1]!, /^Latency: now p50 .+, p90 .+, p99 .+/);
      assert.match(names[2]!, /^Queue: now in flight \d+, queued –/);
      assert.is(names.length, 3, "no workers in the reactor");
      assert.is(await page.evaluate(`document.querySelector("#no-workers").hidden`), false);

      await page.click("#chart-requests summary");
      await waitFor(page, `document.querySelectorAll("#chart-requests tbody tr").length >= 3`);
      const heads = await page.evaluate<string[]>(
        `[...document.querySelectorAll("#chart-requests thead th")].map((th) => th.scope + " " + th.textContent)`,
      );
      assert.equal(heads, ["col Time", "col requests/s"]);
    });
  });
});

/** What the page shows of its connection, and whether its figures are marked as old. */
const isLost = (page: Page): Promise<boolean> => page.evaluate(`document.body.classList.contains("lost")`);

inBrowser(
  "a server that ends is shown, and its last figures stay; one that is started in its place is taken for a new one",
  async () => {
    await withPage({}, async (page) => {
      await withServer({ mode: "reactor", root }, async ({ url }) => {
        for (let i = 0; i < 50; i++) await (await fetch(`${url}/hello`)).text();
        await page.goto(`${url}/stats.html`);
        await live(page);
      });
      await waitFor(page, `${STATUS_TEXT}.startsWith("Connection lost at")`);
      assert.is(await isLost(page), true);
      assert.ok((await shown(page))["requests"]! > 50);
      await withServer({ mode: "pool", root }, async ({ url }) => {
        // The port of the first may stay taken for a minute after its end, so the answers come from another one.
        await page.route("**/stats.json", async (route) => {
          const body = await (await fetch(`${url}/stats.json`)).text();
          await route.fulfill({ contentType: "application/json", body });
        });
        await waitFor(page, `${STATUS_TEXT}.startsWith("Live: pool")`);
        assert.is(await isLost(page), false);
        await waitFor(page, `(${SHOWN}).requests >= 3`);
        const rates = await page.evaluate<string>(
          `document.querySelector("[data-figure=requestsPerSecond]").textContent`,
        );
        assert.match(rates, /^\d+$/, "counts that start again are no negative rate");
        await page.route("**/stats.json", (route) => route.abort());
        await waitFor(page, `document.body.classList.contains("lost")`);
      });
    });
  },
);

inBrowser("a connection that was lost for a while recovers with the same server", async () => {
  await withServer({ mode: "reactor", root }, async ({ url }) => {
    await withPage({}, async (page) => {
      let isCut = false;
      await page.route("**/stats.json", (route) => (isCut ? route.abort() : route.continue()));
      await page.goto(`${url}/stats.html`);
      await live(page);
      isCut = true;
      await waitFor(page, `document.body.classList.contains("lost")`);
      isCut = false;
      await live(page);
      assert.is(await isLost(page), false);
    });
  });
});

inBrowser(
  "the status line is not repeated with every reading, and everything can be reached and used by keyboard",
  async () => {
    await withServer({ mode: "reactor", root }, async ({ url }) => {
      await withPage({}, async (page) => {
        await page.goto(`${url}/stats.html`);
        await live(page);
        await page.evaluate(`void new MutationObserver((changes) => { window.changes = (window.changes ?? 0) + changes.length; })
        .observe(document.querySelector("[role=status]"), { childList: true, characterData: true, subtree: true })`);
        const requests = (await shown(page))["requests"]!;
        await waitFor(page, `(${SHOWN}).requests >= ${requests + 2}`);
        assert.is(await page.evaluate(`window.changes ?? 0`), 0);

        const reached: string[] = [];
        for (let i = 0; i < 12; i++) {
          await page.keyboard.press("Tab");
          reached.push(await page.evaluate(`document.activeElement.id || document.activeElement.tagName`));
          if (reached.at(-1) === "pause") break;
        }
        assert.equal(reached, ["A", "A", "A", "interval", "pause"]);
        await page.keyboard.press("Space");
        assert.is(await page.evaluate(`document.querySelector("#pause").getAttribute("aria-pressed")`), "true");
        assert.match(await page.evaluate<string>(STATUS_TEXT), /^Paused at/);
        await page.keyboard.press("Space");
        await live(page);
        assert.equal(
          await page.evaluate(
            `["header", "nav[aria-label]", "main", "footer", "h1"].map((name) => document.querySelectorAll(name).length)`,
          ),
          [1, 1, 1, 1, 1],
        );
      });
    });
  },
);

for (const colorScheme of ["light", "dark"] as const) {
  inBrowser(
    `${colorScheme}, on a phone: nothing is wider than the screen, every text can be read, live and lost`,
    async () => {
      await withPage({ colorScheme, viewport: { width: 360, height: 740 } }, async (page) => {
        const check = async (): Promise<void> => {
          assert.is(await page.evaluate(`document.documentElement.scrollWidth`), 360);
          const contrasts = await page.evaluate<{ what: string; ratio: number }[]>(CONTRASTS);
          assert.ok(contrasts.length > 50);
          assert.ok(contrasts[0]!.ratio >= 4.5, JSON.stringify(contrasts[0]));
        };
        await withServer({ mode: "pool", root, workers: 2 }, async ({ url }) => {
          await page.goto(`${url}/stats.html`);
          await live(page);
          await waitFor(page, `document.querySelector("#chart-requests .plot .line") !== null`);
          await page.evaluate(`document.querySelectorAll("details").forEach((details) => { details.open = true; })`);
          await waitFor(page, `document.querySelectorAll("#chart-latency td").length > 0`);
          const [red] = await page.evaluate<number[]>(
            `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)`,
          );
          assert.is(red! > 128, colorScheme === "light");
          await check();
        });
        await waitFor(page, `document.body.classList.contains("lost")`);
        await check();
      });
    },
  );
}

test.run();
