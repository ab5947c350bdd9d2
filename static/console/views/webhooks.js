import { ask, button, chip, field, h, say, showSecret } from "../dom.js";
import { table } from "../table.js";
import { figure, t, when } from "../text.js";

/** @typedef {{webhook: string, url: string, events: string[], created_at: number}} Webhook */
/** @typedef {{delivery: string, webhook: string, type: string, attempts: number, dead_at: number, error: string}} Letter */

/** @param {import("../main.js").Context} context */
export function webhooks({ api, title }) {
  const list = table({
    label: t("webhooks"),
    empty: t("webhooks.empty"),
    load: (cursor) => api.page("/webhooks", "webhooks", { cursor }),
    columns: [
      { name: t("webhooks.url"), cell: (/** @type {Webhook} */ row) => h("div", {}, row.url, h("small", {}, h("code", {}, row.webhook))) },
      { name: t("webhooks.events"), cell: (row) => h("div", {}, ...row.events.map((name) => chip(name))) },
      { name: t("created"), cell: (row) => when(row.created_at) },
      { name: t("actions"), kind: "end", cell: (row) => button(t("remove"), async () => {
        const question = h("p", {}, t("webhooks.remove.ask", { url: row.url }));
        const sure = await ask({ title: t("remove"), confirm: t("remove"), danger: true }, [question], () => api.ask("DELETE", `/webhooks/${encodeURIComponent(row.webhook)}`));
        if (sure) await list.reload();
      }, "small danger-text") },
    ],
  });
  const dead = table({
    label: t("webhooks.dead"),
    empty: t("webhooks.dead.empty"),
    load: (cursor) => api.page("/dead-letters", "dead_letters", { cursor }),
    columns: [
      { name: t("webhooks.events"), cell: (/** @type {Letter} */ row) => h("div", {}, row.type, h("small", {}, h("code", {}, row.webhook))) },
      { name: t("webhooks.why"), cell: (row) => row.error },
      { name: t("webhooks.attempts"), kind: "number", cell: (row) => figure(row.attempts) },
      { name: t("audit.at"), cell: (row) => when(row.dead_at) },
      { name: t("actions"), kind: "end", cell: (row) => button(t("webhooks.replay"), () => replay(`/dead-letters/${encodeURIComponent(row.delivery)}/replay`)) },
    ],
  });

  /** @param {string} path */
  async function replay(path) {
    await api.post(path);
    say(t("webhooks.replayed"));
    await dead.reload();
  }

  function create() {
    const url = h("input", { class: "input", type: "url", required: true, placeholder: "https://" });
    const events = h("input", { class: "input", value: "*", autocomplete: "off" });
    return ask({ title: t("webhooks.new"), confirm: t("create") }, [
      field(t("webhooks.url"), url),
      field(t("webhooks.events"), events, t("webhooks.events.hint")),
    ], async () => {
      const wanted = events.value.split(",").map((name) => name.trim()).filter(Boolean);
      const made = await api.post("/webhooks", { url: url.value, events: wanted });
      void showSecret(t("webhooks"), [[t("webhooks.url"), made.url], [t("signIn.secret"), made.secret]]).then(list.reload);
    });
  }

  return [
    title(t("webhooks"), button(t("webhooks.new"), create, "small primary")),
    list,
    h("div", { class: "title" }, h("h2", {}, t("webhooks.dead")), button(t("webhooks.replayAll"), () => replay("/dead-letters/replay"))),
    dead,
  ];
}
