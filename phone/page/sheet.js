// A sheet that slides up over the phone: a list's rows, or what can be attached. While it is open, the rest of the phone can't
// be reached; Escape and a press beside it close it, and the focus goes back to where it was.
import { $, button, element, icon } from "./dom.js";

let before = null;

/** Opens the sheet. sections: [{ title, rows: [{ title, description, icon, press }] }]. */
export function open(title, sections) {
  if ($("sheet").hidden) before = document.activeElement;
  $("sheet-title").textContent = title;
  $("rows").replaceChildren(...sections.flatMap((section) => [
    ...(section.title ? [element("h3", "", section.title)] : []),
    ...section.rows.map((row) => button("row", () => { close(); row.press(); },
      row.icon ? element("span", `badge ${row.icon}`, icon(row.icon)) : null,
      element("span", "what", element("strong", "", row.title), row.description ? element("span", "", row.description) : null),
      row.icon ? null : element("span", "dot"))),
  ]));
  rest((node) => { node.inert = true; });
  $("sheet").hidden = false;
  $("rows").scrollTop = 0;
  $("rows").querySelector("button")?.focus();
}

export function close() {
  if ($("sheet").hidden) return;
  $("sheet").hidden = true;
  rest((node) => { node.inert = false; });
  if (before?.isConnected) before.focus();
}

function rest(change) {
  for (const node of $("phone").children) if (node !== $("sheet")) change(node);
}

$("close-sheet").addEventListener("click", close);
$("sheet").addEventListener("click", (event) => { if (event.target === $("sheet")) close(); });
