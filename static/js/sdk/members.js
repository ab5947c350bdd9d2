/** @typedef {import("./types.js").Member} Member */
/** @typedef {import("./types.js").LogEvent} LogEvent */
/** @typedef {import("./types.js").Message} Message */

/** The members of a Conversation as far as this device knows them, and how far each has read. */
export class Members {
  /** @param {Member[]} members */
  constructor(members) {
    /** @type {Map<string, Member>} by user */
    this.all = new Map();
    for (const member of members) this.all.set(member.user, member);
  }

  /**
   * What is known of a member now; receipts never move back.
   * @param {Member} member
   */
  merge(member) {
    const known = this.all.get(member.user);
    const read = Math.max(known?.read ?? 0, member.read ?? 0);
    const delivered = Math.max(known?.delivered ?? 0, member.delivered ?? 0, read);
    const merged = { ...known, ...member, read, delivered };
    this.all.set(member.user, merged);
    return merged;
  }

  /**
   * An event about membership, new or replayed.
   * @param {LogEvent} event
   * @returns {boolean} whether the server may know their name better
   */
  take(event) {
    const user = event.user ?? event.sender;
    if (event.type === "member:left") this.all.delete(user);
    if (event.type === "member:updated" && event.role && this.all.has(user)) this.merge({ user, role: event.role });
    if (event.type !== "member:joined") return false;
    const known = this.all.get(user);
    const told = { name: known?.name ?? event.name, role: event.role ?? known?.role };
    this.merge({ user, ...told, delivered: event.seq, read: event.seq }); // What was before is not new to them.
    return !told.name || (event.name !== undefined && event.name !== told.name);
  }

  /**
   * How many of the others have a message, and have read it.
   * @param {Message} message
   * @returns {{read: number, delivered: number, others: number}}
   */
  reach(message) {
    const others = [...this.all.values()].filter((member) => member.user !== message.sender);
    const seq = message.seq ?? Infinity;
    const read = others.filter((member) => (member.read ?? 0) >= seq).length;
    const delivered = others.filter((member) => (member.delivered ?? 0) >= seq).length;
    return { read, delivered: Math.max(read, delivered), others: others.length };
  }
}
