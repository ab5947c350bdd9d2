import { ask, button, chip, field, h, say } from "../dom.js";
import { table } from "../table.js";
import { t, when } from "../text.js";

/** @typedef {{number: number, at: number, actor: string, action: string, subject: string}} Act */
/** @typedef {{job: string, kind: string, user: string, state: string, created_at: number, download_url?: string}} Job */

const ACTIONS = /** @type {const} */ (["dismiss", "recall", "mute", "kick", "ban", "suspend"]);

/** @param {string} text */
const heading = (text) => h("h2", {}, text);

/** @param {import("../main.js").Context} context */
export function moderation({ api, title }) {
  const reports = table({
    label: t("reports"),
    empty: t("reports.empty"),
    load: (cursor) => api.page("/reports", "reports", { cursor, state: "open" }),
    columns: [
      { name: t("reports.about"), cell: (/** @type {any} */ row) => h("div", {}, row.user ?? row.sender ?? "–", h("small", {}, row.conversation ? `${row.conversation} #${row.seq}` : row.report)) },
      { name: t("reports.reason"), cell: (row) => h("div", {}, row.reason ?? "–", h("small", {}, row.text ?? row.note ?? "")) },
      { name: t("reports.by"), cell: (row) => row.by ?? row.reporter ?? "–" },
      { name: t("audit.at"), cell: (row) => when(row.at ?? row.created_at) },
      { name: t("actions"), kind: "end", cell: (row) => button(t("reports.resolve"), () => resolve(row.report)) },
    ],
  });

  /** @param {string} report */
  async function resolve(report) {
    const action = h("select", { class: "select" }, ...ACTIONS.map((name) => h("option", { value: name }, t(`resolve.${name}`))));
    const note = h("input", { class: "input", maxlength: 1000 });
    const content = [field(t("reports.action"), action), field(t("reports.note"), note)];
    const done = await ask({ title: t("reports.resolve"), confirm: t("reports.resolve") }, content, () => api.post(`/reports/${encodeURIComponent(report)}/resolve`, { action: action.value, note: note.value || null }));
    if (done) await reports.reload();
  }

  const jobs = table({
    label: t("jobs"),
    empty: t("jobs.empty"),
    load: (cursor) => api.page("/jobs", "jobs", { cursor }),
    columns: [
      { name: t("users"), cell: (/** @type {Job} */ row) => h("div", {}, row.user, h("small", {}, row.kind)) },
      { name: t("state"), cell: (row) => chip(row.state, row.state === "failed" ? "bad" : row.state === "done" ? "good" : "") },
      { name: t("created"), cell: (row) => when(row.created_at) },
      { name: t("actions"), kind: "end", cell: (row) => row.download_url && h("a", { class: "button small", href: row.download_url }, t("jobs.download")) },
    ],
  });
  const audit = table({
    label: t("audit"),
    empty: t("audit.empty"),
    load: (cursor) => api.page("/audit", "records", { cursor }),
    columns: [
      { name: t("audit.at"), cell: (/** @type {Act} */ row) => when(row.at) },
      { name: t("audit.who"), cell: (row) => h("code", {}, row.actor) },
      { name: t("audit.what"), cell: (row) => h("div", {}, row.action, h("small", {}, row.subject)) },
    ],
  });
  const verify = button(t("audit.verify"), async () => {
    const verdict = await api.get("/audit/verify");
    say(verdict.broken_at ? t("audit.broken", { at: verdict.broken_at }) : t("audit.whole", { records: verdict.records }));
  });
  return [
    title(t("moderation")),
    heading(t("reports")), reports,
    heading(t("jobs")), jobs,
    h("div", { class: "title" }, heading(t("audit")), verify), audit,
  ];
}
