import { mark } from "../i18n/index.js";
import { h, iconButton } from "./dom.js";

/** @typedef {"chat" | "people"} Tab */

/** What lies beside the stage, or over it on small screens: chat or people. */
export class Panel {
  /**
   * @param {Record<Tab, HTMLElement>} bodies
   * @param {{onChange: (tab: Tab | null) => void, onFocusLost: (tab: Tab) => void}} options
   */
  constructor(bodies, { onChange, onFocusLost }) {
    this._bodies = bodies;
    this._onChange = onChange;
    this._onFocusLost = onFocusLost;
    /** @type {Tab | null} */
    this.tab = null;
    this._tabs = { chat: this._makeTab("chat"), people: this._makeTab("people") };
    const list = h("div", { class: "segmented", role: "tablist" }, this._tabs.chat, this._tabs.people);
    list.addEventListener("keydown", (event) => this._arrow(event));
    const close = iconButton("close", "chat.close", () => this.show(null));
    const header = h("div", { class: "panel-header" }, list, close);
    for (const [tab, body] of Object.entries(bodies)) {
      body.setAttribute("role", "tabpanel");
      body.setAttribute("aria-labelledby", `tab-${tab}`);
    }
    this.element = mark(h("aside", { class: "panel", hidden: true }, header, bodies.chat, bodies.people), "label", "room.panel");
  }

  /** @param {Tab | null} tab */
  show(tab) {
    const closed = this.element.contains(document.activeElement) && !tab && this.tab;
    this.tab = tab;
    this.element.hidden = !tab;
    for (const one of /** @type {Tab[]} */ (["chat", "people"])) {
      this._bodies[one].hidden = one !== tab;
      this._tabs[one].setAttribute("aria-selected", String(one === tab));
      this._tabs[one].tabIndex = one === tab ? 0 : -1;
    }
    this._onChange(tab);
    if (closed) this._onFocusLost(closed);
  }

  /** @param {Tab} tab */
  toggle(tab) {
    this.show(this.tab === tab ? null : tab);
  }

  /** @param {Tab} tab */
  _makeTab(tab) {
    const button = h("button", { type: "button", role: "tab", id: `tab-${tab}` });
    button.addEventListener("click", () => this.show(tab));
    return mark(button, "text", tab === "chat" ? "call.chat" : "call.people");
  }

  /** @param {KeyboardEvent} event */
  _arrow(event) {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const next = this.tab === "chat" ? "people" : "chat";
    this.show(next);
    this._tabs[next].focus();
  }
}
