import { Api, ApiError } from "./api.js";
import { button, field, guarded, h } from "./dom.js";
import { t, tagPage, toggleLanguage } from "./text.js";
import { icon } from "../js/ui/icons.js";
import { toggleTheme } from "../js/ui/theme.js";
import { apps } from "./views/apps.js";
import { conversations } from "./views/conversations.js";
import { keys } from "./views/keys.js";
import { moderation } from "./views/moderation.js";
import { settings } from "./views/settings.js";
import { usage } from "./views/usage.js";
import { users } from "./views/users.js";
import { webhooks } from "./views/webhooks.js";

/** @typedef {(text: string, ...actions: (Node | false)[]) => HTMLElement} Title */
/**
 * What a view is made with; it gives its elements.
 * @typedef {object} Context
 * @property {Api} api
 * @property {Title} title
 * @property {(changed: (text: string) => unknown) => HTMLElement} search
 * @property {string} argument what follows the view's name in the link
 * @property {(name: string) => void} renamed the app has another name
 */
/** @typedef {{view: (context: Context) => Node[], scope: string, icon: import("../js/ui/icons.js").IconName}} Section */

/** @type {Record<string, Section>} */
const SECTIONS = {
  usage: { view: usage, scope: "read", icon: "stats" },
  users: { view: users, scope: "read", icon: "people" },
  conversations: { view: conversations, scope: "read", icon: "chat" },
  keys: { view: keys, scope: "admin", icon: "key" },
  webhooks: { view: webhooks, scope: "admin", icon: "link" },
  moderation: { view: moderation, scope: "admin", icon: "hand" },
  settings: { view: settings, scope: "admin", icon: "settings" },
  apps: { view: apps, scope: "operator", icon: "file" },
};

const root = /** @type {HTMLElement} */ (document.getElementById("console"));
/** Lines break between these only. */
const EXAMPLE = ["tokenim key create demo", "--scope admin", "--scope read", "--scope write", "--scope tokens"];

/** @param {string} name @param {string[]} scopes */
function allowed(name, scopes) {
  const { scope } = SECTIONS[name];
  return scopes.includes(scope) || (scope !== "operator" && scopes.includes("admin"));
}

function tools() {
  const language = button(t("language"), () => (toggleLanguage(), start()), "small quiet");
  const theme = h("button", { type: "button", class: "icon-button", "aria-label": t("theme"), title: t("theme"), onclick: toggleTheme });
  theme.append(icon("sun"));
  return [language, theme];
}

/** @param {string} [problem] */
function signIn(problem = "") {
  const key = h("input", { class: "input", required: true, autocomplete: "username", spellcheck: "false", placeholder: "key-…" });
  const secret = h("input", { class: "input", type: "password", required: true, autocomplete: "off" });
  const wrong = h("p", { class: "error", role: "alert" }, problem);
  const form = h("form", { onsubmit: async (/** @type {Event} */ event) => {
    event.preventDefault();
    const api = new Api(key.value.trim(), secret.value.trim());
    await enter(api, (reason) => (wrong.textContent = reason));
  } },
  h("div", { class: "brand" }, h("img", { src: "../favicon.svg", alt: "" }), h("h1", {}, `TokenIM ${t("console")}`)),
  field(t("signIn.key"), key), field(t("signIn.secret"), secret), wrong,
  h("button", { class: "button primary" }, t("signIn")),
  h("p", { class: "hint" }, t("signIn.hint"), h("code", {}, ...EXAMPLE.map((part) => h("span", {}, `${part} `)))),
  h("div", { class: "foot" }, ...tools()));
  root.replaceChildren(h("main", { class: "sign-in" }, form));
  key.focus();
}

/**
 * @param {Api} api
 * @param {(reason: string) => void} refused
 */
async function enter(api, refused) {
  try {
    const mine = await api.get("/key");
    api.keep();
    frame(api, mine);
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 0;
    refused(status === 401 ? t("signIn.wrong") : t("failed", { reason: error instanceof Error ? error.message : "" }));
  }
}

/** @type {AbortController | null} */
let listening = null;

/**
 * @param {Api} api
 * @param {{app: string, app_name: string, scopes: string[]}} mine
 */
function frame(api, mine) {
  const names = Object.keys(SECTIONS).filter((name) => allowed(name, mine.scopes));
  const app = h("small", {}, mine.app_name);
  const out = button(t("signOut"), () => (api.forget(), signIn()), "small quiet");
  const links = names.map((name) => h("a", { href: `#${name}` }, icon(SECTIONS[name].icon), t(/** @type {any} */ (name))));
  const main = h("main", { tabindex: -1 });
  root.replaceChildren(h("div", { class: "frame" },
    h("header", { class: "top" }, h("div", { class: "brand" }, h("img", { src: "../favicon.svg", alt: "" }), h("span", { class: "truncate" }, "TokenIM ", app)), ...tools(), out),
    h("nav", { class: "nav", "aria-label": t("nav") }, ...links),
    main));
  listening?.abort();
  listening = new AbortController();
  const show = (/** @type {boolean} */ focus) => {
    const [name, argument = ""] = location.hash.slice(1).split("/");
    const chosen = names.includes(name) ? name : names[0];
    if (!chosen) return;
    links.forEach((link, at) => (names[at] === chosen ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));
    links[names.indexOf(chosen)].scrollIntoView({ block: "nearest", inline: "nearest" });
    document.title = `${t(/** @type {any} */ (chosen))} · TokenIM`;
    const renamed = (/** @type {string} */ changed) => void (app.textContent = changed);
    main.replaceChildren(...SECTIONS[chosen].view({ api, title, search, argument: decodeURIComponent(argument), renamed }));
    if (focus) main.focus();
  };
  addEventListener("hashchange", () => show(true), { signal: listening.signal });
  show(false);
}

/** @type {Title} */
const title = (text, ...actions) => h("div", { class: "title" }, h("h1", {}, text), ...actions);

/** @param {(text: string) => unknown} changed after the last key for a moment */
function search(changed) {
  const input = h("input", { class: "input", type: "search", placeholder: t("search"), "aria-label": t("search") });
  /** @type {number | undefined} */
  let waiting;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => void guarded(() => changed(input.value.trim())), 250);
  });
  return input;
}

function start() {
  tagPage();
  const api = Api.kept();
  if (api) void enter(api, (reason) => signIn(reason));
  else signIn();
}

start();
