// What both kinds of chart share: a figure with a title, a legend, a plot in SVG, and the same values as a table.

const HEIGHT = 170;
/** Room for the labels of the axes, in px. */
const LEFT = 58;
const BOTTOM = 20;
const TOP = 8;
/** Readings in a table, newest first. */
const TABLE_ROWS = 15;

const SVG = "http://www.w3.org/2000/svg";

export function svg(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

export function html(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

export class Plot {
  #svg = svg("svg", { class: "plot", role: "img", height: HEIGHT });
  #legend = html("ul", {});
  #details = html("details", {});
  #table = html("table", {});

  constructor(figure, title) {
    const caption = html("figcaption", { textContent: title });
    this.#details.append(html("summary", { textContent: "Table" }), this.#table);
    this.#table.append(html("caption", { textContent: title }));
    figure.append(caption, this.#legend, this.#svg, this.#details);
  }

  /** Tells when a table that is to be filled has been opened. */
  onOpen(listener) {
    this.#details.addEventListener("toggle", listener);
  }

  /** Where things are drawn, in px: x of a moment, and the edges. */
  frame(samples, spanMs) {
    const width = Math.max(160, this.#svg.getBoundingClientRect().width);
    const nowMs = samples.at(-1).date.getTime();
    const x = (date) => LEFT + (1 - (nowMs - date.getTime()) / spanMs) * (width - LEFT - 2);
    return { x, left: LEFT, right: width - 2, top: TOP, bottom: HEIGHT - BOTTOM };
  }

  /** `label` says in words what is drawn, for those who do not see it. */
  draw(frame, label, marks, spanMs) {
    this.#svg.setAttribute("aria-label", label);
    this.#svg.setAttribute("viewBox", `0 0 ${frame.right + 2} ${HEIGHT}`);
    const y = HEIGHT - 5;
    this.#svg.replaceChildren(
      ...marks,
      svg("text", { x: frame.left, y }, `${Math.round(spanMs / 1000)} s ago`),
      svg("text", { x: frame.right, y, "text-anchor": "end" }, "now"),
    );
  }

  legend(items) {
    this.#legend.replaceChildren(
      ...items.map(({ mark, text }) => {
        const key = svg("svg", { viewBox: "0 0 28 12", "aria-hidden": "true" });
        key.append(mark);
        return html("li", {}, key, text);
      }),
    );
  }

  /** `columns` are names with a function that makes a cell's text of a sample. Filled only while it is open. */
  table(samples, columns) {
    if (!this.#details.open) return;
    const row = (cells) => html("tr", {}, ...cells);
    const heads = columns.map(([name], i) =>
      html("th", { scope: "col", className: i > 0 ? "number" : "", textContent: name }),
    );
    const rows = samples.slice(-TABLE_ROWS).reverse();
    this.#table.replaceChildren(
      this.#table.caption,
      html("thead", {}, row(heads)),
      html(
        "tbody",
        {},
        ...rows.map((sample) =>
          row(
            columns.map(([, text], i) =>
              i === 0
                ? html("th", { scope: "row", textContent: text(sample) })
                : html("td", { className: "number", textContent: text(sample) }),
            ),
          ),
        ),
      ),
    );
  }
}
