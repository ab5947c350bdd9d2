import { h } from "./dom.js";
import { t } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240, LEFT = 64, BOTTOM = 24, TOP = 12;
const narrow = matchMedia("(max-width: 760px)");

/**
 * @param {string} tag
 * @param {Record<string, string | number>} props
 * @param {...(Node | string)} children
 */
function s(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** The next round number above. @param {number} most */
function ceiling(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((top) => top >= most) ?? 10 * power;
}

/**
 * Bars over time, and the same figures as a table for whoever cannot see them.
 * @param {string} label
 * @param {string} summary
 * @param {{period: string, value: number}[]} points
 * @param {(value: number) => string} show
 */
export function chart(label, summary, points, show) {
  const width = narrow.matches ? 400 : 960;
  const top = ceiling(Math.max(...points.map((point) => point.value), 1));
  const step = (width - LEFT) / points.length;
  const y = (/** @type {number} */ value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
  const lines = [0, top / 2, top].flatMap((value) => [
    s("line", { x1: LEFT, x2: width, y1: y(value), y2: y(value) }),
    s("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, show(value)),
  ]);
  const bars = points.map((point, at) => s("rect", {
    x: LEFT + at * step + step * 0.15,
    y: y(point.value),
    width: Math.max(1, step * 0.7),
    height: Math.max(0, HEIGHT - BOTTOM - y(point.value)),
    rx: Math.min(3, step * 0.2),
  }, s("title", {}, `${point.period}: ${show(point.value)}`)));
  const every = Math.ceil(points.length / (narrow.matches ? 4 : 8));
  const marks = points.flatMap((point, at) => (at % every ? [] : [s("text", { x: LEFT + (at + 0.5) * step, y: HEIGHT - 6, "text-anchor": "middle" }, point.period.slice(point.period.length > 7 ? 5 : 0))]));
  const drawn = s("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": summary }, ...lines, ...bars, ...marks);
  const rows = points.map((point) => h("tr", {}, h("td", {}, point.period), h("td", { class: "number" }, show(point.value))));
  const figures = h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("usage.period")), h("th", { scope: "col", class: "number" }, label))), h("tbody", {}, ...rows));
  return h("div", { class: "body" }, /** @type {any} */ (drawn), h("details", {}, h("summary", {}, t("usage.table")), figures));
}
