import { ask, button, field, h, showSecret } from "../dom.js";
import { table } from "../table.js";
import { t, when } from "../text.js";

/** @typedef {{app: string, name: string, created_at: number}} App */

/** @param {import("../main.js").Context} context */
export function apps({ api, title }) {
  const list = table({
    label: t("apps"),
    empty: t("apps.empty"),
    load: (cursor) => api.page("/apps", "apps", { cursor }),
    columns: [
      { name: t("name"), cell: (/** @type {App} */ row) => h("div", {}, row.name, h("small", {}, h("code", {}, row.app))) },
      { name: t("created"), cell: (row) => when(row.created_at) },
    ],
  });

  function create() {
    const name = h("input", { class: "input", required: true, maxlength: 200 });
    const id = h("input", { class: "input", pattern: "[a-z0-9][a-z0-9_\\-]{0,62}", autocomplete: "off" });
    return ask({ title: t("apps.new"), confirm: t("create") }, [field(t("name"), name), field(t("apps.id"), id)], async () => {
      const made = await api.post("/apps", { name: name.value, app: id.value || null });
      void showSecret(made.name, [[t("signIn.key"), made.key], [t("signIn.secret"), made.secret]]).then(list.reload);
    });
  }

  return [title(t("apps"), button(t("apps.new"), create, "small primary")), list];
}
