/**
 * The shapes of the wire, as the SDK reads them. Fields the protocol adds later are ignored.
 *
 * @typedef {"connecting" | "online" | "reconnecting" | "closed"} ConnectionState
 *
 * @typedef {object} Session `session:ready`
 * @property {string} user
 * @property {string} device
 * @property {string} app
 * @property {string} cursor
 * @property {number} server_time UTC milliseconds
 * @property {Record<string, number>} [limits]
 * @property {RTCIceServer[]} [ice_servers]
 * @property {any} [missed]
 *
 * @typedef {object} LogEvent one entry of a Conversation's log
 * @property {string} conversation
 * @property {number} seq
 * @property {string} id
 * @property {string} type `message:created`, `member:joined`, ...
 * @property {string} sender
 * @property {number} at UTC milliseconds
 * @property {string} [sender_name]
 * @property {string} [client_id]
 * @property {string} [kind] of a message: `text`, `file`, ...
 * @property {any} [body]
 * @property {number} [reply_to]
 * @property {number} [target] seq of the message that an edit, recall or reaction is about
 * @property {number} [edited_at]
 * @property {boolean} [recalled]
 * @property {any} [reactions]
 * @property {string} [emoji]
 * @property {boolean} [on]
 * @property {string} [user]
 * @property {string} [name]
 * @property {string} [role]
 * @property {string[]} [mentions]
 * @property {boolean} [pinned]
 * @property {import("./calls.js").CallInfo} [call] of a `call:ended`
 * @property {boolean} [local] made of an ack; the log's own form takes its place
 *
 * @typedef {object} Member
 * @property {string} user
 * @property {string} [name]
 * @property {string} [role]
 * @property {number} [delivered]
 * @property {number} [read]
 *
 * @typedef {object} ConversationInfo
 * @property {string} id
 * @property {string} [type]
 * @property {string} [title]
 * @property {string} [alias]
 * @property {string} [role] own
 * @property {Member[]} [members]
 * @property {number} [head]
 * @property {number} [read]
 * @property {number} [delivered]
 * @property {number} [unread]
 * @property {{pins?: number[]}} [settings]
 *
 * @typedef {import("./calls.js").CallInfo} CallInfo
 *
 * @typedef {object} Message a message with everything later events did to it folded in
 * @property {string} key stable across sending and sent: the client_id, or the event's id
 * @property {string} client_id
 * @property {number | null} seq null while it is on its way
 * @property {string} sender
 * @property {number} at UTC milliseconds
 * @property {string} kind
 * @property {any} body null once recalled
 * @property {number | null} reply_to
 * @property {string[]} mentions users
 * @property {boolean} edited
 * @property {boolean} recalled
 * @property {boolean} pinned
 * @property {Map<string, Set<string>>} reactions emoji -> users
 * @property {"sending" | "sent" | "failed"} state
 * @property {string} [error] the code it failed with
 *
 * @typedef {"camera" | "microphone" | "screen" | "screen_audio"} Source
 *
 * @typedef {object} TrackInfo
 * @property {string} track
 * @property {"audio" | "video"} kind
 * @property {Source} source
 * @property {boolean} [muted]
 *
 * @typedef {object} ParticipantInfo
 * @property {string} participant
 * @property {string} user
 * @property {string} [device]
 * @property {string} [name]
 * @property {Record<string, any>} [attributes]
 * @property {TrackInfo[]} [tracks]
 *
 * @typedef {object} OfferedTrack one m-line of a `media:offer`
 * @property {string} mid
 * @property {string} track
 * @property {string} participant
 * @property {"audio" | "video"} kind
 * @property {Source} source
 *
 * @typedef {object} FileBody body of a message of type `file`
 * @property {string} file
 * @property {string} name
 * @property {number} size
 * @property {string} type
 * @property {string} sha256
 */
export {};
