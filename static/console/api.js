const KEPT = "tokenim.console";

/** What a server refused, in its own words. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * A page of a list.
 * @template T
 * @typedef {{rows: T[], next: string | null}} Page
 */

/** REST as one API key. The secret is kept in this tab's session storage, nowhere else. */
export class Api {
  /**
   * @param {string} key
   * @param {string} secret
   */
  constructor(key, secret) {
    this.key = key;
    this._secret = secret;
  }

  /** Whoever signed in before in this tab. */
  static kept() {
    try {
      const found = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
      return found ? new Api(found.key, found.secret) : null;
    } catch {
      return null;
    }
  }

  keep() {
    sessionStorage.setItem(KEPT, JSON.stringify({ key: this.key, secret: this._secret }));
  }

  forget() {
    sessionStorage.removeItem(KEPT);
  }

  /**
   * @param {string} method
   * @param {string} path below /v1
   * @param {object} [body]
   * @returns {Promise<any>}
   */
  async ask(method, path, body) {
    const bytes = new TextEncoder().encode(`${this.key}:${this._secret}`);
    /** @type {Record<string, string>} */
    const headers = { Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
    if (body) headers["Content-Type"] = "application/json";
    if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    const response = await fetch(`../v1${path}`, { method, headers, credentials: "omit", body: body && JSON.stringify(body) });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new ApiError(response.status, answer.code ?? "internal", answer.message ?? response.statusText);
    return answer;
  }

  /** @param {string} path */
  get(path) {
    return this.ask("GET", path);
  }

  /**
   * @param {string} path
   * @param {object} [body]
   */
  post(path, body = {}) {
    return this.ask("POST", path, body);
  }

  /**
   * One page of a list.
   * @param {string} path
   * @param {string} listed the field with the rows
   * @param {Record<string, string | null | undefined>} [query]
   * @returns {Promise<Page<any>>}
   */
  async page(path, listed, query = {}) {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value) params.set(name, value);
    const found = await this.get(`${path}${params.size ? `?${params}` : ""}`);
    return { rows: found[listed], next: found.next ?? null };
  }
}
