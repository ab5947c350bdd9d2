import { h } from "./dom.js";

const URLS = /\bhttps?:\/\/[^\s<>"'，。、；：！？）】」]+/gi;
/** Punctuation at the end of an address belongs to the sentence. */
const TRAILING = /[.,;:!?)\]}]+$/;

/**
 * Text with its http(s) addresses as links; nothing else becomes markup.
 * @param {string} text
 * @returns {(string | HTMLAnchorElement)[]}
 */
export function linkify(text) {
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
