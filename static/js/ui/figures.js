import { language } from "../i18n/index.js";

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
  return new Date(at).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit" });
}

/** @param {number} at UTC milliseconds */
export function dayText(at) {
  return new Date(at).toLocaleDateString(language(), { weekday: "long", day: "numeric", month: "long" });
}
