import { field, guarded, h, say } from "../dom.js";
import { t, when } from "../text.js";

/** @param {import("../main.js").Context} context */
export function settings({ api, title, renamed }) {
  const card = h("section", { class: "card" }, h("p", { class: "empty" }, t("loading")));

  async function load() {
    const app = await api.get("/app");
    const name = h("input", { class: "input", value: app.name, required: true, maxlength: 200 });
    const origins = h("textarea", { class: "input", rows: 3, spellcheck: "false" }, (app.settings.origins ?? []).join("\n"));
    const jwks = h("input", { class: "input", type: "url", value: app.settings.jwks_url ?? "", placeholder: "https://" });
    const days = h("input", { class: "input", type: "number", min: 1, max: 36500, value: retention(app.settings.retention_days) });
    const facts = h("dl", { class: "facts" }, h("dt", {}, t("settings.id")), h("dd", {}, h("code", {}, app.app)), h("dt", {}, t("created")), h("dd", {}, when(app.created_at)));
    const form = h("form", { class: "body", onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      void guarded(async () => {
        const lines = origins.value.split("\n").map((line) => line.trim()).filter(Boolean);
        const changes = { origins: lines.length ? lines : null, jwks_url: jwks.value || null };
        const kept = typeof app.settings.retention_days === "object" && app.settings.retention_days ? {} : { retention_days: days.value ? Number(days.value) : null };
        const saved = await api.ask("PATCH", "/app", { name: name.value, settings: { ...changes, ...kept } });
        renamed(saved.name);
        say(t("saved"));
      });
    } },
    field(t("name"), name),
    field(t("settings.origins"), origins, t("settings.origins.hint")),
    field(t("settings.jwks"), jwks, t("settings.jwks.hint")),
    field(t("settings.retention"), days, t("settings.retention.hint")),
    h("div", { class: "foot" }, h("button", { class: "button primary" }, t("save"))));
    card.replaceChildren(h("h2", {}, t("settings.app")), h("div", { class: "body" }, facts), form);
  }

  void guarded(load);
  return [title(t("settings")), card];
}

/** @param {unknown} days a number, or by type of conversation */
function retention(days) {
  return typeof days === "number" ? days : "";
}
