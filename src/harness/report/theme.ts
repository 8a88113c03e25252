/**
 * Colours that stay apart for colour-blind readers and on white: M. Okabe and K. Ito, "Color Universal Design", 2008, without yellow and
 * black. The symbols tell them apart without colour.
 */
export const colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"] as const;
export const symbols = ["circle", "rect", "triangle", "diamond", "pin", "arrow"] as const;

export const ink = "#1f2328";
export const faint = "#59636e";
export const rule = "#d1d9e0";
export const paper = "#ffffff";

/** Colour of the colourIndex of that index. */
export function colourOf(colourIndex: number): string {
  return colours[colourIndex % colours.length]!;
}
