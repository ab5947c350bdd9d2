import { errorText, mark, onLanguage, t } from "../i18n/index.js";
import { codeOf } from "../sdk/index.js";
import { announce, toast } from "./announcer.js";
import { Composer } from "./composer.js";
import { h, ht } from "./dom.js";
import { FileCard } from "./file_card.js";
import { plainText, renderMessage } from "./message.js";
import { dayName, joinedText, noteEntry } from "./notes.js";
import { noticeHidden } from "./notices.js";
import { Pins } from "./pins.js";
import { outcomeText } from "./recent.js";
import { Search } from "./search.js";
import { TypingLine } from "./typing.js";

/** @typedef {import("../sdk/index.js").Conversation} Conversation */
/** @typedef {import("../sdk/types.js").Message} Message */
/** @typedef {import("../sdk/types.js").LogEvent} LogEvent */

/**
 * @typedef {object} Entry one line of the log as it is shown
 * @property {string} key
 * @property {string} signature changes when the line must be drawn again
 * @property {() => HTMLElement} draw
 */

const RUN_MS = 5 * 60_000;
const NEAR_PX = 80;

/** The chat pane: the log, who is typing, the composer. */
export class Chat {
  /**
   * @param {Conversation} conversation
   * @param {{user: string, names: import("./names.js").Names, uploads: import("./uploads.js").Uploads,
   *   fetch: (body: any, preview: boolean) => import("../sdk/index.js").Download,
   *   find: (query: string) => Promise<LogEvent[]>,
   *   openImage: (url: string, name: string) => void, onUnread: (count: number) => void}} options
   */
  constructor(conversation, options) {
    this._conversation = conversation;
    this._options = options;
    this._visible = false;
    this._unread = 0;
    /** Key of the last own message. */
    this._latest = "";
    /** Whether the log stays at its end while it grows. */
    this._stuck = true;
    /** @type {Map<string, {signature: string, element: HTMLElement}>} */
    this._drawn = new Map();
    /** @type {Map<string, FileCard>} kept, so that a picture is fetched once */
    this._cards = new Map();
    this._actions = this._makeActions();
    this._list = mark(h("ol", {}), "label", "chat.messages");
    this._older = ht("button", "chat.older", { type: "button", class: "button quiet small load-older", hidden: true });
    this._empty = h("div", { class: "log-empty" }, ht("p", "chat.empty"), ht("p", "chat.emptyHint"));
    this._log = h("div", { class: "log", tabindex: "0", role: "region" }, this._older, this._empty, this._list);
    mark(this._log, "label", "chat.messages");
    this._newer = ht("button", "chat.newer", { type: "button", class: "button small newer", hidden: true });
    this._typing = new TypingLine(conversation, options.user, options.names);
    this.composer = this._makeComposer();
    const foot = h("div", { class: "chat-foot" }, this._typing.element, options.uploads.element, this.composer.element);
    foot.style.position = "relative";
    foot.append(this._newer);
    this._search = new Search({
      find: options.find,
      nameOf: (user) => options.names.of(user),
      open: (seq) => void this._goTo(seq),
      onResults: (shown) => (this._log.hidden = shown),
    });
    this._pins = new Pins((seq) => void this._goTo(seq));
    this.element = h("div", { class: "panel-body" }, this._search.element, this._pins.element, this._search.results, this._log, foot);
    this._offs = this._listen();
    this.render();
  }

  /** @param {boolean} visible whether the user can see the pane */
  setVisible(visible) {
    this._visible = visible;
    if (visible) this._seen();
    if (visible) this._toEnd();
  }

  close() {
    this._offs.forEach((off) => off());
    this._search.close();
    this._typing.close();
  }

  render() {
    const entries = this._entries();
    const kept = new Map();
    entries.forEach((entry, index) => kept.set(entry.key, this._put(entry, index)));
    for (const [key, { element }] of this._drawn) if (!kept.has(key)) element.remove();
    this._drawn = kept;
    this._empty.hidden = entries.length > 0;
    this._older.hidden = !this._conversation.log.hasOlder;
    this._pins.show(this._conversation.messages);
    if (this._stuck) this._toEnd();
  }

  _listen() {
    const conversation = this._conversation;
    const onFocus = () => this._seen();
    addEventListener("focus", onFocus);
    this._older.addEventListener("click", () => void this._loadOlder());
    this._newer.addEventListener("click", () => this._toEnd());
    this._log.addEventListener("scroll", () => this._scrolled());
    const resize = new ResizeObserver(() => this._stuck && this._toEnd());
    resize.observe(this._list);
    resize.observe(this._log);
    return [
      conversation.on("changed", ({ added }) => this._changed(added)),
      conversation.on("receipts", () => this.render()),
      conversation.on("members", () => this.render()),
      onLanguage(() => (this._drawn.forEach(({ element }) => element.remove()), this._drawn.clear(), this.render())),
      () => removeEventListener("focus", onFocus),
      () => resize.disconnect(),
    ];
  }

  /** @param {LogEvent[]} added */
  _changed(added) {
    this.render();
    const news = added.filter((event) => event.type === "message:created" && event.sender !== this._options.user);
    if (!news.length) return;
    if (!this._stuck && this._visible) this._newer.hidden = false;
    for (const event of news.slice(-3)) this._announce(event);
    if (this._isSeen()) return this._seen();
    this._noticeHidden(news[news.length - 1]);
    for (const event of news) if (event.mentions?.includes(this._options.user)) this._mentioned(event);
    this._setUnread(this._unread + news.length);
  }

  /** @param {LogEvent} event the latest that was not seen */
  _noticeHidden(event) {
    const { id, info } = this._conversation;
    const message = this._conversation.log.messages.get(event.seq);
    const name = this._options.names.of(event.sender);
    const body = message ? plainText(message).slice(0, 160) : "";
    const direct = info.type === "direct";
    const notice = { title: direct ? name : (info.title ?? name), body: direct ? body : t("chat.said", { name, text: body }) };
    void noticeHidden({ ...notice, tag: id, room: direct ? "" : (info.alias ?? "") });
  }

  /** @param {LogEvent} event that names this user and was not seen */
  _mentioned({ sender, body }) {
    toast(t("chat.mentioned", { name: this._options.names.of(sender), text: String(body?.text ?? "").slice(0, 80) }));
  }

  /** @param {LogEvent} event */
  _announce(event) {
    const message = this._conversation.log.messages.get(event.seq);
    if (!message) return;
    const text = message.kind === "file" ? t("file.sent", { name: plainText(message) }) : plainText(message);
    announce(t("chat.said", { name: this._options.names.of(event.sender), text }));
  }

  _isSeen() {
    return this._visible && document.visibilityState === "visible";
  }

  _seen() {
    if (!this._isSeen()) return;
    this._conversation.markRead();
    this._setUnread(0);
  }

  /** @param {number} count */
  _setUnread(count) {
    this._unread = count;
    this._options.onUnread(count);
  }

  async _loadOlder() {
    if (this._loading) return;
    this._loading = true;
    const fromEnd = this._log.scrollHeight - this._log.scrollTop;
    try {
      await this._conversation.loadOlder();
      this._log.scrollTop = this._log.scrollHeight - fromEnd;
    } catch (error) {
      toast(errorText(codeOf(error)));
    } finally {
      this._loading = false;
    }
  }

  _scrolled() {
    if (!this._log.clientHeight) return; // Hidden, which says nothing about where the user was.
    this._stuck = this._atEnd();
    if (this._stuck) this._newer.hidden = true;
    if (this._log.scrollTop < NEAR_PX && this._conversation.log.hasOlder) void this._loadOlder();
  }

  _atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this._log;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  _toEnd() {
    this._stuck = true;
    this._log.scrollTop = this._log.scrollHeight;
    this._newer.hidden = true;
  }

  /**
   * Draw an entry, or keep what is drawn; then see that it stands in its place.
   * @param {Entry} entry
   * @param {number} index
   */
  _put(entry, index) {
    const known = this._drawn.get(entry.key);
    let element = known?.element;
    if (!element || known?.signature !== entry.signature) {
      const next = entry.draw();
      const focused = element?.contains(document.activeElement);
      element?.replaceWith(next);
      element = next;
      if (focused) element.focus();
    }
    if (this._list.children[index] !== element) this._list.insertBefore(element, this._list.children[index] ?? null);
    return { signature: entry.signature, element };
  }

  /** @returns {Entry[]} */
  _entries() {
    const messages = this._conversation.messages;
    const bySeq = new Map(messages.map((message) => [message.seq, message]));
    this._latest = messages.filter(({ sender }) => sender === this._options.user).pop()?.key ?? "";
    /** @type {Entry[]} */
    const entries = [];
    /** @type {{sender: string, at: number} | null} */
    let run = null;
    let day = "";
    /** @type {string[]} who came one after another: one line for all */
    let arrivals = [];
    const dated = (/** @type {number} */ at) => {
      const today = new Date(at).toDateString();
      if (today === day) return;
      day = today;
      run = null;
      arrivals = [];
      entries.push(noteEntry(`day ${today}`, dayName(at)));
    };
    for (const event of this._conversation.log.events) {
      const message = bySeq.get(event.seq);
      const note = message ? null : this._note(event);
      if (!message && !note) continue;
      dated(event.at);
      if (event.type === "member:joined") arrivals.push(this._options.names.of(event.user ?? event.sender));
      else arrivals = [];
      if (arrivals.length > 1) entries[entries.length - 1] = noteEntry(entries[entries.length - 1].key, joinedText(arrivals));
      else if (note) entries.push(noteEntry(event.id, note));
      if (message) entries.push(this._messageEntry(message, run, bySeq));
      run = message ? { sender: message.sender, at: message.at } : null;
    }
    for (const message of messages.filter(({ state }) => state !== "sent")) {
      dated(message.at);
      entries.push(this._messageEntry(message, run, bySeq));
      run = { sender: message.sender, at: message.at };
    }
    return entries;
  }

  /** @param {LogEvent} event */
  _note(event) {
    const name = this._options.names.of(event.user ?? event.sender);
    const direct = this._conversation.info.type === "direct";
    if (direct && event.type.startsWith("member:")) return null; // They were always there.
    if (event.type === "member:joined") return t("chat.joined", { name });
    if (event.type === "member:left") return t("chat.left", { name });
    if (event.type === "call:ended") return event.call ? outcomeText(event.call, this._options.user) : t("chat.callEnded");
    return null;
  }

  /**
   * @param {Message} message
   * @param {{sender: string, at: number} | null} run
   * @param {Map<number | null, Message>} bySeq
   * @returns {Entry}
   */
  _messageEntry(message, run, bySeq) {
    const { user, names } = this._options;
    const own = message.sender === user;
    const target = message.reply_to ? bySeq.get(message.reply_to) : undefined;
    const context = {
      own,
      user,
      latest: own && message.key === this._latest,
      first: run?.sender !== message.sender || message.at - run.at > RUN_MS,
      name: own ? t("chat.you") : names.of(message.sender),
      mayPin: this._mayPin(),
      mentioned: message.mentions.map((one) => ({ name: names.of(one), own: one === user })),
      quoted: target ? { name: names.of(target.sender), text: plainText(target) } : null,
      reach: own ? this._conversation.reach(message) : null,
    };
    const shown = { ...message, reactions: [...message.reactions].map(([emoji, users]) => [emoji, [...users]]) };
    return {
      key: message.key,
      signature: JSON.stringify([shown, context]),
      draw: () => renderMessage(message, { ...context, fileCard: (body) => this._card(body) }, this._actions),
    };
  }

  /** @param {import("../sdk/types.js").FileBody} body */
  _card(body) {
    let card = this._cards.get(body.file);
    if (!card) {
      card = new FileCard(body, { fetch: this._options.fetch, open: this._options.openImage });
      this._cards.set(body.file, card);
    }
    return card;
  }

  _makeComposer() {
    const conversation = this._conversation;
    return new Composer({
      send: (text, reply_to, mentions) => {
        conversation.send({ body: { text }, reply_to, mentions });
        this._toEnd();
      },
      edit: (seq, text) => this._try(conversation.edit(seq, { text })),
      people: () => this._mentionable(),
      typing: () => conversation.typing(),
      files: (files) => this._options.uploads.add(files),
      nameOf: (user) => this._options.names.of(user),
    });
  }

  /** @returns {import("./message.js").MessageActions} */
  _makeActions() {
    const conversation = this._conversation;
    return {
      reply: (message) => this.composer.reply(message),
      edit: (message) => this.composer.edit(message),
      recall: (message) => this._try(conversation.recall(message.seq ?? 0)),
      react: (message, emoji, on) => this._try(conversation.react(message.seq ?? 0, emoji, on)),
      pin: (message, on) => this._try(conversation.pin(message.seq ?? 0, on)),
      retry: (message) => conversation.retry(message.client_id),
      show: (seq) => void this._goTo(seq),
    };
  }

  _mayPin() {
    const { type, role } = this._conversation.info;
    return type === "direct" || role === "owner" || role === "admin";
  }

  _mentionable() {
    const { user, names } = this._options;
    const others = [...this._conversation.members.keys()].filter((one) => one !== user);
    return others.map((one) => ({ user: one, name: names.of(one) }));
  }

  /**
   * Show a message that may not be read yet.
   * @param {number} seq
   */
  async _goTo(seq) {
    try {
      await this._conversation.readBackTo(seq);
      this._show(seq);
    } catch (error) {
      toast(errorText(codeOf(error)));
    }
  }

  /** @param {Promise<unknown>} request */
  _try(request) {
    request.catch((error) => toast(errorText(codeOf(error))));
  }

  /** @param {number} seq */
  _show(seq) {
    const item = this._list.querySelector(`[data-seq="${seq}"]`);
    if (!(item instanceof HTMLElement)) return;
    this._stuck = false;
    item.scrollIntoView({ block: "center" });
    item.classList.add("flash");
    item.focus();
    item.addEventListener("animationend", () => item.classList.remove("flash"), { once: true });
  }
}
