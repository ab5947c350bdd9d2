import { ask, button, chip, field, h, say, showSecret } from "../dom.js";
import { table } from "../table.js";
import { t, when } from "../text.js";

/** @typedef {{key: string, name: string, scopes: string[], created_at: number, revoked_at?: number, secret?: string}} ApiKey */

const SCOPES = /** @type {const} */ (["tokens", "read", "write", "admin"]);

/** @param {ApiKey} key */
function state(key) {
  if (!key.revoked_at) return chip(t("keys.live"), "good");
  return key.revoked_at > Date.now() ? chip(t("keys.ends", { at: when(key.revoked_at) })) : chip(t("keys.revoked"), "bad");
}

/** @param {ApiKey} made */
export function showKey(made) {
  return showSecret(made.name || made.key, [[t("signIn.key"), made.key], [t("signIn.secret"), made.secret ?? ""]]);
}

/** @param {import("../main.js").Context} context */
export function keys({ api, title }) {
  const list = table({
    label: t("keys"),
    empty: t("keys.empty"),
    load: (cursor) => api.page("/keys", "keys", { cursor }),
    columns: [
      { name: t("name"), cell: (/** @type {ApiKey} */ key) => h("div", {}, key.name || "–", h("small", {}, h("code", {}, key.key))) },
      { name: t("keys.scopes"), cell: (key) => h("div", {}, ...key.scopes.map((scope) => chip(scope))) },
      { name: t("created"), cell: (key) => when(key.created_at) },
      { name: t("state"), cell: state },
      { name: t("actions"), kind: "end", cell: (key) => (key.revoked_at && key.revoked_at < Date.now() ? null : actions(key)) },
    ],
  });

  /** @param {ApiKey} key */
  function actions(key) {
    const name = key.name || key.key;
    return h("div", { class: "actions" },
      !key.revoked_at && button(t("keys.rotate"), () => ask({ title: t("keys.rotate"), confirm: t("keys.rotate") }, [h("p", {}, t("keys.rotate.ask", { name }))], async () => {
        const made = await api.post(`/keys/${encodeURIComponent(key.key)}/rotate`);
        void showKey(made).then(list.reload);
      })),
      button(t("keys.revoke"), async () => {
        const sure = await ask({ title: t("keys.revoke"), confirm: t("keys.revoke"), danger: true }, [h("p", {}, t("keys.revoke.ask", { name }))], () => api.ask("DELETE", `/keys/${encodeURIComponent(key.key)}`));
        if (sure) say(t("keys.revoked"));
        if (sure) await list.reload();
      }, "small danger-text"));
  }

  function create() {
    const name = h("input", { class: "input", maxlength: 200, autocomplete: "off" });
    const boxes = SCOPES.map((scope) => h("input", { type: "checkbox", value: scope, checked: scope !== "admin" }));
    const checks = boxes.map((box, at) => h("label", {}, box, h("span", {}, `${SCOPES[at]} – ${t(`scope.${SCOPES[at]}`)}`)));
    return ask({ title: t("keys.new"), confirm: t("create") }, [
      field(t("keys.name"), name),
      h("div", { class: "checks", role: "group", "aria-label": t("keys.scopes") }, ...checks),
    ], async () => {
      const scopes = boxes.filter((box) => box.checked).map((box) => box.value);
      const made = await api.post("/keys", { name: name.value, scopes });
      void showKey(made).then(list.reload);
    });
  }

  return [title(t("keys"), button(t("keys.new"), create, "small primary")), list];
}
