import { t } from "./text.js";

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element; strings become text, never markup. `on…` functions are listeners.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null && child !== undefined && child !== false) element.append(String(child) === child || typeof child === "number" ? String(child) : child);
  return element;
}

/**
 * @param {string} text
 * @param {() => unknown} onclick what it throws is shown
 * @param {string} [looks]
 */
export function button(text, onclick, looks = "small") {
  const made = h("button", { type: "button", class: `button ${looks}` }, text);
  made.addEventListener("click", () => void guarded(async () => {
    made.disabled = true;
    try {
      await onclick();
    } finally {
      made.disabled = false;
    }
  }));
  return made;
}

/** @param {() => unknown} work */
export async function guarded(work) {
  try {
    await work();
  } catch (error) {
    say(t("failed", { reason: error instanceof Error ? error.message : String(error) }));
  }
}

/** @type {number | undefined} */
let fading;

/** A short word at the foot of the page, read out too. @param {string} text */
export function say(text) {
  const toast = /** @type {HTMLElement} */ (document.getElementById("status"));
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (toast.hidden = true), 5000);
}

let ids = 0;

/**
 * @param {string} label
 * @param {HTMLElement} input
 * @param {string} [hint]
 */
export function field(label, input, hint) {
  input.id = `f${++ids}`;
  const help = hint ? h("p", { class: "hint", id: `${input.id}h` }, hint) : null;
  if (help) input.setAttribute("aria-describedby", help.id);
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input, help);
}

/**
 * @param {string} text
 * @param {"" | "good" | "bad"} [kind]
 */
export function chip(text, kind = "") {
  return h("span", { class: `chip ${kind}` }, text);
}

/**
 * A form in a dialog; resolves with whether it was carried out.
 * @param {{title: string, confirm?: string, danger?: boolean, only?: boolean}} how
 * @param {Child[]} content
 * @param {() => unknown} [work] runs on confirmation; what it throws keeps the dialog open
 * @returns {Promise<boolean>}
 */
export function ask(how, content, work = () => {}) {
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const go = h("button", { class: `button ${how.danger ? "danger-text" : "primary"}` }, how.confirm ?? t("done"));
  const dialog = h("dialog", { "aria-label": how.title });
  const cancel = how.only ? null : h("button", { type: "button", class: "button quiet", onclick: () => dialog.close() }, t("cancel"));
  const form = h("form", { method: "dialog" }, h("h2", {}, how.title), ...content, problem, h("div", { class: "foot" }, cancel, go));
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let carried = false;
    dialog.addEventListener("close", () => (dialog.remove(), resolve(carried)));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        await work();
        carried = true;
        dialog.close();
      } catch (error) {
        problem.textContent = error instanceof Error ? error.message : String(error);
        problem.hidden = false;
      } finally {
        go.disabled = false;
      }
    });
    dialog.showModal();
  });
}

/**
 * A secret, shown this once.
 * @param {string} title
 * @param {[string, string][]} rows
 */
export function showSecret(title, rows) {
  const lines = rows.map(([label, value]) => h("div", { class: "field" }, h("span", { class: "label" }, label),
    h("div", { class: "secret" }, h("code", {}, value), button(t("copy"), async () => {
      await navigator.clipboard.writeText(value);
      say(t("copied"));
    }))));
  return ask({ title, only: true }, [h("p", {}, t("keys.secret")), ...lines]);
}
