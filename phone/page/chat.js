// The log of one user's messages. It draws what came since, never the whole again, so that a screen reader reads only what is new.
import { button, clock, element, icon, snippet } from "./dom.js";
import { draw, summary } from "./content.js";

const maxBubbles = 600;
const patience = { sent: 25000, reply: 3000 }; // how long the dots are shown after a message, and after a reply while more is due

export class Chat {
  #log;
  #actions;
  #bubbles = new Map(); // message id -> { node, content, ticks, sent }
  #open = 0; // messages that have no reply yet
  #day = "";
  #dots = element("div", "typing", element("i"), element("i"), element("i"));
  #quiet;

  /** actions: tap, openList, askLocation as for draw(), with the id of the message; typing(boolean), say(text), bot: its name. */
  constructor(log, actions) {
    this.#log = log;
    this.#actions = actions;
    this.#dots.setAttribute("aria-label", "typing");
    this.#dots.setAttribute("role", "img");
  }

  /** Shows another user's messages. */
  show(events) {
    this.#bubbles.clear();
    this.#open = 0;
    this.#day = "";
    this.#log.setAttribute("aria-live", "off");
    this.#log.replaceChildren(element("p", "note", icon("lock"), "Simulated WhatsApp: nothing goes to Meta."));
    if (events.length === 0) this.#log.append(this.#welcome());
    for (const event of events) this.#take(event);
    this.#settle(events.at(-1)?.atMs);
    this.#log.setAttribute("aria-live", "polite");
    this.#down();
  }

  /** Adds what has happened just now. */
  add(event) {
    const near = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 120;
    this.#take(event);
    if (event.kind === "sent" || event.kind === "reply") this.#settle(event.atMs, event.kind);
    while (this.#log.childElementCount > maxBubbles) {
      this.#bubbles.delete(this.#log.children[1].dataset.id);
      this.#log.children[1].remove();
    }
    if (near || event.kind === "sent") this.#down();
  }

  #take(event) {
    switch (event.kind) {
      case "sent":
        this.#open++;
        this.#bubble(event, "out");
        break;
      case "reply":
        this.#open = Math.max(0, this.#open - 1);
        if (event.content.type === "reaction") this.#react(event.content.reaction ?? {});
        else this.#bubble(event, "in");
        break;
      case "webhook":
        if (event.about === "message") this.#posted(event);
        break;
      case "read":
        this.#read(event.id);
    }
  }

  #welcome() {
    return element("div", "empty", element("strong", "", `Talk to ${this.#actions.bot}`), element("p", "", "What you write reaches your bot as a real, signed webhook."),
      button("", () => this.#actions.say("hi"), "Say hi"));
  }

  #bubble(event, side) {
    this.#log.querySelector(".empty")?.remove();
    this.#newDay(event.atMs);
    const { content } = event;
    const quoted = this.#bubbles.get(content.context?.message_id);
    const ticks = side === "out" ? mark("tick", "sent") : null;
    const meta = element("span", "meta", clock(event.atMs), ticks);
    const node = element("div", `bubble ${side} ${content.type}`,
      quoted ? element("div", "quote", element("strong", "", quoted.sent ? "You" : this.#actions.bot), element("span", "", snippet(summary(quoted.content), 90))) : null,
      ...this.#parts(event), meta);
    node.dataset.id = event.id;
    const options = node.querySelector(".options");
    if (options) node.append(options); // below the time
    this.#bubbles.set(event.id, { node, content, ticks, sent: side === "out" });
    this.#log.insertBefore(node, this.#dots.parentNode === this.#log ? this.#dots : null);
  }

  #parts(event) {
    return draw(event.content, {
      tap: (option) => this.#actions.tap({ ...option, prompt: event.id }),
      openList: (action) => this.#actions.openList(action, event.id),
      askLocation: this.#actions.askLocation,
    });
  }

  #newDay(ms) {
    const day = new Date(ms).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
    if (day === this.#day) return;
    this.#day = day;
    const today = new Date().toDateString() === new Date(ms).toDateString();
    this.#log.append(element("p", "day", today ? "Today" : day));
  }

  #posted({ id, status }) {
    const bubble = this.#bubbles.get(id);
    if (!bubble || bubble.state === "delivered" || bubble.state === "read") return;
    const [name, title] = status === 200 ? ["delivered", "delivered: the bot's server has it on disk"] : ["failed", `${status ? `answered ${status}` : "no answer"}, sent again`];
    this.#tick(bubble, name, title);
  }

  // A message that is read was preceded by others, which are read as well.
  #read(id) {
    if (!this.#bubbles.has(id)) return;
    for (const [key, bubble] of this.#bubbles) {
      if (bubble.sent && (key === id || bubble.state === "delivered")) this.#tick(bubble, "read", "read by the bot");
      if (key === id) return;
    }
  }

  #tick(bubble, state, title) {
    if (bubble.state === "read") return;
    bubble.state = state;
    const next = mark(state === "failed" ? "alert" : "ticks", state, title);
    bubble.ticks.replaceWith(next);
    bubble.ticks = next;
  }

  #react({ message_id: id, emoji }) {
    const node = this.#bubbles.get(id)?.node;
    node?.querySelector(".reaction")?.remove();
    if (node && emoji) node.append(element("span", "reaction", emoji));
  }

  #settle(ms, kind = "sent") {
    clearTimeout(this.#quiet);
    const left = this.#open > 0 ? patience[kind] - (Date.now() - (ms ?? 0)) : 0;
    if (left > 0) {
      this.#log.append(this.#dots);
      this.#quiet = setTimeout(() => { this.#open = 0; this.#settle(); }, left);
    } else {
      this.#dots.remove();
    }
    this.#actions.typing(left > 0);
  }

  #down() { this.#log.scrollTop = this.#log.scrollHeight; }
}

function mark(name, state, title = "sent") {
  const node = element("span", `ticks ${state}`, icon(name));
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", title);
  node.title = title;
  return node;
}
