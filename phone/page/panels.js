// On a narrow screen the phone fills it, and the panels beside it are drawn over it with the buttons in its header.
import { $ } from "./dom.js";

const narrow = matchMedia("(max-width: 1099px)");
const panels = ["people", "lab"];
let opener = null;

function set(name) {
  document.body.dataset.panel = name;
  for (const panel of panels) $(panel).inert = narrow.matches && panel !== name;
  $("phone").inert = narrow.matches && name !== "";
}

function open(name, by) {
  opener = by;
  set(name);
  $(name).querySelector(".close")?.focus();
}

export function close() {
  if (!document.body.dataset.panel) return;
  set("");
  opener?.focus();
}

for (const panel of panels) {
  const by = $(`open-${panel}`);
  by.addEventListener("click", () => open(panel, by));
  $(panel).querySelector(".close").addEventListener("click", close);
}
$("shade").addEventListener("click", close);
narrow.addEventListener("change", () => set(""));
set("");
