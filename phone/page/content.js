// Draws what is in a message, in the form that the Graph API takes. Both directions use it.
import { button, element, icon } from "./dom.js";
import { anchor, paragraph, plain } from "./text.js";

/**
 * Returns the nodes of a message. actions: tap({id, title, description, list}), openList(action), askLocation().
 */
export function draw(content, actions) {
  const object = content[content.type] ?? {};
  switch (content.type) {
    case "text":
      return [paragraph(object.body, "text")];
    case "interactive":
      return interactive(object, actions);
    case "image": case "video": case "audio": case "document": case "sticker":
      return [file(content.type, object), paragraph(object.caption, "text")];
    case "location":
      return place(object);
    case "template":
      return template(object);
    case "contacts":
      return [card("person", "Contact", (content.contacts ?? []).map((c) => c.name?.formatted_name).filter(Boolean).join(", "))];
    default:
      return [card("document", "Message", `of type ${content.type}, which this phone can't show`)];
  }
}

/** Says in a line what is in a message. */
export function summary(content) {
  const object = content[content.type] ?? {};
  const words = { image: "Photo", video: "Video", audio: object.voice ? "Voice message" : "Audio", document: "Document", sticker: "Sticker", location: "Location", contacts: "Contact" };
  switch (content.type) {
    case "text": return plain(object.body ?? "");
    case "interactive": return plain(object.body?.text ?? "");
    case "template": return `Template ${object.name}`;
    case "reaction": return object.emoji ? `Reacted ${object.emoji}` : "Took a reaction back";
    default: return plain(object.caption ?? "") || object.name || words[content.type] || content.type;
  }
}

function card(iconName, title, detail, className = "") {
  return element("div", `card ${className}`, element("span", "badge", icon(iconName)), element("div", "", element("strong", "", title), detail ? element("span", "", detail) : null));
}

function file(kind, object) {
  switch (kind) {
    case "image": case "sticker":
      return picture(object, kind);
    case "audio":
      if (object.id && !object.voice) return player("audio", object);
      return element("div", "voice", element("span", "badge", icon("mic")), element("span", "wave"), object.voice ? element("span", "small", "0:07") : null);
    case "video":
      if (object.id) return player("video", object);
      return object.link ? anchor(object.link, "open", card("video", "Video", object.link)) : card("video", "Video", object.id);
    default: {
      const title = object.filename || "Document";
      if (object.id) return download(address(object), card("document", title, "open"));
      return object.link ? anchor(object.link, "open", card("document", title, object.link)) : card("document", title, "PDF");
    }
  }
}

// address is where a file is: at a link, or with the phone, which keeps the files of both sides by their ids.
const address = (object) => object.link ?? `/phone/files/${encodeURIComponent(object.id)}`;

// picture shows an image. One that can't be loaded says so.
function picture(object, kind) {
  const image = element("img", kind);
  image.alt = object.caption || (kind === "sticker" ? "Sticker" : "Photo");
  image.referrerPolicy = "no-referrer";
  image.addEventListener("error", () => image.replaceWith(card("photo", image.alt, object.link ? `can't be loaded: ${object.link}` : `media ${object.id}`)));
  image.src = address(object);
  return image;
}

// player plays a file that the phone keeps.
function player(kind, object) {
  const node = element(kind, "player");
  node.controls = true;
  node.src = address(object);
  return node;
}

// download is a link to a file that the phone keeps.
function download(href, child) {
  const node = element("a", "open", child);
  node.href = href;
  node.download = "";
  return node;
}

function place({ latitude, longitude, name, address }) {
  const map = element("div", "map", icon("pin"));
  map.setAttribute("role", "img");
  map.setAttribute("aria-label", "Map");
  return [map, paragraph(name, "head"), paragraph(address, "small"), element("p", "small", `${Number(latitude).toFixed(4)}, ${Number(longitude).toFixed(4)}`)];
}

function template({ name, language, components }) {
  const values = (components ?? []).flatMap((c) => c.parameters ?? []).map((p) => p.text ?? p.payload ?? p.type).filter(Boolean);
  return [card("template", name, `template, ${language?.code ?? "no language"}`), values.length > 0 ? element("p", "small", values.join(" · ")) : null];
}

function interactive(message, actions) {
  const action = message.action ?? {};
  const header = message.header ?? {};
  const options = element("div", "options");
  for (const { reply } of action.buttons ?? []) {
    options.append(button("option", () => actions.tap({ ...reply, list: false }), icon("reply"), reply.title));
  }
  if (action.sections) options.append(button("option", () => actions.openList(action), icon("list"), action.button));
  if (message.type === "cta_url") options.append(anchor(action.parameters?.url ?? "", "option", icon("open"), action.parameters?.display_text ?? ""));
  if (message.type === "location_request_message") options.append(button("option", actions.askLocation, icon("pin"), "Send location"));
  return [
    header.type && header.type !== "text" ? file(header.type, header[header.type] ?? {}) : paragraph(header.text, "head"),
    paragraph(message.body?.text, "text"), paragraph(message.footer?.text, "small"),
    options.childElementCount > 0 ? options : null,
  ];
}
