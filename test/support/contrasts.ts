/** Contrast of each text with the ground behind it (WCAG 2.2, 1.4.3), the lowest first. */
export const CONTRASTS = `(() => {
  const light = (channel) => (channel /= 255) <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility() && !element.closest("noscript") &&
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ""));
  return texts.map((element) => {
    const style = getComputedStyle(element);
    const [a, b] = [luminance(parse(element.closest("svg") ? style.fill : style.color)), luminance(ground(element))];
    return { what: element.tagName + " " + element.textContent.trim().slice(0, 30), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
  }).sort((a, b) => a.ratio - b.ratio);
})()`;
