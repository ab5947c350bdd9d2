import { LANGUAGES, mark, preferredLanguage, setLanguage } from "./i18n/index.js";
import { Devices } from "./ui/devices.js";
import { h } from "./ui/dom.js";
import { Identity } from "./ui/identity.js";
import { JoinView } from "./ui/join.js";
import { readLink } from "./ui/link.js";
import { pref, setPref } from "./ui/prefs.js";
import "./ui/theme.js";
import { Visit } from "./ui/visit.js";

/** @typedef {import("./i18n/index.js").Language} Language */

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
const identity = new Identity();

function chooseLanguage() {
  const wanted = /** @type {Language} */ (readLink().language || pref("language"));
  setLanguage(LANGUAGES.includes(wanted) ? wanted : preferredLanguage());
}

/**
 * @param {{name: string, room: string, devices: Devices}} choice
 * @returns {Promise<void>} rejects when joining failed
 */
async function enter({ name, room, devices }) {
  const visit = new Visit({
    name,
    room,
    devices,
    identity,
    link: readLink(),
    show: (view) => app.replaceChildren(view),
    onLeft: () => {
      devices.close();
      document.title = "TokenIM";
      void lobby(room);
    },
  });
  await visit.start();
  // Say goodbye: without it the others look at a frozen picture until the server is sure.
  addEventListener("pagehide", () => visit.leave(), { once: true });
}

/**
 * The page before a call.
 * @param {string} room
 * @param {unknown} [failure] why joining at once did not work
 */
async function lobby(room, failure) {
  const link = readLink();
  const devices = new Devices({ low: link.low });
  const view = new JoinView(devices, {
    room,
    onJoin: async ({ name, room: chosen, media }) => {
      if (!media) devices.release();
      await enter({ name, room: chosen, devices });
      view.close();
    },
  });
  app.replaceChildren(view.element);
  view.focus();
  if (failure) view.fail(failure);
  await devices.start({ camera: link.camera, microphone: link.microphone });
  view.asked();
}

/**
 * A link with a name joins at once, with whatever devices there are.
 * @param {import("./ui/link.js").PageLink} link
 */
async function joinAtOnce(link) {
  app.replaceChildren(h("div", { class: "waiting", role: "status" }, h("span", { class: "spinner" }), mark(h("p"), "text", "join.joining")));
  setPref("name", link.name);
  const devices = new Devices({ low: link.low });
  const asked = devices.start({ camera: link.camera, microphone: link.microphone });
  try {
    await enter({ name: link.name, room: link.room, devices });
    await asked;
  } catch (error) {
    devices.close();
    await lobby(link.room, error);
  }
}

async function start() {
  chooseLanguage();
  await identity.claim();
  const link = readLink();
  if (link.room && link.name) await joinAtOnce(link);
  else await lobby(link.room);
}

addEventListener("hashchange", () => location.reload()); // Another link was put into the address.
void start();
