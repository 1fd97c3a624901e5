// A bot that thinks for three seconds, as an LLM does, in plain Node.js (18 or later): node bot.mjs
//
// It answers once for all messages of a turn: "step <n>: <text> | <text>", n counting its turns, so that wactor simulate can check
// it. When Wactor interrupts a turn because the user went on writing, it closes the request; the bot notices and stops thinking,
// so that no token is paid for an answer that nobody will read.
//
// PORT is where it listens (3000), THINK_MS for how long it thinks (3000).
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const thinkMs = Number(process.env.THINK_MS ?? 3000);

async function answer({ messages, state }, signal) {
  await sleep(thinkMs, undefined, { signal }); // here the model would be asked, with the same signal
  const turns = (state.turns ?? 0) + 1;
  const texts = messages.map((m) => m.text).join(" | ");
  return { state: { turns }, replies: [{ text: `step ${turns}: ${texts}` }] };
}

const server = createServer(async (request, response) => {
  const closed = new AbortController();
  response.on("close", () => closed.abort());
  try {
    let body = "";
    for await (const part of request) body += part;
    const result = await answer(JSON.parse(body), closed.signal);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(result));
  } catch (error) {
    if (error.name === "AbortError") return console.log("interrupted: the user went on writing");
    response.statusCode = 500;
    response.end();
  }
});
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});
