import { h } from "./dom.js";

const URLS = /\bhttps?:\/\/[^\s<>"'，。、；：！？）】」]+/gi;
/** Punctuation at the end of an address belongs to the sentence. */
const TRAILING = /[.,;:!?)\]}]+$/;

/**
 * Text with its http(s) addresses as links and the names it mentions set off; nothing else becomes
 * markup.
 * @param {string} text
 * @param {{name: string, own: boolean}[]} [mentioned]
 * @returns {(string | HTMLElement)[]}
 */
export function enrich(text, mentioned = []) {
  return linkify(text).flatMap((part) => (typeof part === "string" ? setOff(part, mentioned) : [part]));
}

/**
 * @param {string} text
 * @param {{name: string, own: boolean}[]} mentioned
 * @returns {(string | HTMLElement)[]}
 */
function setOff(text, mentioned) {
  /** @type {(string | HTMLElement)[]} */
  let parts = [text];
  for (const { name, own } of mentioned) {
    const mark = () => h("span", { class: own ? "mention own" : "mention" }, `@${name}`);
    parts = parts.flatMap((part) => (typeof part === "string" ? between(part.split(`@${name}`), mark) : [part]));
  }
  return parts.filter((part) => part !== "");
}

/**
 * @param {string[]} pieces
 * @param {() => HTMLElement} separator
 */
function between(pieces, separator) {
  return pieces.flatMap((piece, index) => (index ? [separator(), piece] : [piece]));
}

/**
 * @param {string} text
 * @returns {(string | HTMLAnchorElement)[]}
 */
function linkify(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(URLS)) {
    const address = match[0].replace(TRAILING, "");
    if (!isUrl(address)) continue;
    parts.push(text.slice(end, match.index), anchor(address));
    end = match.index + address.length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

/** @param {string} address */
function anchor(address) {
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, address);
}

/** @param {string} address */
function isUrl(address) {
  try {
    return /^https?:$/.test(new URL(address).protocol);
  } catch {
    return false;
  }
}
