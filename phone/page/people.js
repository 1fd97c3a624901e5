// The users that write to the bot, each with a thread. Names and who is chosen are kept in this browser; messages come from the
// server.
import { $, avatar, button, clock, element, snippet } from "./dom.js";
import { summary } from "./content.js";

const maxEvents = 2000; // of a user; as many as the server keeps
const names = ["Ana", "Ben", "Carla", "Deniz", "Emre", "Fatma", "Goran", "Hana", "Ivo", "Jin", "Kofi", "Lena"];
const first = "4915100000001";

export class People {
  #threads = new Map(); // number -> { name, events, last, unread, named }
  #chosen;
  #names = saved("wactor.phone.names", {});
  current = saved("wactor.phone.current", first);

  constructor(chosen) { this.#chosen = chosen; }

  thread(user = this.current) {
    if (!this.#threads.has(user)) {
      this.#threads.set(user, { name: this.#names[user] ?? (user === first ? names[0] : ""), events: [], last: null, unread: 0 });
    }
    return this.#threads.get(user);
  }

  /** Takes an event of the server; false where it is known already. */
  take(event, past) {
    const t = this.thread(event.user);
    if (t.events.length > 0 && t.events.at(-1).seq >= event.seq) return false;
    t.events.push(event);
    if (t.events.length > maxEvents) t.events.shift();
    if (event.kind === "sent" && !(event.user in this.#names)) t.name = event.name ?? t.name;
    if (event.kind === "sent" || event.kind === "reply") t.last = event;
    if (event.kind === "reply" && event.user !== this.current && !past) t.unread++;
    return true;
  }

  choose(user) {
    this.current = user;
    localStorage.setItem("wactor.phone.current", JSON.stringify(user));
    this.thread().unread = 0;
    this.draw();
    this.#chosen(user);
  }

  /** Makes a user that nobody has been yet. */
  add() {
    let user = BigInt(first);
    while (this.#threads.has(String(user))) user++;
    this.#rename(String(user), names[Number(user - BigInt(first)) % names.length]);
    this.choose(String(user));
  }

  /** Takes what the form says: another number is another user, another name the same one. */
  edit(number, name) {
    const user = number.replace(/\D/g, "");
    if (!/^[0-9]{5,20}$/.test(user)) return;
    this.#rename(user, name.trim());
    this.choose(user);
  }

  #rename(user, name) {
    this.#names[user] = name;
    localStorage.setItem("wactor.phone.names", JSON.stringify(this.#names));
    this.thread(user).name = name;
  }

  draw() {
    this.thread();
    const order = [...this.#threads].sort(([, a], [, b]) => (b.last?.seq ?? Infinity) - (a.last?.seq ?? Infinity));
    const focused = document.activeElement?.dataset?.user;
    $("threads").replaceChildren(...order.map(([user, t]) => element("li", "", this.#row(user, t))));
    if (focused) $("threads").querySelector(`[data-user="${focused}"]`)?.focus();
    $("person").elements.number.value = this.current;
    $("person").elements.name.value = this.thread().name;
  }

  #row(user, t) {
    const row = button("thread", () => this.choose(user), avatar(user, t.name),
      element("span", "who", element("strong", "", t.name || `+${user}`), element("span", "", t.last ? snippet(summary(t.last.content), 34) : `+${user}`)),
      element("span", "aside", element("span", "", t.last ? clock(t.last.atMs) : ""), t.unread > 0 ? element("b", "unread", String(t.unread)) : null));
    row.dataset.user = user;
    if (user === this.current) row.setAttribute("aria-current", "true");
    if (t.unread > 0) row.setAttribute("aria-label", `${t.name || user}, ${t.unread} unread`);
    return row;
  }
}

function saved(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
