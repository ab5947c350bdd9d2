/** @typedef {"unsupported" | "off" | "on"} PushState */

/**
 * Web Push of this browser for the signed-in user: what comes while none of the user's devices is
 * connected wakes the page's service worker, which shows it.
 */
export class Push {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this._client = client;
  }

  /**
   * @param {ServiceWorkerRegistration | null} worker
   * @returns {Promise<PushState>}
   */
  async state(worker) {
    if (!worker?.pushManager) return "unsupported";
    return (await worker.pushManager.getSubscription()) ? "on" : "off";
  }

  /**
   * Subscribe, and tell the server. Call it in a click: the browser may ask for permission.
   * @param {ServiceWorkerRegistration} worker
   */
  async turnOn(worker) {
    const { key } = await this._client.request("push:key", {});
    const subscription = await this._subscribe(worker, bytesOf(key));
    const { endpoint, keys } = subscription.toJSON();
    await this._client.request("push:subscribe", { endpoint, keys });
  }

  /** @param {ServiceWorkerRegistration} worker */
  async turnOff(worker) {
    const subscription = await worker.pushManager.getSubscription();
    if (!subscription) return;
    await this._client.request("push:unsubscribe", { endpoint: subscription.endpoint });
    await subscription.unsubscribe();
  }

  /**
   * @param {ServiceWorkerRegistration} worker
   * @param {Uint8Array<ArrayBuffer>} applicationServerKey
   */
  async _subscribe(worker, applicationServerKey) {
    const options = { userVisibleOnly: true, applicationServerKey };
    try {
      return await worker.pushManager.subscribe(options);
    } catch (error) {
      // A subscription for another key, of a server that was here before.
      if (!(error instanceof DOMException && error.name === "InvalidStateError")) throw error;
      await (await worker.pushManager.getSubscription())?.unsubscribe();
      return worker.pushManager.subscribe(options);
    }
  }
}

/** @param {string} text base64url */
function bytesOf(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
