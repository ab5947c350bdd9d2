// What wakes this page up: messages and calls for someone whose devices are all away.
const ICON = "favicon.svg";
const CHINESE = self.navigator.language.toLowerCase().startsWith("zh");

self.addEventListener("push", (event) => event.waitUntil(notify(event.data?.json() ?? {})));
self.addEventListener("notificationclick", (event) => event.waitUntil(open(event.notification)));

/** One notification for each conversation: the latest replaces the one before. */
function notify({ title = "TokenIM", body, type, conversation, call, sender_name: name }) {
  const calling = type === "call";
  const line = name && name !== title ? `${name}: ${body}` : body;
  return self.registration.showNotification(title, {
    body: calling ? callText(name) : line,
    icon: ICON,
    tag: call ?? conversation,
    renotify: Boolean(call ?? conversation),
    requireInteraction: calling,
    data: { room: name === title ? "" : title },
  });
}

function callText(name) {
  return CHINESE ? `${name} 来电` : `${name} is calling`;
}

/** The page that is open, or a new one. */
async function open(notification) {
  notification.close();
  const [page] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (page) return page.focus();
  const room = notification.data?.room;
  return self.clients.openWindow(room ? `./#${new URLSearchParams({ room })}` : "./");
}
