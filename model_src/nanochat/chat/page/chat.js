// The conversation lives in this page alone; each question sends it whole. What is on the page is text, never HTML.
const $ = (id) => document.getElementById(id);
const ENDS = {
  max_tokens: (n) => `cut off after ${n} tokens: "Tokens at most" allows more`,
  context: (n) => `cut off after ${n} tokens: the model can't see more at once`,
  stopped: (n) => `stopped after ${n} tokens`,
};
let messages = [];
let running = null; // an AbortController, while an answer comes

function make(parent, name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

function show(role, text = "") {
  const article = make($("log"), "article", `message ${role}`);
  make(article, "h2", "", role === "user" ? "You" : "Model");
  const said = make(article, "div", "said");
  if (text) said.textContent = text;
  return { article, said };
}

function fail(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
  if (text) $("error").scrollIntoView({ block: "nearest" });
}

function busy(controller) {
  running = controller;
  if (!controller && document.activeElement === $("stop")) $("text").focus();
  $("send").disabled = controller !== null;
  $("stop").disabled = controller === null;
  $("log").ariaBusy = String(controller !== null); // a screen reader reads the answer when it is whole
}

// Keep the end in sight, but not against the will of one who has scrolled up.
function following(change) {
  const page = document.documentElement;
  const follows = page.scrollHeight - page.scrollTop - page.clientHeight < 80;
  change();
  if (follows) page.scrollTop = page.scrollHeight;
}

// The answer's parts, as the model is to read them again, and their elements.
class Answer {
  parts = [];
  constructor(said) {
    this.said = said;
  }
  add({ token, type }) {
    const last = this.parts.at(-1);
    if (last?.type !== type || (type !== "text" && !token)) {
      this.parts.push({ type, text: "" });
      if (type === "python_output") this.said.append(" = ");
      this.node = make(this.said, type === "text" ? "span" : "code", type === "text" ? "" : "tool");
      if (type === "python") this.node.title = "asked of the calculator";
      if (type === "python_output") this.node.title = "what the calculator says";
    }
    this.parts.at(-1).text += token;
    this.node.append(token);
  }
}

// The events of a response, one by one. A chunk may end anywhere, also within a character.
async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) if (block.startsWith("data: ")) yield JSON.parse(block.slice(6));
  }
}

async function request(signal) {
  const settings = Object.fromEntries(["temperature", "top_k", "max_tokens"].map((id) => [id, $(id).valueAsNumber]));
  const response = await fetch("/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages, ...settings }),
    signal,
  });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Error(error ?? `the server says ${response.status}`);
}

async function receive(answer, article, controller) {
  for await (const event of eventsOf(await request(controller.signal))) {
    if (event.error) throw new Error(event.error);
    if (event.done) {
      if (event.reason in ENDS) make(article, "p", "note", `(${ENDS[event.reason](event.tokens)})`);
      return;
    }
    following(() => answer.add(event));
  }
  throw new Error("the server ended before the answer did");
}

async function ask(text) {
  const controller = new AbortController();
  fail("");
  busy(controller);
  messages.push({ role: "user", content: text });
  const mine = messages; // "New conversation" makes another list
  const question = show("user", text).article;
  const { article, said } = show("assistant");
  const answer = new Answer(said);
  following(() => said.scrollIntoView({ block: "nearest" }));
  let problem = "";
  try {
    await receive(answer, article, controller);
  } catch (error) {
    if (controller.signal.aborted) make(article, "p", "note", "(stopped)");
    else problem = error.message === "Failed to fetch" ? "the server can't be reached" : error.message;
  }
  if (mine === messages) settle(text, answer, problem, question, article);
  if (running === controller) busy(null);
}

// Keep what came. Where nothing did, the question goes back to where it was typed: nothing is lost.
function settle(text, answer, problem, question, article) {
  if (answer.parts.length || !problem) {
    messages.push({ role: "assistant", content: answer.parts });
  } else {
    messages.pop();
    question.remove();
    article.remove();
    if (!$("text").value) $("text").value = text;
  }
  if (problem) fail(`${answer.parts.length ? "The answer broke off" : "No answer"}: ${problem}`);
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text || running) return;
  $("text").value = "";
  $("text").focus();
  ask(text);
});
$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("form").requestSubmit();
});
$("stop").addEventListener("click", () => running?.abort());
$("clear").addEventListener("click", () => {
  running?.abort();
  busy(null);
  messages = [];
  $("log").replaceChildren();
  fail("");
  $("text").focus();
});
