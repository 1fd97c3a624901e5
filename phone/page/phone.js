// The phone's page. The server's events are the only truth: what a person sends shows up when the server says so.
import { $, avatar } from "./dom.js";
import { Chat } from "./chat.js";
import { Experiment } from "./experiment.js";
import { addLine, showResult, showTimeline } from "./lab.js";
import { People } from "./people.js";
import * as panels from "./panels.js";
import * as sheet from "./sheet.js";

const bot = document.body.dataset.bot;
const places = [
  { name: "Brandenburg Gate", address: "Pariser Platz, Berlin", latitude: 52.51628, longitude: 13.37771 },
  { name: "Hagia Sophia", address: "Sultanahmet, Istanbul", latitude: 41.00853, longitude: 28.97993 },
  { name: "Praça do Comércio", address: "Lisbon", latitude: 38.70751, longitude: -9.13636 },
];

let past = true; // events that are told again, not new
let online = false;
let experiment = null;

const people = new People(() => {
  sheet.close();
  showCurrent();
});
const chat = new Chat($("chat"), {
  bot,
  tap: (tap) => send({ tap }),
  openList: (action, prompt) => sheet.open(action.button, action.sections.map((section) => ({
    title: section.title,
    rows: section.rows.map(({ id, title, description }) => ({ title, description, press: () => send({ tap: { id, title, description, list: true, prompt } }) })),
  }))),
  askLocation: openPlaces,
  say: (text) => { send({ texts: [text] }); $("text").focus(); },
  typing: (is) => presence(is),
});

function showCurrent() {
  const { events } = people.thread();
  chat.show(events);
  showTimeline(events);
}

function presence(typing) {
  $("presence").textContent = !online ? "waiting for the bot’s server…" : typing ? "typing…" : "online";
}

// --- the way out

async function send(request) {
  const user = people.current;
  const name = people.thread().name;
  try {
    const response = await fetch("/phone/send", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user, name, ...request }),
    });
    complain(response.ok ? "" : await response.text());
    return response.ok;
  } catch {
    complain("Not sent: the server can’t be reached. Is wactor dev running?");
    return false;
  }
}

function complain(text) {
  $("problem").textContent = text;
  $("problem").hidden = text === "";
}

// --- the way in

function listen() {
  const source = new EventSource("/phone/events");
  source.onopen = () => { online = true; past = true; presence(false); complain(""); };
  source.onerror = () => {
    online = false;
    presence(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
  source.addEventListener("ready", () => {
    past = false;
    people.draw();
    showCurrent();
  });
  source.onmessage = ({ data }) => take(JSON.parse(data));
}

function take(event) {
  if (!people.take(event, past) || past) return;
  if (event.kind === "sent" || event.kind === "reply") people.draw();
  if (event.user === people.current) {
    chat.add(event);
    addLine(event);
  }
  experiment?.take(event);
}

// --- experiments

async function experimentWith(texts, request) {
  for (const id of ["five", "twice"]) $(id).disabled = true;
  experiment = new Experiment(people.current, texts, (result) => {
    showResult(result);
    if (result.done) for (const id of ["five", "twice"]) $(id).disabled = false;
  });
  if (!await send(request)) experiment.cancel();
}

const five = ["one", "two", "three", "four", "five"];
$("five").addEventListener("click", () => experimentWith(five, { texts: five }));
$("twice").addEventListener("click", () => experimentWith(["twice"], { texts: ["twice"], twice: true }));
$("receipts").addEventListener("change", () => $("timeline").classList.toggle("with-receipts", $("receipts").checked));

// --- writing

function write() {
  const text = $("text").value.trim();
  if (text === "") return;
  $("text").value = "";
  send({ texts: [text] });
}

$("write").addEventListener("submit", (event) => { event.preventDefault(); write(); });

// Enter sends, Shift+Enter begins a line. Keyboards on glass tell no key, only that a line is to begin.
let shift = false;
$("text").addEventListener("keydown", (event) => {
  shift = event.shiftKey;
  if (event.key !== "Enter" || shift || event.isComposing) return;
  event.preventDefault();
  write();
});
$("text").addEventListener("beforeinput", (event) => {
  if (event.inputType !== "insertLineBreak" && event.inputType !== "insertParagraph" || shift) return;
  event.preventDefault();
  write();
});

function openPlaces() {
  sheet.open("Send a location", [{ rows: places.map((place) => ({ title: place.name, description: place.address, icon: "pin", press: () => send({ location: place }) })) }]);
}

// chooseFile sends a file of this computer: as what its type says, or as a document.
function chooseFile() {
  const input = document.createElement("input");
  input.type = "file";
  input.addEventListener("change", () => {
    const file = input.files[0];
    if (!file) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      const kind = file.type.split("/")[0];
      const type = ["image", "audio", "video"].includes(kind) ? kind : "document";
      const caption = type === "audio" ? "" : $("text").value.trim();
      if (caption) $("text").value = "";
      send({ media: { type, caption, data: reader.result.split(",")[1], mime_type: file.type, filename: file.name } });
    });
    reader.readAsDataURL(file);
  });
  input.click();
}

$("attach").addEventListener("click", () => {
  const attach = (type) => () => {
    const caption = type === "audio" ? "" : $("text").value.trim();
    if (caption) $("text").value = "";
    send({ media: { type, caption } });
  };
  sheet.open("Attach", [{ rows: [
    { title: "Photo", description: "What you have written becomes its caption", icon: "photo", press: attach("image") },
    { title: "File", description: "Of this computer, up to 16 MB", icon: "document", press: chooseFile },
    { title: "Document", description: "A PDF of one empty page", icon: "document", press: attach("document") },
    { title: "Voice message", description: "Seven seconds of silence", icon: "mic", press: attach("audio") },
    { title: "Location", description: "One of three places", icon: "pin", press: openPlaces },
  ] }]);
});

// --- people

$("new-user").addEventListener("click", () => { people.add(); panels.close(); $("text").focus(); });
$("person").addEventListener("submit", (event) => {
  event.preventDefault();
  people.edit($("person").elements.number.value, $("person").elements.name.value);
});
$("person").addEventListener("change", () => $("person").requestSubmit());
$("threads").addEventListener("click", () => { panels.close(); $("text").focus(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if ($("sheet").hidden) panels.close();
  else sheet.close();
});

$("bot-avatar").replaceWith(avatar("7", bot));
people.choose(people.current);
listen();
