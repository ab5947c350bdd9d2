import { chart } from "../chart.js";
import { chip, guarded, h } from "../dom.js";
import { figure, size, t } from "../text.js";

const METRICS = /** @type {const} */ (["messages", "active_users", "connections", "stored_bytes", "call_minutes"]);
/** @typedef {typeof METRICS[number]} Metric */

/** @param {Metric} metric */
const shower = (metric) => (metric === "stored_bytes" ? size : figure);

/** @param {import("../main.js").Context} context */
export function usage({ api, title }) {
  const tiles = h("div", { class: "tiles" });
  const plan = h("span");
  const plot = h("section", { class: "card", "aria-label": t("usage") }, h("p", { class: "empty" }, t("loading")));
  /** @type {Metric} */
  let metric = "messages";
  let granularity = "day";
  /** @type {any} */
  let found;

  const choices = ["day", "month"].map((name) => h("button", {
    type: "button",
    "aria-pressed": String(name === granularity),
    onclick: () => guarded(() => {
      granularity = name;
      choices.forEach((choice) => choice.setAttribute("aria-pressed", String(choice.textContent === (name === "day" ? t("usage.byDay") : t("usage.byMonth")))));
      return load();
    }),
  }, name === "day" ? t("usage.byDay") : t("usage.byMonth")));

  async function load() {
    const from = new Date(Date.now() - 334 * 86_400_000).toISOString().slice(0, 10);
    found = await api.get(`/usage?granularity=${granularity}${granularity === "month" ? `&from=${from}` : ""}`);
    draw();
  }

  function draw() {
    plan.replaceChildren(chip(t("usage.plan", { plan: found.plan.name })));
    tiles.replaceChildren(...METRICS.map((name) => {
      const limit = found.plan.limits[name];
      const over = limit !== null && limit !== undefined && found.used[name] >= 0.8 * limit;
      const room = limit === null || limit === undefined ? t("usage.unlimited") : t("usage.of", { limit: shower(name)(limit) });
      return h("button", { type: "button", class: "tile", "aria-pressed": String(name === metric), onclick: () => ((metric = name), draw()) },
        h("span", {}, t(`metric.${name}`)), h("strong", { class: over ? "danger-text" : "" }, shower(name)(found.used[name] ?? 0)), h("small", {}, room));
    }));
    const show = shower(metric);
    const points = found.points.map((/** @type {any} */ point) => ({ period: point.period, value: Number(point[metric] ?? 0) }));
    const values = points.map((/** @type {{value: number}} */ point) => point.value);
    const label = t(`metric.${metric}`);
    const total = values.reduce((/** @type {number} */ sum, /** @type {number} */ value) => sum + value, 0);
    const summary = t("usage.summary", { metric: label, total: show(total), from: found.from, to: found.to, most: show(Math.max(0, ...values)) });
    plot.replaceChildren(h("h2", {}, label), chart(label, summary, points, show));
  }

  void guarded(load);
  return [
    title(t("usage"), plan, h("div", { class: "segmented", role: "group", "aria-label": t("usage.by") }, ...choices)),
    h("p", { class: "muted" }, t("usage.month")),
    tiles,
    plot,
  ];
}
