import { ApiError } from "../api.js";
import { ask, button, chip, h, say } from "../dom.js";
import { table } from "../table.js";
import { t, when } from "../text.js";

/** @typedef {{user: string, name: string | null, created_at: number, seen_at: number}} User */
/** @typedef {{device: string, created_at: number, seen_at: number, revoked_at: number | null}} Device */

/** @param {import("../main.js").Context} context */
export function users({ api, title, search, argument }) {
  if (argument) return user({ api, title, name: argument });
  let query = "";
  const list = table({
    label: t("users"),
    empty: t("users.empty"),
    load: (cursor) => api.page("/users", "users", { cursor, query }),
    columns: [
      { name: t("name"), cell: (/** @type {User} */ row) => h("div", {}, h("a", { href: `#users/${encodeURIComponent(row.user)}` }, row.name ?? row.user), h("small", {}, row.user)) },
      { name: t("created"), cell: (row) => when(row.created_at) },
      { name: t("users.seen"), cell: (row) => when(row.seen_at) },
    ],
  });
  return [title(t("users"), search((text) => ((query = text), list.reload()))), list];
}

/** @param {{api: import("../api.js").Api, title: import("../main.js").Title, name: string}} context */
function user({ api, title, name }) {
  const path = `/users/${encodeURIComponent(name)}`;
  const devices = table({
    label: t("users.devices"),
    empty: t("users.noDevices"),
    load: (cursor) => api.page(`${path}/devices`, "devices", { cursor }),
    columns: [
      { name: t("users.device"), cell: (/** @type {Device} */ row) => h("code", {}, row.device) },
      { name: t("created"), cell: (row) => when(row.created_at) },
      { name: t("users.seen"), cell: (row) => when(row.seen_at) },
      { name: t("actions"), kind: "end", cell: (row) => row.revoked_at ? chip(t("users.signedOut"), "bad") : button(t("users.signOut"), async () => {
        await api.ask("DELETE", `${path}/devices/${encodeURIComponent(row.device)}`);
        await devices.reload();
      }) },
    ],
  });
  const out = button(t("users.signOutAll"), async () => {
    const question = h("p", {}, t("users.signOutAll.ask", { user: name }));
    const sure = await ask({ title: t("users.signOutAll"), confirm: t("users.signOut"), danger: true }, [question], () => api.post(`${path}/sign-out`));
    if (sure) say(t("done"));
  });
  const ban = button(t("users.ban"), async () => {
    const question = h("p", {}, t("users.ban.ask", { user: name }));
    const sure = await ask({ title: t("users.ban"), confirm: t("users.ban"), danger: true }, [question], () => offered(() => api.ask("PUT", `${path}/ban`, {})));
    if (sure) say(t("done"));
  }, "small danger-text");
  const unban = button(t("users.unban"), async () => {
    await offered(() => api.ask("DELETE", `${path}/ban`));
    say(t("done"));
  });
  const export_ = button(t("users.export"), async () => {
    await api.post(`${path}/export`);
    say(t("users.export.done"));
  });
  const back = h("a", { href: "#users" }, `← ${t("users")}`);
  return [back, title(name, export_, out, unban, ban), devices];
}

/** @param {() => Promise<unknown>} work */
async function offered(work) {
  try {
    await work();
  } catch (error) {
    if (error instanceof ApiError && error.status === 404 && error.message === "no such path") throw new Error(t("unavailable"));
    throw error;
  }
}
