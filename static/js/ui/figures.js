import { language } from "../i18n/index.js";

/** @type {Map<string, Intl.DateTimeFormat>} kept: making one takes as long as using it many times */
const formats = new Map();

/**
 * @param {number} at UTC milliseconds
 * @param {Intl.DateTimeFormatOptions} options
 */
function formatted(at, options) {
  const key = language() + JSON.stringify(options);
  const format = formats.get(key) ?? new Intl.DateTimeFormat(language(), options);
  formats.set(key, format);
  return format.format(at);
}

/** @param {number} value @param {number} digits */
function number(value, digits) {
  return value.toLocaleString(language(), { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** @param {number} bytes */
export function bytesText(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${number(value, power && value < 100 ? 1 : 0)} ${units[power]}`;
}

/** @param {number} bps */
export function bitrateText(bps) {
  return bps >= 1e6 ? `${number(bps / 1e6, 1)} Mb/s` : `${number(bps / 1e3, 0)} kb/s`;
}

/** @param {number} fraction */
export function percentText(fraction) {
  return `${number(fraction * 100, 1)} %`;
}

/** @param {number} at UTC milliseconds */
export function timeText(at) {
  return formatted(at, { hour: "2-digit", minute: "2-digit" });
}

/** @param {number} at UTC milliseconds */
export function dayText(at) {
  return formatted(at, { weekday: "long", day: "numeric", month: "long" });
}
