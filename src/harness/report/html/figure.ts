import { figureLayout, type Layout } from "../svg.js";
import { colourOf, symbols } from "../theme.js";
import { Html, html } from "./markup.js";

/** An entry of a legend. */
export interface Key {
  readonly name: string;
  /** Index of the colour and, of a line with symbols, of the symbol. */
  readonly colourIndex: number;
  readonly mark: "symbols" | "dashed symbols" | "line" | "bar";
}

/** Outlines of the symbols in a box of 12 by 12 around (17, 7), in the order of the theme. */
const outlines: Readonly<Record<(typeof symbols)[number], string>> = {
  circle: "M12 7a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z",
  rect: "M12 2h10v10h-10Z",
  triangle: "M17 1l6 11h-12Z",
  diamond: "M17 1l6 6l-6 6l-6 -6Z",
  pin: "M17 13l-4 -6a4 4 0 1 1 8 0Z",
  arrow: "M17 1l6 12l-6 -4l-6 4Z",
};

function swatch({ colourIndex, mark }: Key): Html {
  const colour = colourOf(colourIndex);
  if (mark === "bar") return html`<rect x="10" y="1" width="14" height="12" fill="${colour}"/>`;
  const dash = mark === "dashed symbols" ? html` stroke-dasharray="5 3"` : null;
  const line = html`<path d="M0 7H34" stroke="${colour}" stroke-width="2"${dash}/>`;
  if (mark === "line") return line;
  return html`${line}<path d="${outlines[symbols[colourIndex % symbols.length]!]}" fill="${colour}"/>`;
}

function legend(keys: readonly Key[]): Html {
  const entries = keys.map(
    (key) => html`<li><svg width="34" height="14" aria-hidden="true">${swatch(key)}</svg> ${key.name}</li>`,
  );
  return html`<ul class="legend">${entries}</ul>`;
}

/** A chart with what a reader needs to know of it. */
export interface Figure {
  readonly title: string;
  readonly note: string | null;
  /** What someone hears who does not see it. */
  readonly label: string;
  readonly keys: readonly Key[];
  readonly draw: (layout: Layout) => string;
}

/** Draws the figures of a page: each gets ids of its own. */
export class Figures {
  #drawn = 0;

  /** Figures beside each other where there is room. */
  row(figures: readonly Figure[]): Html {
    return html`<div class="figures">
${figures.map((figure) => this.#markup(figure))}</div>
`;
  }

  #markup({ title, note, label, keys, draw }: Figure): Html {
    // The chart library escapes what it writes.
    const svg = new Html(draw(figureLayout(`f${this.#drawn++}-`)).trim());
    return html`<figure>
<figcaption><strong>${title}</strong>${note === null ? null : html` <small>${note}</small>`}</figcaption>
${legend(keys)}
<div class="chart" role="img" aria-label="${label}">${svg}</div>
</figure>
`;
  }
}
