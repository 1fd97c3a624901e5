// Sends what real users send, and judges the answers: messages at the same moment, or the same one twice. It knows a bot that
// counts ("step 3: ...") and one that repeats what was written; of others it can only say how many answers came.
import { summary } from "./content.js";

const silence = 1200; // ms without another answer, after which no more is expected
const patience = 20000; // ms for all of them

export class Experiment {
  #user;
  #texts;
  #begin = performance.now();
  #answers = []; // { text, ms }
  #timer;
  #report;

  /** report({ done, good, verdict, answers }) is called with every answer, and at the end. */
  constructor(user, texts, report) {
    this.#user = user;
    this.#texts = texts;
    this.#report = report;
    this.#timer = setTimeout(() => this.#end(), patience);
    report({ done: false, answers: [], verdict: "On their way…" });
  }

  take(event) {
    if (this.#timer === null || event.kind !== "reply" || event.user !== this.#user) return;
    this.#answers.push({ text: summary(event.content), ms: performance.now() - this.#begin });
    this.#report({ done: false, answers: this.#answers, verdict: `${this.#answers.length} of ${this.#texts.length} answered…` });
    if (this.#answers.length < this.#texts.length) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), silence);
  }

  /** Ends it where nothing could be sent. */
  cancel() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#report({ done: true, good: false, answers: [], verdict: "Nothing was sent." });
  }

  #end() {
    this.#timer = null;
    this.#report({ done: true, answers: this.#answers, ...judge(this.#texts, this.#answers.map(({ text }) => text)) });
  }
}

/** Returns { good, verdict }; good is null where it can't be told. */
export function judge(texts, answers) {
  const want = texts.length;
  if (answers.length < want) return { good: false, verdict: `${answers.length} of ${want} answers came within ${patience / 1000} s.` };
  const steps = answers.map((answer) => Number(/\bstep (\d+)/i.exec(answer)?.[1] ?? NaN));
  if (steps.every(Number.isInteger)) {
    const ordered = steps.every((step, i) => i === 0 || step === steps[i - 1] + 1);
    const list = `${steps.length === 1 ? "Step" : "Steps"} ${steps.join(", ")}`;
    if (answers.length > want) return { good: false, verdict: `${list}: ${answers.length} answers to ${want}.` };
    return ordered ? { good: true, verdict: `${list}: in order, none twice, none lost.` } : { good: false, verdict: `${list}: they raced.` };
  }
  const echoes = texts.map((text) => answers.filter((answer) => new RegExp(`\\b${text}\\b`, "i").test(answer)).length);
  if (echoes.every((n) => n === 1) && answers.length === want) return { good: true, verdict: "Every message was answered exactly once." };
  return { good: null, verdict: `${answers.length} answers to ${want} ${want === 1 ? "message" : "messages"}. A bot that answers “step <n>: <text>” shows whether its turns stay in order.` };
}
