// The server of this page, and no other.

const door = document.getElementById("door");
let token = sessionStorage.getItem("token") ?? "";

// An answer that the server refused to give, or a connection that broke: `kind` is a word of the page, or null.
export class Trouble extends Error {
  constructor(message, kind = null) {
    super(message);
    this.kind = kind;
  }
}

async function enter() {
  door.returnValue = "";
  door.showModal();
  await new Promise((done) => door.addEventListener("close", done, { once: true }));
  token = document.getElementById("token").value;
  sessionStorage.setItem("token", token);
}

async function ask(path, request = {}) {
  for (;;) {
    const headers = { ...request.headers, ...(token && { Authorization: `Bearer ${token}` }) };
    let answer;
    try {
      answer = await fetch(path, { ...request, headers });
    } catch (problem) {
      throw problem.name === "AbortError" ? problem : new Trouble(problem.message, "lost");
    }
    if (answer.status === 401) await enter();
    else if (answer.ok) return answer;
    else if (answer.status === 429) throw new Trouble("", "busy");
    else throw new Trouble((await answer.json()).error.message);
  }
}

export const read = async (path) => (await ask(path)).json();

// Run one input of a task; yield what the server tells of it, event by event.
export async function* run(task, body, signal) {
  const headers = { "Content-Type": "application/json" };
  const answer = await ask(`/v1/tasks/${task}`, {
    method: "POST", headers, signal, body: JSON.stringify({ ...body, stream: true }),
  });
  let ended = false;
  for await (const data of events(answer.body)) {
    if (data === "[DONE]") ended = true;
    else yield JSON.parse(data);
  }
  if (!ended) throw new Trouble("", "lost");
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (held + value).split("\n\n");
      held = parts.pop();
      for (const part of parts) yield part.replace(/^data: /, "");
    }
  } catch (problem) {
    throw problem.name === "AbortError" ? problem : new Trouble(problem.message, "lost");
  }
}
