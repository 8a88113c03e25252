import { colours, faint, ink, paper, rule } from "../theme.js";

/** The same colours on a dark ground, light enough to be told from it (WCAG 2.2, 1.4.11: 3 to 1). */
const dark: Readonly<Record<string, string>> = {
  [paper]: "#0d1117",
  [ink]: "#e6edf3",
  [faint]: "#9da7b1",
  [rule]: "#30363d",
  [colours[0]]: "#58a6e8",
  [colours[1]]: "#f0883e",
  [colours[2]]: "#2fbf95",
  [colours[3]]: "#dd97c0",
  [colours[4]]: "#f2b33d",
  [colours[5]]: "#8accf2",
};

/** The charts are drawn in the light colours; a rule of the page wins over the attribute that says so. */
const darkMarks = Object.entries(dark)
  .map(([from, to]) => `svg [fill="${from}"] { fill: ${to}; }\nsvg [stroke="${from}"] { stroke: ${to}; }`)
  .join("\n");

/** The style of a report's page: no font, picture or rule from elsewhere. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: ${paper}; --ink: ${ink}; --faint: ${faint}; --rule: ${rule}; --band: #f6f8fa; --link: #0550ae; --alarm: #a40e26;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: ${dark[paper]}; --ink: ${dark[ink]}; --faint: ${dark[faint]}; --rule: ${dark[rule]}; --band: #161b22; --link: #7db9ff;
    --alarm: #ff8b96;
  }
${darkMarks}
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 70rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; overflow-wrap: break-word;
}
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.75rem; padding-top: 0.75rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 0.5rem; }
p, .answer li, .diagnostics li, .reading li { max-width: 48rem; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.headline { font-size: 1.15rem; font-weight: 600; }
.notice { padding: 0.75rem 1rem; border: 1px solid var(--rule); border-left: 4px solid var(--alarm); background: var(--band); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; min-width: 0; }
figcaption small { color: var(--faint); font-size: 0.85rem; display: block; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: 0.25rem 0; padding: 0; list-style: none; font-size: 0.9rem; }
.legend svg { vertical-align: -0.1em; }
.chart svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; margin: 0.75rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: 0.25rem; }
caption span { display: block; position: sticky; left: 0; max-width: min(48rem, calc(100vw - 2rem)); }
th, td { padding: 0.3rem 0.75rem; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top; white-space: nowrap; }
thead th { background: var(--band); white-space: normal; vertical-align: bottom; }
tbody th { font-weight: 400; }
th:first-child, td:first-child, .words { text-align: left; }
td.words { white-space: normal; }
td.words:last-child { min-width: 16rem; }
code, pre { font: 0.9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { padding: 0.75rem 1rem; background: var(--band); overflow-x: auto; }
.invalid { color: var(--alarm); font-weight: 600; }
@media (max-width: 40rem) {
  th, td { padding: 0.3rem 0.4rem; white-space: normal; }
  td span { display: block; white-space: nowrap; }
  tbody th { min-width: 6.5rem; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 0.8rem; }
  nav { display: none; }
  figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
  th, td { white-space: normal; }
}
`;
