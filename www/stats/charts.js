import { clock, whole } from "./format.js";
import { Plot, svg } from "./plot.js";

const NOTHING = "–";
const STATES = ["busy", "idle", "absent"];

/** Lines over time. `series` are { name, key, mark }: a key of the samples, and the class of the line. */
export class LineChart {
  #plot;
  #title;
  #series;
  #format;
  #isLogarithmic;

  constructor(figure, { title, series, format, isLogarithmic = false }) {
    this.#plot = new Plot(figure, title);
    this.#title = title;
    this.#series = series;
    this.#format = format;
    this.#isLogarithmic = isLogarithmic;
  }

  onOpen(listener) {
    this.#plot.onOpen(listener);
  }

  draw(samples, spanMs) {
    const text = (value) => (value === null ? NOTHING : this.#format(value));
    const frame = this.#plot.frame(samples, spanMs);
    const values = this.#series.flatMap(({ key }) => samples.map((s) => s[key]).filter((value) => value !== null));
    const { ticks, y } = this.#isLogarithmic ? logarithmic(values, frame) : linear(values, frame);
    const grid = ticks.flatMap((tick) => [
      svg("line", { class: "grid", x1: frame.left, x2: frame.right, y1: y(tick), y2: y(tick) }),
      svg("text", { x: frame.left - 6, y: y(tick) + 4, "text-anchor": "end" }, this.#format(tick)),
    ]);
    const lines = this.#series.flatMap(({ key, mark }) =>
      unbroken(samples, key).map((part) => {
        const points = part.map((s) => `${frame.x(s.date).toFixed(1)},${y(s[key]).toFixed(1)}`);
        // A value alone between two gaps would be a line without a length.
        if (points.length === 1)
          points.push(`${(frame.x(part[0].date) + 1.5).toFixed(1)},${y(part[0][key]).toFixed(1)}`);
        return svg("polyline", { class: `line ${mark}`, points: points.join(" ") });
      }),
    );
    const now = this.#series.map(({ name, key }) => `${name} ${text(samples.at(-1)[key])}`);
    const highest = values.length === 0 ? "" : `, highest ${text(Math.max(...values))}`;
    this.#plot.draw(frame, `${this.#title}: now ${now.join(", ")}${highest}`, [...grid, ...lines], spanMs);
    this.#plot.legend(
      this.#series.map(({ mark }, i) => ({
        mark: svg("polyline", { class: `line ${mark}`, points: "0,6 28,6" }),
        text: now[i],
      })),
    );
    this.#plot.table(samples, [
      ["Time", (s) => clock(s.date)],
      ...this.#series.map(({ name, key }) => [name, (s) => text(s[key])]),
    ]);
  }
}

/** One lane for each worker: what it was at when it was looked at. */
export class LanesChart {
  #plot;
  #title;

  constructor(figure, title) {
    this.#plot = new Plot(figure, title);
    this.#title = title;
  }

  onOpen(listener) {
    this.#plot.onOpen(listener);
  }

  draw(samples, spanMs) {
    const frame = this.#plot.frame(samples, spanMs);
    const workers = Math.max(0, ...samples.map(({ states }) => states.length));
    const lane = (frame.bottom - frame.top) / Math.max(1, workers);
    const height = Math.max(0.5, Math.min(24, lane * 0.8));
    const marks = [];
    for (let worker = 0; worker < workers; worker++) {
      const y = frame.top + worker * lane + (lane - height) / 2;
      if (lane >= 12 || worker === 0) {
        marks.push(svg("text", { x: frame.left - 6, y: y + height / 2 + 4, "text-anchor": "end" }, String(worker)));
      }
      marks.push(
        ...spells(samples, worker).map(({ state, from, to }) => {
          const x = Math.max(frame.left, frame.x(from));
          return svg("rect", { class: state, x, y, width: Math.max(1, frame.x(to) - x), height });
        }),
      );
    }
    const count = ({ states }, wanted) =>
      states.length === 0 ? NOTHING : whole(states.filter((state) => state === wanted).length);
    const now = STATES.map((state) => `${state} ${count(samples.at(-1), state)}`);
    this.#plot.draw(frame, `${this.#title}: now ${now.join(", ")}`, marks, spanMs);
    this.#plot.legend(
      STATES.map((state, i) => ({
        mark: svg("rect", { class: state, x: 0.5, y: 0.5, width: 27, height: 11 }),
        text: now[i],
      })),
    );
    this.#plot.table(samples, [
      ["Time", (s) => clock(s.date)],
      ...STATES.map((state) => [state, (s) => count(s, state)]),
    ]);
  }
}

/** The samples in runs without a gap. */
function unbroken(samples, key) {
  const parts = [[]];
  for (const sample of samples) {
    if (sample[key] === null) parts.push([]);
    else parts.at(-1).push(sample);
  }
  return parts.filter((part) => part.length > 0);
}

/** How long a worker was seen in one state: each sample stands for the time since the one before. */
function spells(samples, worker) {
  const found = [];
  for (let i = 1; i < samples.length; i++) {
    const state = samples[i].states[worker];
    const from = samples[i - 1].date;
    const to = samples[i].date;
    if (state === undefined) continue;
    if (found.at(-1)?.state === state && found.at(-1).to === from) found.at(-1).to = to;
    else found.push({ state, from, to });
  }
  return found;
}

/** From 0 to the next 1, 2 or 5 times a power of ten, and to 2 at least: half of it is a label too. */
function linear(values, { top, bottom }) {
  const highest = Math.max(2, ...values);
  const power = 10 ** Math.floor(Math.log10(highest));
  const end = [1, 2, 5, 10].find((step) => step * power >= highest) * power;
  return { ticks: [0, end / 2, end], y: (value) => bottom - (value / end) * (bottom - top) };
}

/** Whole powers of ten: a tail that is a hundred times the median fits, and the median stays visible. */
function logarithmic(values, { top, bottom }) {
  const positive = values.filter((value) => value > 0);
  const from = positive.length === 0 ? 1 : Math.floor(Math.log10(Math.min(...positive)));
  const to = positive.length === 0 ? 3 : Math.max(from + 1, Math.ceil(Math.log10(Math.max(...positive))));
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
  const y = (value) => bottom - ((Math.log10(Math.max(value, 10 ** from)) - from) / (to - from)) * (bottom - top);
  return { ticks, y };
}
