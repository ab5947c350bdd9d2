import { chip, h } from "../dom.js";
import { table } from "../table.js";
import { figure, t, when } from "../text.js";

/** @typedef {{id: string, type: "direct" | "group" | "channel", title: string | null, alias: string | null, created_at: number, head: number, member_count: number}} Conversation */
/** @typedef {{user: string, name: string | null, role: string, joined_at: number, read: number}} Member */

/** @param {import("../main.js").Context} context */
export function conversations({ api, title, search, argument }) {
  if (argument) return members({ api, title, id: argument });
  let query = "";
  const list = table({
    label: t("conversations"),
    empty: t("conversations.empty"),
    load: (cursor) => api.page("/app/conversations", "conversations", { cursor, query }),
    columns: [
      { name: t("conversations.title"), cell: (/** @type {Conversation} */ row) => h("div", {}, h("a", { href: `#conversations/${encodeURIComponent(row.id)}` }, row.title ?? row.alias ?? t(`type.${row.type}`)), h("small", {}, row.id)) },
      { name: t("conversations.type"), cell: (row) => chip(t(`type.${row.type}`)) },
      { name: t("conversations.members"), kind: "number", cell: (row) => figure(row.member_count) },
      { name: t("conversations.events"), kind: "number", cell: (row) => figure(row.head) },
      { name: t("created"), cell: (row) => when(row.created_at) },
    ],
  });
  return [title(t("conversations"), search((text) => ((query = text), list.reload()))), list];
}

/** @param {{api: import("../api.js").Api, title: import("../main.js").Title, id: string}} context */
function members({ api, title, id }) {
  const path = `/app/conversations/${encodeURIComponent(id)}`;
  const heading = title(id);
  void api.get(path).then((/** @type {Conversation} */ found) => {
    const first = heading.firstElementChild;
    if (first) first.textContent = found.title ?? found.alias ?? t(`type.${found.type}`);
  }, () => {});
  const list = table({
    label: t("conversations.members"),
    empty: t("none"),
    load: (cursor) => api.page(`${path}/members`, "members", { cursor }),
    columns: [
      { name: t("name"), cell: (/** @type {Member} */ row) => h("div", {}, h("a", { href: `#users/${encodeURIComponent(row.user)}` }, row.name ?? row.user), h("small", {}, row.user)) },
      { name: t("conversations.role"), cell: (row) => chip(row.role) },
      { name: t("conversations.joined"), cell: (row) => when(row.joined_at) },
      { name: t("conversations.read"), kind: "number", cell: (row) => figure(row.read) },
    ],
  });
  return [h("a", { href: "#conversations" }, `← ${t("conversations")}`), heading, list];
}
