// What goes between Wactor and a bot over HTTP (docs/bots.md). Made from bot.proto: do not edit.

export interface TurnRequest {
  turnId: string;
  attempt: number;
  channel: string;
  version: string;
  user: User;
  state: Record<string, unknown>;
  messages: InboundMessage[];
  timer: TimerFired | null;
  windowOpenUntil?: string;
  events?: InboundMessage[];
  history: InboundMessage[];
  owner: OwnerChange;
  event: PostedEvent;
}

export interface User {
  id: string;
  waId: string;
  userId: string;
  name: string;
  username: string;
}

export interface InboundMessage {
  id: string;
  type: string;
  text: string;
  choice?: Choice;
  media?: Media;
  location?: Location;
  contextId?: string;
  timestamp?: string;
  received?: string;
  late: boolean;
  raw?: Record<string, unknown>;
  author?: string;
  reply?: Reply;
}

export interface Choice {
  id: string;
  title: string;
  description: string;
}

export interface Media {
  type?: string;
  id?: string;
  link?: string;
  mimeType?: string;
  sha256?: string;
  filename?: string;
  caption?: string;
  voice?: boolean;
  url?: string;
  file?: string;
  data?: string;
}

export interface Location {
  latitude?: number;
  longitude?: number;
  name?: string;
  address?: string;
}

export interface Reply {
  text?: string;
  buttons?: Buttons;
  list?: List;
  cta?: CallToAction;
  media?: Media;
  location?: Location;
  template?: Template;
  reaction?: Reaction;
  locationRequest?: string;
  raw?: Record<string, unknown>;
  previewUrl?: boolean;
  replyTo?: string;
}

export interface Buttons {
  body?: string;
  options?: Option[];
  header?: Header;
  footer?: string;
}

export interface Option {
  id?: string;
  title?: string;
  description?: string;
}

export interface Header {
  text?: string;
  media?: Media;
}

export interface List {
  body?: string;
  button?: string;
  sections?: Section[];
  header?: Header;
  footer?: string;
}

export interface Section {
  title?: string;
  rows?: Option[];
}

export interface CallToAction {
  body?: string;
  title?: string;
  url?: string;
  header?: Header;
  footer?: string;
}

export interface Template {
  name?: string;
  language?: string;
  components?: Record<string, unknown>[];
}

export interface Reaction {
  messageId?: string;
  emoji?: string;
}

export interface TimerFired {
  name?: string;
  due?: string;
}

export interface OwnerChange {
  owner?: string;
  since?: string;
  until?: string;
  by?: string;
  reason?: string;
}

export interface PostedEvent {
  name?: string;
  data?: Record<string, unknown>;
  by?: string;
}

export interface TurnResponse {
  state?: Record<string, unknown>;
  replies?: Reply[];
  timers?: SetTimer[];
  cancelTimers?: string[];
  end?: boolean;
  handoff?: Handoff;
}

export interface SetTimer {
  name?: string;
  after?: string;
}

export interface Handoff {
  note?: string;
  until?: string;
}
