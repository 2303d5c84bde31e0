// The button of a page: sends the token of the link to the API, and shows what came of it.
"use strict";

const main = document.querySelector("main");
const form = document.querySelector("form");
const shown = document.querySelector("output");
const token = new URLSearchParams(location.search).get("token") ?? "";

// The token must not stay in the history of a browser that others use.
history.replaceState(null, "", location.pathname);

const key = document.querySelector("#key");
if (key) key.value = token;

function show(words, isGood) {
  shown.textContent = words;
  shown.className = isGood ? "good" : "bad";
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  const body = { token };
  const password = form.querySelector("#password");
  if (password) body.new_password = password.value;
  try {
    const answer = await fetch(main.dataset.action, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      form.remove();
      show(main.dataset.done, true);
      return;
    }
    const problem = await answer.json();
    const words = { weak_password: main.dataset.weak, invalid_link: main.dataset.dead, link_expired: main.dataset.dead };
    show(words[problem.type] ?? main.dataset.failed, false);
  } catch {
    show(main.dataset.failed, false);
  }
  button.disabled = false;
});
