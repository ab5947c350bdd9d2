/**
 * What a request can fail with. `code` is one of the protocol's stable words, `retryable` says
 * whether the same request may succeed later.
 */
export class TokenIMError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{retryable?: boolean, retry_after_ms?: number}} [options]
   */
  constructor(code, message, options = {}) {
    super(message);
    this.name = "TokenIMError";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retry_after_ms = options.retry_after_ms;
  }

  /**
   * The `error` object of an ack as an exception.
   * @param {{code?: string, message?: string, retryable?: boolean, retry_after_ms?: number}} error
   */
  static fromWire(error) {
    return new TokenIMError(error.code ?? "internal", error.message ?? "", error);
  }
}

/** @param {unknown} error */
export function codeOf(error) {
  return error instanceof TokenIMError ? error.code : "internal";
}
