// Asks the server for views. In a report of one file the answers are in the page.

const embedded = document.getElementById("embedded");
const answers = embedded ? JSON.parse(embedded.textContent) : null;

/** Whether this is a report: nothing can be asked that it does not hold. */
export const isReport = answers !== null;

/** A view that could not be had, with what to do about it. */
export class Problem extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

// Asked for before the other files of the page are here: every view begins with it.
let first = answers ? null : { view: "overview", answer: request("overview", null) };
first?.answer.catch(() => {});

/** The answer of a view to a question. */
export async function ask(view, question = null) {
  if (first?.view === view) {
    const { answer } = first;
    first = null;
    return answer;
  }
  if (answers) {
    const answer = answers[`${view} ${JSON.stringify(question)}`];
    if (answer === undefined) throw new Problem("This is not part of the report.", "lucerne web shows it");
    if (answer.error !== undefined) throw new Problem(answer.error, answer.hint);
    return answer;
  }
  return request(view, question);
}

async function request(view, question) {
  let response;
  try {
    response = await fetch(`api/${view}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
    });
  } catch {
    throw new Problem("The server does not answer.", "is lucerne web still running?");
  }
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Problem(text.trim() || `The server answered ${response.status}.`);
  }
  if (!response.ok) throw new Problem(body.error ?? `The server answered ${response.status}.`, body.hint);
  return body;
}
