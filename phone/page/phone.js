// The phone's page: threads, the chat of one user, and the experiments beside it. The server's events are the only truth: what
// a person sends shows up when the server says so.
import { body, element } from "./bubbles.js";

const $ = (id) => document.getElementById(id);
const threads = new Map(); // number -> { name, events: [], unread }
let current = localStorage.getItem("user") ?? "4915100000001";
let experiment = null; // { from, want }: the replies of five messages are awaited

function thread(user) {
  if (!threads.has(user)) threads.set(user, { name: localStorage.getItem(`name.${user}`) ?? "Ana", events: [], unread: 0 });
  return threads.get(user);
}

async function send(request) {
  const response = await fetch("/phone/send", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: current, name: thread(current).name, ...request }),
  });
  if (!response.ok) $("verdict").textContent = await response.text();
}

// --- events

function listen() {
  const source = new EventSource("/phone/events");
  source.onopen = () => { $("presence").textContent = "online"; };
  source.onerror = () => { $("presence").textContent = "the bot is not running; waiting for it"; };
  source.addEventListener("ready", () => { drawThreads(); drawChat(); });
  source.onmessage = ({ data }) => take(JSON.parse(data));
}

function take(event) {
  const t = thread(event.user);
  if (t.events.some((e) => e.seq === event.seq)) return;
  t.events.push(event);
  if (event.kind === "webhook") drawWebhook(event);
  if (event.user !== current && event.kind === "reply") t.unread++;
  drawThreads();
  if (event.user === current) drawChat();
  judge(event);
}

// --- threads

function drawThreads() {
  thread(current);
  $("threads").replaceChildren(...[...threads].map(([user, t]) => {
    const button = element("button", user === current ? "thread current" : "thread", element("strong", "", t.name || user), element("span", "", `+${user}`));
    if (t.unread > 0) button.append(element("b", "unread", String(t.unread)));
    button.type = "button";
    button.addEventListener("click", () => choose(user));
    return element("li", "", button);
  }));
}

function choose(user) {
  current = user;
  localStorage.setItem("user", user);
  thread(user).unread = 0;
  $("number").value = user;
  $("name").value = thread(user).name;
  closeSheet();
  drawThreads();
  drawChat();
  $("text").focus();
}

// --- chat

function drawChat() {
  const events = thread(current).events;
  const sent = new Map();
  const nodes = [];
  for (const event of events) {
    switch (event.kind) {
      case "sent": {
        const ticks = element("span", "ticks", "🕓");
        sent.set(event.id, ticks);
        nodes.push(bubble("out", event, [element("p", "", event.text)], ticks));
        break;
      }
      case "webhook": {
        const ticks = sent.get(event.id);
        if (ticks && event.status === 200) { ticks.textContent = "✓✓"; ticks.title = "accepted: it is on disk"; }
        else if (ticks && ticks.textContent !== "✓✓") { ticks.textContent = "⚠"; ticks.title = `answered ${event.status || "nothing"}`; }
        break;
      }
      case "reply":
        nodes.push(bubble("in", event, body(event.content, (o) => send({ tap: { ...o, prompt: event.id } }), (action) => openSheet(action, event.id))));
    }
  }
  const last = events.filter((e) => e.kind !== "webhook").at(-1);
  if (last?.kind === "sent" && Date.now() - last.atMs < 30000) nodes.push(element("div", "typing", element("i"), element("i"), element("i")));
  if (nodes.length === 0) nodes.push(element("p", "empty", "Write to your bot. It gets a real, signed webhook."));
  $("chat").replaceChildren(...nodes);
  $("chat").scrollTop = $("chat").scrollHeight;
}

function bubble(side, event, parts, ticks) {
  const time = new Date(event.atMs).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const node = element("div", `bubble ${side}`, ...parts, element("span", "time", time, ...(ticks ? [" ", ticks] : [])));
  node.dataset.kind = event.kind;
  return node;
}

// --- lists

function openSheet(action, prompt) {
  $("sheet-title").textContent = action.button;
  $("rows").replaceChildren(...action.sections.flatMap((section) => [
    ...(section.title ? [element("h3", "", section.title)] : []),
    ...section.rows.map((row) => {
      const button = element("button", "row", element("strong", "", row.title), ...(row.description ? [element("span", "", row.description)] : []));
      button.type = "button";
      button.addEventListener("click", () => { closeSheet(); send({ tap: { id: row.id, title: row.title, list: true, prompt } }); });
      return button;
    }),
  ]));
  $("sheet").hidden = false;
  $("rows").querySelector("button")?.focus();
}

function closeSheet() { $("sheet").hidden = true; }

// --- experiments

function drawWebhook(event) {
  const ok = event.status === 200;
  const line = element("li", ok ? "" : "bad", element("span", "", event.status ? String(event.status) : "no answer"), element("span", "", `${event.millis.toFixed(1)} ms`), element("span", "", `+${event.user}`));
  $("webhooks").prepend(line);
  while ($("webhooks").childElementCount > 50) $("webhooks").lastElementChild.remove();
}

function judge(event) {
  if (!experiment || event.user !== experiment.user || event.kind !== "reply") return;
  experiment.steps.push(Number(/step (\d+)/.exec(event.content.text?.body ?? "")?.[1] ?? NaN));
  if (experiment.steps.length < experiment.want) return;
  const steps = experiment.steps;
  const inOrder = steps.every((n, i) => i === 0 || n === steps[i - 1] + 1);
  if (steps.some(Number.isNaN)) $("verdict").textContent = `${steps.length} replies, one turn after the other.`;
  else $("verdict").textContent = inOrder ? `✓ Steps ${steps.join(", ")}: in order, none twice.` : `✗ Steps ${steps.join(", ")}: raced.`;
  $("verdict").className = inOrder || steps.some(Number.isNaN) ? "good" : "bad";
  experiment = null;
}

function begin(want, text) {
  experiment = { user: current, want, steps: [] };
  $("verdict").className = "";
  $("verdict").textContent = text;
}

// --- controls

$("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text === "") return;
  $("text").value = "";
  send({ texts: [text] });
});
$("five").addEventListener("click", () => {
  begin(5, "Five webhooks are on their way…");
  send({ texts: ["one", "two", "three", "four", "five"] });
});
$("twice").addEventListener("click", () => {
  begin(1, "The same webhook is on its way twice…");
  send({ texts: ["twice"], twice: true });
});
$("new-user").addEventListener("click", () => {
  const names = ["Bo", "Carla", "Deniz", "Emre", "Fatma", "Goran", "Hana", "Ivo", "Jin", "Kofi"];
  let user = 4915100000001n;
  while (threads.has(String(user))) user++;
  localStorage.setItem(`name.${user}`, names[threads.size % names.length]);
  choose(String(user));
});
$("person").addEventListener("change", () => {
  const user = $("number").value.replace(/\D/g, "");
  if (user !== current && /^[0-9]{5,20}$/.test(user)) { choose(user); return; }
  thread(current).name = $("name").value;
  localStorage.setItem(`name.${current}`, $("name").value);
  drawThreads();
});
$("person").addEventListener("submit", (event) => event.preventDefault());
$("close-sheet").addEventListener("click", closeSheet);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeSheet(); });

choose(current);
listen();
