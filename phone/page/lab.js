// The side panel: what came of an experiment, and the timeline of the current user.
import { $, element, icon, snippet } from "./dom.js";
import { summary } from "./content.js";

const maxLines = 150;

/** Shows how an experiment stands. */
export function showResult({ done, good, verdict, answers }) {
  const state = !done ? "busy" : good === null ? "" : good ? "good" : "bad";
  $("result").hidden = false;
  $("verdict").className = state;
  $("verdict").replaceChildren(...(done && good !== null ? [icon(good ? "check" : "alert"), verdict] : [verdict]));
  $("answers").replaceChildren(...answers.map(({ text, ms }) => element("li", "", element("span", "", snippet(text, 40)), element("span", "ms", `+${Math.round(ms)} ms`))));
}

/** Shows another user's timeline. */
export function showTimeline(events) {
  $("timeline").replaceChildren();
  texts.clear();
  for (const event of events) addLine(event);
}

const texts = new Map(); // message id -> { text, atMs }

/** Adds a line for a webhook or a reply. */
export function addLine(event) {
  const line = lineOf(event);
  if (!line) return;
  $("timeline").prepend(line);
  while ($("timeline").childElementCount > maxLines) $("timeline").lastElementChild.remove();
}

function lineOf(event) {
  switch (event.kind) {
    case "sent":
      texts.set(event.id, snippet(summary(event.content), 40));
      return null;
    case "reply":
      return element("li", "reply", icon("left"), element("span", "what", snippet(summary(event.content), 40)), element("span", "status", "reply"), element("span", "ms", ""));
    case "webhook": {
      const status = event.about !== "message";
      const what = status ? `status: ${event.about}` : `${texts.get(event.id) ?? "message"}${event.try > 1 ? ` (try ${event.try})` : ""}`;
      const ok = event.status === 200;
      return element("li", `${status ? "receipt" : "webhook"}${ok ? "" : " bad"}`, icon("right"), element("span", "what", what),
        element("span", "status", event.status ? String(event.status) : "none"), element("span", "ms", `${event.millis < 10 ? (event.millis ?? 0).toFixed(1) : Math.round(event.millis)} ms`));
    }
    default:
      return null;
  }
}
