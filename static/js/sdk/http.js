import { TokenIMError } from "./errors.js";

/**
 * A failed HTTP response as a TokenIMError; `null` is a response that never came.
 * @param {Response | null} response
 * @returns {Promise<TokenIMError>}
 */
export async function httpError(response) {
  if (!response) return new TokenIMError("unavailable", "no response", { retryable: true });
  const body = await response.json().catch(() => ({}));
  if (body.error) return TokenIMError.fromWire(body.error);
  const retryable = response.status >= 500 || response.status === 429;
  return new TokenIMError("internal", `HTTP ${response.status}`, { retryable });
}
