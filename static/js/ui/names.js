/**
 * What to call a user: by the live room first, then the member list, then what was seen before.
 */
export class Names {
  /** @param {import("../sdk/index.js").Conversation} conversation */
  constructor(conversation) {
    this._conversation = conversation;
    /** @type {import("../sdk/index.js").Room | null} */
    this.room = null;
    /** @type {Map<string, string>} */
    this._seen = new Map();
  }

  /** @param {string} user */
  of(user) {
    for (const one of this.room?.participants.values() ?? []) {
      if (one.user === user && one.name) return this._keep(user, one.name);
    }
    const member = this._conversation.members.get(user);
    if (member?.name) return this._keep(user, member.name);
    return this._seen.get(user) ?? this._conversation.log.names.get(user) ?? user.slice(0, 12);
  }

  /**
   * @param {string} user
   * @param {string} name
   */
  _keep(user, name) {
    this._seen.set(user, name);
    return name;
  }
}
