import { mark, t } from "../i18n/index.js";
import { h, ht, iconButton } from "./dom.js";
import { timeText } from "./figures.js";
import { FileCard } from "./file_card.js";
import { icon } from "./icons.js";
import { enrich } from "./linkify.js";

/** @typedef {import("../sdk/types.js").Message} Message */

/**
 * @typedef {object} MessageContext what is around a message
 * @property {boolean} own
 * @property {boolean} first of a run by one sender
 * @property {string} name of the sender
 * @property {string} user own id
 * @property {{name: string, text: string} | null} quoted
 * @property {{name: string, own: boolean}[]} mentioned
 * @property {boolean} mayPin
 * @property {boolean} latest the last of own messages
 * @property {{read: number, delivered: number, others: number} | null} reach of own messages
 * @property {(file: import("../sdk/types.js").FileBody) => FileCard} fileCard
 *
 * @typedef {object} MessageActions
 * @property {(message: Message) => void} reply
 * @property {(message: Message) => void} edit
 * @property {(message: Message) => void} recall
 * @property {(message: Message, emoji: string, on: boolean) => void} react
 * @property {(message: Message, on: boolean) => void} pin
 * @property {(message: Message) => void} retry
 * @property {(seq: number) => void} show
 */

export const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];

/** @param {Message} message */
export function plainText(message) {
  if (message.recalled) return t("chat.recalled");
  if (message.kind === "file") return String(message.body?.name ?? "");
  return String(message.body?.text ?? "");
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 * @param {MessageActions} actions
 * @returns {HTMLLIElement}
 */
export function renderMessage(message, context, actions) {
  const classes = ["message", context.own && "own", context.first && "first", message.state === "failed" && "failed"];
  const item = h(
    "li",
    { class: classes.filter(Boolean).join(" "), tabindex: "-1", "data-seq": message.seq ?? "" },
    context.first && meta(message, context),
    bubble(message, context, actions),
    reactions(message, context, actions),
    context.own && marks(message, context, actions),
  );
  if (message.seq && !message.recalled) item.append(tools(message, context, actions));
  return item;
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function meta(message, context) {
  const time = h("time", { datetime: new Date(message.at).toISOString() }, timeText(message.at));
  const name = h("b", { class: context.own ? "visually-hidden" : "truncate" }, context.name);
  return h("div", { class: "meta" }, name, time);
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 * @param {MessageActions} actions
 */
function bubble(message, context, actions) {
  if (message.recalled) return ht("div", "chat.recalled", { class: "bubble recalled" });
  const quote = context.quoted && quoteOf(message, context.quoted, actions);
  const content = message.kind === "file" ? [context.fileCard(message.body).element] : enrich(plainText(message), context.mentioned);
  const edited = message.edited && ht("span", "chat.edited", { class: "edited" });
  return h("div", { class: "bubble", dir: "auto" }, quote, ...content, edited);
}

/**
 * @param {Message} message
 * @param {{name: string, text: string}} quoted
 * @param {MessageActions} actions
 */
function quoteOf(message, quoted, actions) {
  const onclick = () => actions.show(message.reply_to ?? 0);
  const line = h("span", { class: "truncate" }, quoted.text.slice(0, 120));
  return h("button", { type: "button", class: "quote", onclick }, h("b", {}, quoted.name), line);
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 * @param {MessageActions} actions
 */
function reactions(message, context, actions) {
  if (!message.reactions.size) return null;
  const chips = [...message.reactions].map(([emoji, users]) => {
    const own = users.has(context.user);
    const onclick = () => actions.react(message, emoji, !own);
    const chip = h("button", { type: "button", class: "chip", onclick }, `${emoji} ${users.size}`);
    chip.setAttribute("aria-pressed", String(own));
    return mark(chip, "label", "chat.reaction", { emoji, count: users.size });
  });
  return h("div", { class: "reactions" }, ...chips);
}

/**
 * Where an own message is: sending, sent, delivered, read. One of the others is enough for that: a
 * room has members who will not come back. How many they are is said of the last message only.
 * @param {Message} message
 * @param {MessageContext} context
 * @param {MessageActions} actions
 */
function marks(message, context, actions) {
  if (message.state === "failed") {
    const retry = ht("button", "chat.retry", { type: "button", class: "retry", onclick: () => actions.retry(message) });
    return h("div", { class: "marks" }, ht("span", "chat.failed"), retry);
  }
  const { read = 0, delivered = 0, others = 0 } = context.reach ?? {};
  const group = others > 1;
  /** @type {[string, import("./icons.js").IconName, import("../i18n/index.js").Key]} */
  let [state, name, key] = ["sent", "check", "chat.sent"];
  if (message.state === "sending") [state, name, key] = ["sending", "clock", "chat.sending"];
  else if (read) [state, name, key] = ["read", "checks", group ? "chat.readBy" : "chat.read"];
  else if (delivered) [state, name, key] = ["delivered", "checks", "chat.delivered"];
  const drawn = h("span", { class: state, "data-mark": state, role: "img" }, icon(name));
  mark(drawn, "label", key, { count: read });
  const count = group && read > 0 && context.latest && mark(h("span", { "aria-hidden": "true" }), "text", "chat.readBy", { count: read });
  return h("div", { class: "marks" }, count, drawn);
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 * @param {MessageActions} actions
 */
function tools(message, context, actions) {
  const bar = h("div", { class: "tools" });
  const buttons = [
    iconButton("smile", "chat.react", () => bar.replaceChildren(...emojiRow(message, context, actions)), { class: "small" }),
    iconButton("reply", "chat.reply", () => actions.reply(message), { class: "small" }),
  ];
  if (context.own && message.kind === "text") {
    buttons.push(iconButton("edit", "chat.edit", () => actions.edit(message), { class: "small" }));
  }
  if (context.mayPin) {
    const pinned = message.pinned;
    buttons.push(iconButton("pin", pinned ? "chat.unpin" : "chat.pin", () => actions.pin(message, !pinned), { class: "small", "aria-pressed": pinned || null }));
  }
  if (context.own) buttons.push(iconButton("trash", "chat.recall", () => actions.recall(message), { class: "small" }));
  bar.append(...buttons);
  bar.addEventListener("focusout", ({ relatedTarget }) => {
    if (!bar.contains(/** @type {Node | null} */ (relatedTarget))) bar.replaceChildren(...buttons);
  });
  return bar;
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 * @param {MessageActions} actions
 */
function emojiRow(message, context, actions) {
  const row = EMOJI.map((emoji) => {
    const own = message.reactions.get(emoji)?.has(context.user) ?? false;
    const onclick = () => actions.react(message, emoji, !own);
    const button = h("button", { type: "button", class: "emoji", onclick }, emoji);
    return mark(button, "label", "chat.reactWith", { emoji });
  });
  queueMicrotask(() => row[0].focus());
  return row;
}
