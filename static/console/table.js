import { button, guarded, h } from "./dom.js";
import { ApiError } from "./api.js";
import { t } from "./text.js";

/**
 * @template T
 * @typedef {object} Column
 * @property {string} name
 * @property {(row: T) => import("./dom.js").Child} cell
 * @property {"number" | "end"} [kind]
 */

/**
 * A card with a table that is read a page at a time.
 * @template T
 * @param {object} how
 * @param {string} how.label
 * @param {string} how.empty
 * @param {Column<T>[]} how.columns
 * @param {(cursor: string | null) => Promise<import("./api.js").Page<T>>} how.load
 * @returns {HTMLElement & {reload: () => Promise<void>}}
 */
export function table({ label, empty, columns, load }) {
  const body = h("tbody");
  const head = h("tr", {}, ...columns.map((column) => h("th", { scope: "col", class: column.kind ?? "" }, column.kind === "end" ? h("span", { class: "visually-hidden" }, column.name) : column.name)));
  const grid = h("table", { class: "table", "aria-label": label, hidden: true }, h("thead", {}, head), body);
  const note = h("p", { class: "empty" }, t("loading"));
  const more = button(t("more"), () => next(), "small more");
  more.hidden = true;
  /** @type {string | null} */
  let cursor = null;

  async function next() {
    const page = await load(cursor);
    cursor = page.next;
    body.append(...page.rows.map((row) => h("tr", {}, ...columns.map((column) => h("td", { class: column.kind ?? "", "data-label": column.name }, column.cell(row))))));
    grid.hidden = !body.children.length;
    note.hidden = !grid.hidden;
    note.textContent = empty;
    more.hidden = !cursor;
  }

  async function reload() {
    cursor = null;
    body.replaceChildren();
    try {
      await next();
    } catch (error) {
      grid.hidden = true;
      note.hidden = false;
      note.textContent = error instanceof ApiError && error.status === 404 ? t("unavailable") : t("failed", { reason: error instanceof Error ? error.message : "" });
    }
  }

  const card = h("section", { class: "card", "aria-label": label }, grid, note, more);
  void guarded(reload);
  return Object.assign(card, { reload });
}
